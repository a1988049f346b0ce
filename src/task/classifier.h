/* A model with a task, as it predicts and as it is judged: rows of tokens to scores and outcomes. */
#pragma once

#include "rows/row_encoder.h"
#include "task/head.h"
#include "task/outcomes.h"

/* The head over the vectors of a row encoder. All zero is empty. One thread's. */
typedef struct classifier {
    const bert_model *model;
    const task *task;
    row_encoder *rows; /* the caller's, of the model's own pooling */
    model_head head;
    const bert_dataset *data; /* whose places messages name; NULL: rows are counted */
    arena memory;             /* vectors and logits of the rows at hand; grows to the largest part and stays */
} classifier;

/* With the head of the list, whose weights are read at each call. Fails as task_of_model. */
bert_status classifier_create(classifier *c, const bert_model *model, const weight_list *weights, row_encoder *rows,
                              bert_err *err);
void classifier_free(classifier *c);

/* Rows first .. first + n - 1: scores (n, columns); of words: (their tokens that begin a word, columns). Fails with
 * BERT_ERR_NUMERIC where the head gives what is no number: the message names the row. */
bert_status classifier_run(classifier *c, const token_rows *rows, size_t first, size_t n, float *scores, bert_err *err);

/* The same in steps, for who wants more of a pass than scores. How many rows from `first` on are best run at a time: at
 * least one of `left`. */
size_t classifier_part(const token_rows *rows, size_t first, size_t left);
/* The vectors that the head reads (similarity: two a row) of n rows from `first` on to scores (n, columns). Fails as
 * classifier_run. */
bert_status classifier_scores(classifier *c, const token_rows *rows, size_t first, const float *x, size_t n,
                              float *scores, bert_err *err);

/* All rows, each of which is a text. truth must outlive the outcomes. */
bert_status classifier_judge(classifier *c, const token_rows *rows, const targets *truth, outcomes *out, bert_err *err);
