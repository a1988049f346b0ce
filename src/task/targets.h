/* What is true of a data set's rows, as the numbers that losses and metrics read. */
#pragma once

#include "data/dataset.h"
#include "data/token_rows.h"
#include "models/model.h"
#include "task/tasks.h"

/* Which arrays there are follows from the task's kind of label: ids of one label each, start with them where words have
 * labels, else values. All zero is empty. */
typedef struct targets {
    arena memory;
    size_t n; /* rows */
    /* (n) place of the label among the model's; with start: (start[n]) those of the words, row after row */
    int32_t *ids;
    size_t *start; /* (n + 1) where a row's words begin in ids; NULL: rows have labels, not words */
    /* numbers: (n) scaled to the head's output, 0 for label_min, 1 for label_max; any number of labels: (n, K) 0 or
     * 1 */
    float *values;
    size_t width; /* of a row of values */
} targets;

/* Fails with BERT_ERR_DATA, naming the row's place: a label that the model does not know, no number, tags that are not
 * as many as words, one text where the task compares two. */
bert_status targets_create(targets *t, const task *of, const bert_model *model, const bert_dataset *d, bert_err *err);
void targets_free(targets *t);

/* counts (n_labels, those of the model): how often each label stands in the targets. */
void targets_count_labels(const targets *t, size_t n_labels, size_t *counts);

/* How many the head reads for a row of the data set: one, or one for each labelled word. */
size_t targets_of_row(const targets *t, const token_rows *tokens, size_t row);

/* Those of a batch, one for each row that the head reads: a sequence (a pair of sequences for similarity), or a
 * labelled word. */
typedef struct target_rows {
    size_t n;
    size_t before, all;  /* where these are a part of a batch: how many stand before them, and in the whole; else 0 */
    const int32_t *ids;  /* (n) */
    const float *values; /* (n, width) */
    size_t width;
    /* of words: (n) the row of the packed batch where each word's first piece stands; else NULL */
    const int32_t *tokens;
    const size_t *words; /* of words: (n) the word, its place in the targets' ids; else NULL */
} target_rows;

/* Of the given rows, packed into a batch in this order (token_rows_pack). Memory is the arena's. Fails with
 * BERT_ERR_MEMORY. */
bert_status targets_gather(const targets *t, const token_rows *tokens, const uint32_t *rows, size_t n, target_rows *out,
                           arena *a, bert_err *err);
