/* The list of tasks. */
#include "task/tasks.h"

#include "task/label_words.h"

#include <string.h>

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static bert_status check_two(const char *const *labels, size_t n, bert_err *err)
{
    if (n == 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA,
                "task binary: the labels are %zu (%s%s%s%s), expected two, the second one the positive", n,
                n ? labels[0] : "none", n > 1 ? ", " : "", n > 1 ? labels[1] : "", n > 2 ? ", ..." : "");
}

static bert_status check_multiclass(const char *const *labels, size_t n, bert_err *err)
{
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task multiclass: every row has the label %s; a classifier needs at least two",
                n ? labels[0] : "(none)");
}

static bert_status check_multilabel(const char *const *labels, size_t n, bert_err *err)
{
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task multilabel: the only label is %s; at least two are needed",
                n ? labels[0] : "(none)");
}

static bert_status check_none(const char *const *labels, size_t n, bert_err *err)
{
    if (!n)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "the labels are numbers, and the model names words (%s, ...)", labels[0]);
}

static bert_status check_tags(const char *const *labels, size_t n, bert_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!tag_is_one((bert_text){ labels[i], strlen(labels[i]) }))
            return fail(err, BERT_ERR_DATA, "task tokens: label \"%.100s\" is no tag: O, B-NAME or I-NAME is expected",
                        labels[i]);
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task tokens: every word has the tag %s; at least two are needed",
                n ? labels[0] : "(none)");
}

/* ------------------------------------------------------------------------------------------------------------------ */

static const task TASKS[] = {
    /* clang-format off */
    { BERT_TASK_BINARY,     "binary",     &KIND_CLASS,   ROW_TOGETHER, &OUTPUT_PAIR,
      BERT_POOLING_AUTO,  "accuracy", check_two },
    { BERT_TASK_MULTICLASS, "multiclass", &KIND_CLASS,   ROW_TOGETHER, &OUTPUT_SOFTMAX,
      BERT_POOLING_AUTO,  "accuracy", check_multiclass },
    { BERT_TASK_MULTILABEL, "multilabel", &KIND_CLASSES, ROW_TOGETHER, &OUTPUT_SIGMOIDS,
      BERT_POOLING_AUTO,  "f1_micro", check_multilabel },
    { BERT_TASK_REGRESSION, "regression", &KIND_NUMBER,  ROW_TOGETHER, &OUTPUT_NUMBER,
      BERT_POOLING_AUTO,  "mse",      check_none },
    { BERT_TASK_SIMILARITY, "similarity", &KIND_NUMBER,  ROW_APART,    &OUTPUT_NUMBER,
      BERT_POOLING_MEAN,  "spearman", check_none },
    { BERT_TASK_TOKENS,     "tokens",     &KIND_TAGS,    ROW_WORDS,    &OUTPUT_SOFTMAX,
      BERT_POOLING_NONE,  "f1",       check_tags },
    /* clang-format on */
};
enum { N_TASKS = sizeof TASKS / sizeof *TASKS };

const task *task_by_id(bert_task id)
{
    for (int i = 0; i < N_TASKS; i++)
        if (TASKS[i].id == id)
            return &TASKS[i];
    return NULL;
}

const task *task_by_output(row_form form, const head_output *output)
{
    for (int i = 0; i < N_TASKS; i++)
        if (TASKS[i].form == form && TASKS[i].output == output)
            return &TASKS[i];
    return NULL;
}

static const task *task_of_labels(const bert_dataset *d)
{
    static const char *const NO_AND_YES[][2] = { { "0", "1" }, { "false", "true" } };
    bool pair = false;
    for (size_t i = 0; d->n_labels == 2 && i < sizeof NO_AND_YES / sizeof *NO_AND_YES; i++)
        pair |= !strcmp(d->labels[0], NO_AND_YES[i][0]) && !strcmp(d->labels[1], NO_AND_YES[i][1]);
    if (d->form == LABELS_LISTS)
        return task_by_output(ROW_TOGETHER, &OUTPUT_SIGMOIDS);
    if (d->form != LABELS_WORDS)
        return task_by_output(ROW_WORDS, &OUTPUT_SOFTMAX);
    return task_by_output(ROW_TOGETHER, pair ? &OUTPUT_PAIR : &OUTPUT_SOFTMAX);
}

bert_status task_of_head(const bert_head_spec *head, const bert_dataset *d, const task **t, bert_err *err)
{
    *t = head->task == BERT_TASK_AUTO ? task_of_labels(d) : task_by_id((bert_task)head->task);
    return *t ? BERT_OK : fail(err, BERT_ERR_ARGUMENT, "task %d is none of bert_task", head->task);
}

const char *bert_task_name(bert_task id)
{
    const task *t = task_by_id(id);
    return t ? t->name : "none";
}

bert_task_facts bert_task_facts_of(bert_task id)
{
    const task *t = task_by_id(id);
    return t ? (bert_task_facts){ t->name, t->form == ROW_APART, t->form == ROW_WORDS, t->kind->averaged }
             : (bert_task_facts){ 0 };
}

bert_task bert_model_task(const bert_model *model)
{
    return task_by_id(model->task) ? model->task : BERT_TASK_AUTO;
}

bert_status task_check_pooling(const task *t, int pooling, bert_err *err)
{
    bool tokens = pooling == BERT_POOLING_NONE;
    if (tokens && t->form != ROW_WORDS)
        return fail(err, BERT_ERR_ARGUMENT, "pooling none gives a vector a token; task %s needs one a text", t->name);
    if (!tokens && t->form == ROW_WORDS)
        return fail(err, BERT_ERR_ARGUMENT, "pooling %s gives a vector a text; task %s needs one a token: pooling none",
                    POOLING_WORDS[pooling], t->name);
    return BERT_OK;
}

static bert_status check_task_head(const bert_model *m, const task *t, bert_err *err)
{
    if (t->check_labels(m->labels, m->n_labels, err))
        return fail_in(err, BERT_ERR_FORMAT, "the model");
    size_t outputs = task_outputs(t, m->n_labels);
    if (outputs != m->outputs)
        return fail(err, BERT_ERR_FORMAT, "task %s with %zu labels has %zu outputs, the model's head has %zu", t->name,
                    m->n_labels, outputs, m->outputs);
    if (t->kind->numeric && !(m->label_min < m->label_max))
        return fail(err, BERT_ERR_FORMAT, "task %s: the model's label_min is %g, its label_max %g", t->name,
                    m->label_min, m->label_max);
    return BERT_OK;
}

bert_status task_of_model(const bert_model *m, const task **out, bert_err *err)
{
    if (!m->task)
        return fail(err, BERT_ERR_ARGUMENT, "the model has no head");
    const task *t = *out = task_by_id(m->task);
    if (!t)
        return fail(err, BERT_ERR_UNSUPPORTED, "task \"%s\" is not one that this libbert (" BERT_VERSION ") knows",
                    m->unknown_task);
    bert_status s = check_task_head(m, t, err);
    return s ? s : task_check_pooling(t, m->layer->spec.pooling, err);
}

size_t best_label(const float *scores, size_t n)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

size_t label_of_scores(const task *t, const bert_model *m, const float *scores, double threshold)
{
    return t->output->threshold ? (double)scores[1] >= threshold : best_label(scores, task_columns(t, m));
}
