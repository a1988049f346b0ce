/* One training step: a batch forward through layer and head, its loss, and the gradients of all that is tuned. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "model/model.h"
#include "task/tasks.h"
#include "text/packed_batch.h"

/* Dropout of a step: on or off, in the frozen part as well or not. */
typedef struct step_dropout {
    uint64_t seed, step;
    bool on, frozen;
} step_dropout;

typedef struct step_result {
    double loss;    /* sum over the batch */
    size_t correct; /* rows whose best score is their label's */
} step_result;

/* labels (batch->n_seq). Gradients are of the mean loss and are added. Memory is the arena's. logits, where not NULL, receives (n_seq, K).
 * Fails with BERT_ERR_MEMORY. */
bert_status step_run(bert_model *model, const task *t, const packed_batch *batch, const int32_t *labels, step_dropout drop, float *logits,
                     step_result *result, arena *a, bert_err *err);

#endif
