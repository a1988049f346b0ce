/* The list of tasks. */
#include "task/tasks.h"

#include "task/losses.h"
#include "task/label_words.h"

#include <string.h>

/* ---- widths --------------------------------------------------------------------------------------------------------------- */

static size_t nothing(size_t n_labels)
{
    (void)n_labels;
    return 0;
}

static size_t one(size_t n_labels)
{
    (void)n_labels;
    return 1;
}

static size_t one_each(size_t n_labels)
{
    return n_labels;
}

/* ---- labels --------------------------------------------------------------------------------------------------------------- */

static bert_status check_two(const char *const *labels, size_t n, bert_err *err)
{
    if (n == 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task binary: the labels are %zu (%s%s%s%s), expected two, the second one the positive", n,
                n ? labels[0] : "none", n > 1 ? ", " : "", n > 1 ? labels[1] : "", n > 2 ? ", ..." : "");
}

static bert_status check_multiclass(const char *const *labels, size_t n, bert_err *err)
{
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task multiclass: every row has the label %s; a classifier needs at least two", n ? labels[0] : "(none)");
}

static bert_status check_multilabel(const char *const *labels, size_t n, bert_err *err)
{
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task multilabel: the only label is %s; at least two are needed", n ? labels[0] : "(none)");
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
            return fail(err, BERT_ERR_DATA, "task tokens: label \"%.100s\" is no tag: O, B-NAME or I-NAME is expected", labels[i]);
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task tokens: every word has the tag %s; at least two are needed", n ? labels[0] : "(none)");
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

static const task TASKS[] = {
    /* clang-format off */
    { BERT_TASK_BINARY, "binary", LABEL_CLASS, ROW_TOGETHER, BERT_POOLING_AUTO, true, "accuracy",
      one, one_each, check_two, binary_loss, binary_scores, binary_logits },
    { BERT_TASK_MULTICLASS, "multiclass", LABEL_CLASS, ROW_TOGETHER, BERT_POOLING_AUTO, false, "accuracy",
      one_each, one_each, check_multiclass, class_loss, class_scores, class_logits },
    { BERT_TASK_MULTILABEL, "multilabel", LABEL_CLASSES, ROW_TOGETHER, BERT_POOLING_AUTO, true, "f1_micro",
      one_each, one_each, check_multilabel, classes_loss, classes_scores, classes_logits },
    { BERT_TASK_REGRESSION, "regression", LABEL_NUMBER, ROW_TOGETHER, BERT_POOLING_AUTO, false, "mse",
      one, one, check_none, number_loss, number_scores, number_logits },
    { BERT_TASK_SIMILARITY, "similarity", LABEL_NUMBER, ROW_APART, BERT_POOLING_MEAN, false, "spearman",
      nothing, one, check_none, number_loss, number_scores, number_logits },
    { BERT_TASK_TOKENS, "tokens", LABEL_TAGS, ROW_WORDS, BERT_POOLING_NONE, false, "f1",
      one_each, one_each, check_tags, class_loss, class_scores, class_logits },
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

const char *bert_task_name(bert_task id)
{
    const task *t = task_by_id(id);
    return t ? t->name : "none";
}

bert_task bert_model_task(const bert_model *model)
{
    return task_by_id(model->task) ? model->task : BERT_TASK_AUTO;
}

bert_status task_check_pooling(const task *t, int pooling, bert_err *err)
{
    bool tokens = pooling == BERT_POOLING_NONE;
    if (tokens && t->label != LABEL_TAGS)
        return fail(err, BERT_ERR_ARGUMENT, "pooling none gives a vector a token; task %s needs one a text", t->name);
    if (!tokens && t->label == LABEL_TAGS)
        return fail(err, BERT_ERR_ARGUMENT, "pooling %s gives a vector a text; task %s needs one a token: pooling none", POOLING_WORDS[pooling],
                    t->name);
    return BERT_OK;
}

static bert_status check_head(const bert_model *m, const task *t, bert_err *err)
{
    if (t->check_labels(m->labels, m->n_labels, err))
        return fail_in(err, BERT_ERR_FORMAT, "the model");
    if (t->outputs(m->n_labels) != m->outputs)
        return fail(err, BERT_ERR_FORMAT, "task %s with %zu labels has %zu outputs, the model's head has %zu", t->name, m->n_labels,
                    t->outputs(m->n_labels), m->outputs);
    if (t->label == LABEL_NUMBER && !(m->label_min < m->label_max))
        return fail(err, BERT_ERR_FORMAT, "task %s: the model's label_min is %g, its label_max %g", t->name, m->label_min, m->label_max);
    return BERT_OK;
}

bert_status task_of_model(const bert_model *m, const task **out, bert_err *err)
{
    if (!m->task)
        return fail(err, BERT_ERR_ARGUMENT, "the model has no head");
    const task *t = *out = task_by_id(m->task);
    if (!t)
        return fail(err, BERT_ERR_UNSUPPORTED, "task \"%s\" is not one that this libbert (" BERT_VERSION ") knows", m->unknown_task);
    bert_status s = check_head(m, t, err);
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
