/* The order in which the rows of a data set are trained on, and how they are cut into batches. */
#pragma once

#include "data/token_rows.h"

/* Every row once. All zero before the first use; memory is reused from plan to plan. */
typedef struct batches {
    size_t n;       /* batches */
    size_t *start;  /* (n + 1) batch k is rows[start[k] .. start[k + 1]) */
    uint32_t *rows; /* (rows of the data set) */
    arena memory;
} batches;

typedef struct batch_order {
    size_t batch_size;    /* rows of a batch, at least 1; one batch has fewer where the rows do not come out even */
    size_t length_window; /* in batches, at least 1 */
    uint64_t seed, epoch; /* epoch below 2^24 */
} batch_order;

/* For training: rows are shuffled and cut into windows of length_window batches, each window is sorted by length and
 * cut into batches, and the batches are shuffled. Rows of like length share a batch, yet every epoch sees other
 * batches. Depends on its arguments alone. Fails with BERT_ERR_MEMORY. */
bert_status batches_shuffled(batches *b, const token_rows *t, const batch_order *order, bert_err *err);

/* For evaluation: all rows from the shortest to the longest; those of one length stay in their order. */
bert_status batches_by_length(batches *b, const token_rows *t, size_t batch_size, bert_err *err);

void batches_free(batches *b);
