/* The optimiser in memory: what a checkpoint keeps of it, and what a training run asks beyond bert.h. */
#pragma once

#include "base/arena.h"
#include "ops/ops.h"

/* One tensor, its two running means, and how it is stepped. */
typedef struct optimizer_slot {
    const char *name; /* the parameter's; its arrays are the caller's, too */
    float *value, *grad;
    float *m, *v; /* (n) the optimiser's own */
    size_t n;
    int64_t steps; /* that this tensor took */
    int level;     /* its layer; -1 for embeddings, above all layers for what stands on them */
    double rate;   /* its share of the learning rate, by layer_decay */
    bool decays;   /* weight decay: neither a bias nor a layer norm */
} optimizer_slot;

struct bert_optimizer {
    arena memory;
    const ops *ops;
    bert_optimizer_options options;
    optimizer_slot *slots; /* (n_slots) in the order of the parameters */
    size_t n_slots;
    int lowest; /* tensors of a lower level are left alone: neither read nor stepped */
};

/* The words of bert_optimizer_kind, ending with NULL. */
extern const char *const OPTIMIZER_WORDS[];

/* From now on only the layers from `layer` on are stepped, and what stands on them; -1: all, embeddings too. */
void optimizer_set_lowest(bert_optimizer *optimizer, int layer);

/* bert_optimizer_step on gradients multiplied by `scale`: 1 / the number of batches that they are the sum of. */
double optimizer_step(bert_optimizer *optimizer, double scale);
