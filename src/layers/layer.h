/* A layer in memory: a module seen through a layer spec, with the tuned weights its own. */
#pragma once

#include "net/forward.h"
#include "modules/module.h"

#include <pthread.h>

struct bert_layer {
    arena memory;
    const bert_module *module;
    bert_layer_spec spec; /* its strings are the layer's; pooling is never auto */
    config config;        /* the module's */
    weight_list weights;  /* pooler where an output asks for it; head where the layer was made for a model */
    encoder encoder;      /* frozen layers packed by layer_ready, tuned ones plain */
    struct layer_snapshot *snapshots; /* that sessions use (snapshot.h) */
    output_request *requests;
    size_t n_requests;
    size_t first_kept;     /* the lowest layer that backward must pass */
    float *values, *grads; /* (n_tuned) all tuned tensors and their gradients, one behind another */
    size_t n_tuned;
    pthread_mutex_t lock; /* of packing and snapshots */
    bool packed;
    bert_pass *spare; /* passes that were freed: the next ones live in their memory */
};

enum { LAYERS_TUNED = 3, LAYER_SEQ_LEN = 64 }; /* unless a spec says how many, and where there are as many */

/* True for the value of a tuned tensor. */
static inline bool layer_owns(const bert_layer *l, const float *value)
{
    return (uintptr_t)value >= (uintptr_t)l->values && (uintptr_t)value < (uintptr_t)(l->values + l->n_tuned);
}

/* As bert_layer_create, with a head (NULL: none): new and tuned, or the module's own where that has one. */
bert_status layer_create(const bert_module *module, const bert_layer_spec *spec, const head_shape *head, uint64_t seed,
                         bert_layer **layer, bool *new_pooler, bert_err *err);

/* Changes how the layer multiplies, and how those transformer layers do that lie below all that are tuned (first_kept
 * of them); packed forms are made anew by layer_ready. No pass may be at work; sessions go on as they were made. Fails
 * as ops_select_precision, BERT_ERR_MEMORY; with BERT_ERR_ARGUMENT for a frozen file, which has one form. */
bert_status layer_set_precision(bert_layer *layer, ops_precision precision, ops_precision frozen, bert_err *err);
/* Of the layers below first_kept; where there are none, of the layer. */
ops_precision layer_frozen_precision(const bert_layer *layer);

/* Packs the frozen layers, once; any thread. The module's own copy of them is then read no more, and its memory goes
 * back to the system. */
bert_status layer_ready(bert_layer *layer, bert_err *err);

/* Gives all memory of frozen weights back until they are read again, the packed ones (unless somebody has borrowed
 * them) until layer_ready. No pass may be at work. */
void layer_rest_frozen(bert_layer *layer);

/* Gives the memory of frozen embedding tables back to the system until they are read again, where they are large. */
void layer_rest_embeddings(const bert_layer *layer);

/* What the layer's spec calls an output, or BERT's names; pooling is resolved already. */
bert_status request_parse(output_request *r, const char *name, size_t size, const bert_layer *layer, bert_err *err);

/* The request of a pooling (not auto) on this layer; fails for cls where there is no pooler. */
bert_status request_of_pooling(output_request *r, bert_pooling pooling, const bert_layer *layer, bert_err *err);

/* Frees the memory of passes that were freed. */
void passes_free_spare(bert_layer *layer);

/* The weights that answering a request reads, a head's (NULL: none) with them: the layer's as they are now, what it
 * lacks the module's. A pooler or head that neither has is left without a value. */
bert_status request_weights(const output_request *r, const bert_layer *layer, const head_shape *head, weight_list *list,
                            arena *a, bert_err *err);

/* The packed batch of an input, in the arena: from texts or matrices as the spec says. */
bert_status layer_pack_input(const bert_layer *layer, const bert_input *input, packed_batch *batch, arena *a,
                             bert_err *err);
