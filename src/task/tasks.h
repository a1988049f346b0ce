/* The list of tasks: what a label is, how wide the head, which loss, how outputs become scores. Training, evaluation and prediction loop over
 * it; adding a task is adding a row and its functions. */
#ifndef TASK_TASKS_H
#define TASK_TASKS_H

#include "base/error.h"

typedef struct task {
    bert_task id;
    const char *name;
    /* Rows of the head for so many labels. */
    size_t (*outputs)(size_t n_labels);
    /* Whether these labels, in the order of a data set's, suit the task; the message says what does. */
    bert_status (*check_labels)(const char *const *labels, size_t n_labels, bert_err *err);
    /* Sum of the loss over n rows; dlogits (NULL: not wanted) is the gradient of (sum * scale). logits (n, K), labels (n). */
    double (*loss)(float *dlogits, const float *logits, const int32_t *labels, float scale, size_t n, size_t K);
    /* scores (n, n_labels), each row sums to 1, from logits (n, K) */
    void (*scores)(float *scores, const float *logits, size_t n, size_t K);
} task;

/* NULL where there is none. */
const task *task_by_name(const char *name);
/* The row of an id; for BERT_TASK_AUTO the first whose labels suit. NULL for an id that is none. */
const task *task_by_id(bert_task id, const char *const *labels, size_t n_labels);

/* The task of a model. Fails with BERT_ERR_ARGUMENT where it has no head, with BERT_ERR_UNSUPPORTED for a task of another version, with
 * BERT_ERR_FORMAT where labels or head are not such a task's. */
bert_status task_of_model(const bert_model *model, const task **t, bert_err *err);

#endif
