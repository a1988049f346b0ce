/* The list of tasks: what a label is, how a row is read, how wide the head, which loss, how outputs become scores, which metrics. Training,
 * evaluation, prediction and reports loop over it; adding a task is adding a row and its functions. */
#ifndef TASK_TASKS_H
#define TASK_TASKS_H

#include "base/error.h"
#include "data/token_rows.h"
#include "model/model.h"

typedef enum label_kind {
    LABEL_CLASS,   /* one of the labels */
    LABEL_CLASSES, /* any number of them, with commas between */
    LABEL_NUMBER,
    LABEL_TAGS /* one of the labels for each word */
} label_kind;

struct target_rows;
struct loss_spec;

typedef struct task {
    bert_task id;
    const char *name;
    label_kind label;
    row_form form;
    bert_pooling pooling; /* what auto becomes; AUTO: the layer's own choice */
    bool threshold;       /* a score is a yes from a threshold on */
    const char *watch;    /* the metric that tells the best epoch */
    /* Rows of the head for so many labels; 0: there is no head. */
    size_t (*outputs)(size_t n_labels);
    /* Columns of the scores. */
    size_t (*columns)(size_t n_labels);
    /* Whether these labels suit the task; the message says what does. */
    bert_status (*check_labels)(const char *const *labels, size_t n_labels, bert_err *err);
    /* Sum of the loss over the rows of y; losses (n; NULL: not wanted) each one's; dlogits (NULL: not wanted) the gradient of (sum * scale).
     * logits (n, K). spec NULL: neither class weights nor smoothing. */
    double (*loss)(float *dlogits, float *losses, const float *logits, const struct target_rows *y, const struct loss_spec *spec, float scale,
                   size_t K);
    /* scores (n, columns) from logits (n, K); m gives the scale of numbers */
    void (*scores)(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);
    /* and back: logits (n, K) that give these scores, finite also where a probability is 0 or 1 */
    void (*logits)(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);
} task;

/* NULL where there is none. */
const task *task_by_id(bert_task id);

/* The task that a data set's labels are of, where nobody says. */
const task *task_of_labels(const bert_dataset *d);

/* The task of a model. Fails with BERT_ERR_ARGUMENT where it has none or where the pooling is not the task's, with BERT_ERR_UNSUPPORTED for a
 * task of another version, with BERT_ERR_FORMAT where labels, scale or head are not such a task's. */
bert_status task_of_model(const bert_model *model, const task **t, bert_err *err);

/* Fails with BERT_ERR_ARGUMENT unless the task can read what a pooling (not auto) gives. */
bert_status task_check_pooling(const task *t, int pooling, bert_err *err);

/* K: the width of a row of logits; similarity has one, though no head. */
static inline size_t task_width(const bert_model *m)
{
    return m->outputs ? m->outputs : 1;
}

/* The index of the largest of n scores, the first of equals. */
size_t best_label(const float *scores, size_t n);

#endif
