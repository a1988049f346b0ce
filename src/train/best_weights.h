/* The weights of the best epoch so far: in the run's folder, in memory where there is none. */
#pragma once

#include "train/loop.h"

/* All zero: there are none yet. */
typedef struct best_weights {
    bert_model *model;
    const char *folder; /* NULL: memory alone */
    bool copy_module;
    float *copy;  /* (n_tuned) without a folder */
    bool kept;    /* there are some */
    int64_t step; /* of the run when they were the model's; -1: before it was resumed */
    double threshold;
} best_weights;

/* Listens for epochs that are the best so far. */
void best_weights_listen(best_weights *b, train_loop *l);

/* Puts them, and their threshold, into the model, which has taken so many steps. Does nothing where it has them, or
 * there are none. */
bert_status best_weights_load(const best_weights *b, int64_t step, bert_err *err);
