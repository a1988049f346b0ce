/* The list of tasks: what a label is, how a row is read, what the head's outputs are. Training, evaluation, prediction
 * and reports ask its rows; adding a task is adding a row. */
#pragma once

#include "base/error.h"
#include "data/token_rows.h"
#include "task/head_output.h"
#include "task/label_kind.h"

/* Two tasks differ in form or output. */
typedef struct task {
    bert_task id;
    const char *name;
    const label_kind *kind; /* what a label is */
    row_form form;
    const head_output *output;
    bert_pooling pooling; /* what auto becomes; AUTO: the layer's own choice */
    const char *watch;    /* the metric that tells the best epoch */
    /* Whether these labels suit the task; the message says what does. */
    bert_status (*check_labels)(const char *const *labels, size_t n_labels, bert_err *err);
} task;

/* NULL where there is none. */
const task *task_by_id(bert_task id);
const task *task_by_output(row_form form, const head_output *output);

/* The task of a head spec; where it says auto, the one that the data set's labels are of. Fails with
 * BERT_ERR_ARGUMENT. */
bert_status task_of_head(const bert_head_spec *head, const bert_dataset *d, const task **t, bert_err *err);

/* The task of a model. Fails with BERT_ERR_ARGUMENT where it has none or where the pooling is not the task's, with
 * BERT_ERR_UNSUPPORTED for a task of another version, with BERT_ERR_FORMAT where labels, scale or head are not such a
 * task's. */
bert_status task_of_model(const bert_model *model, const task **t, bert_err *err);

/* Fails with BERT_ERR_ARGUMENT unless the task can read what a pooling (not auto) gives. */
bert_status task_check_pooling(const task *t, int pooling, bert_err *err);

/* Rows of the head for so many labels: texts that are read apart have none, but a cosine. */
static inline size_t task_outputs(const task *t, size_t n_labels)
{
    return t->form == ROW_APART ? 0 : t->output->outputs ? t->output->outputs : n_labels;
}

/* Columns of the scores of a model. */
static inline size_t task_columns(const task *t, const bert_model *m)
{
    return t->output->columns ? t->output->columns : m->n_labels;
}

/* K: the width of a row of logits; a cosine has one. */
static inline size_t task_width(const bert_model *m)
{
    return m->outputs ? m->outputs : 1;
}

/* The index of the largest of n scores, the first of equals. */
size_t best_label(const float *scores, size_t n);
/* The label that a row's scores (columns) say, of labels that exclude each other: of a pair the second one from the
 * threshold on, else the likeliest. */
size_t label_of_scores(const task *t, const bert_model *m, const float *scores, double threshold);
