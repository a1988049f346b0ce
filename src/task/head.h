/* What stands between the encoder's vectors and the loss: Dense, or Dense-tanh-dropout-Dense, or for similarity the
 * cosine. */
#pragma once

#include "net/linear.h"
#include "task/targets.h"

/* Dropout of a step: on or off, in the frozen part as well or not. */
typedef struct step_dropout {
    uint64_t seed, step;
    bool on, frozen;
} step_dropout;

typedef struct loss_spec {
    const float *class_weights; /* (K) or NULL: all 1 */
    /* a target becomes (1 - smoothing) target + smoothing / K (binary and multilabel: + smoothing / 2) */
    float smoothing;
} loss_spec;

typedef struct head_result {
    double loss;    /* sum over the rows */
    size_t correct; /* rows whose prediction is right; 0 where the task has no such thing */
    size_t n;       /* rows: sequences, pairs, or words */
} head_result;

/* A model's head as it computes. */
typedef struct model_head {
    const ops *ops;
    size_t hidden_size;  /* H */
    linear hidden, last; /* in 0: there is none */
    activation act;      /* behind the hidden one */
} model_head;

/* The model's head over a list of weights, as they are at each use. */
model_head head_over(const bert_model *m, const weight_list *weights);

/* logits (n, K) from x (n, H); similarity: (n, 1) cosines from x (2 n, H). Without dropout. hidden: room for (n,
 * head_hidden), or NULL without one. */
void head_forward(const model_head *h, ops_room room, float *logits, float *hidden, const float *x, size_t n);

/* Forward with dropout, loss, and backward. x, dx: (rows, H), rows the sequences of the batch, or its tokens where
 * words have labels; dx is assigned. Gradients of the head's weights are added; all are of the batch's mean loss.
 * result is added to: what it has is of the parts of the batch before this one. logits, where not NULL, receives
 * (y->n, K). Memory is the arena's. Fails with BERT_ERR_MEMORY. */
bert_status head_train(bert_model *m, const task *t, const float *x, float *dx, size_t rows, const target_rows *y,
                       const loss_spec *loss, step_dropout drop, float *logits, head_result *result, arena *a,
                       bert_err *err);
