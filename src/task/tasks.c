/* The list of tasks. */
#include "task/tasks.h"

#include "model/model.h"
#include "ops/loss.h"

#include <string.h>

/* ---- binary: Dense(1), sigmoid ---------------------------------------------------------------------------------------------- */

static size_t one_output(size_t n_labels)
{
    (void)n_labels;
    return 1;
}

static bert_status check_binary(const char *const *labels, size_t n, bert_err *err)
{
    if (n == 2 && !strcmp(labels[0], "0") && !strcmp(labels[1], "1"))
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task binary: the labels are %zu (%s%s%s%s), expected 0 and 1", n, n ? labels[0] : "none", n > 1 ? ", " : "",
                n > 1 ? labels[1] : "", n > 2 ? ", ..." : "");
}

/* Targets of a batch are few; blocks keep them off the heap. */
enum { BLOCK = 256 };

static double binary_loss(float *dlogits, const float *logits, const int32_t *labels, float scale, size_t n, size_t K)
{
    (void)K;
    double sum = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        float targets[BLOCK];
        for (size_t k = 0; k < m; k++)
            targets[k] = (float)labels[i + k];
        sum += loss_sigmoid_cross_entropy(dlogits ? dlogits + i : NULL, logits + i, targets, scale, m);
    }
    return sum;
}

static void binary_scores(float *scores, const float *logits, size_t n, size_t K)
{
    (void)K;
    for (size_t i = 0; i < n; i++) {
        float p;
        sigmoid(&p, &logits[i], 1);
        scores[2 * i] = 1 - p;
        scores[2 * i + 1] = p;
    }
}

/* ---- multiclass: Dense(K), softmax ------------------------------------------------------------------------------------------- */

static size_t an_output_each(size_t n_labels)
{
    return n_labels;
}

static bert_status check_multiclass(const char *const *labels, size_t n, bert_err *err)
{
    if (n >= 2)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "task multiclass: every row has the label %s; a classifier needs at least two", n ? labels[0] : "(none)");
}

/* -------------------------------------------------------------------------------------------------------------------------------- */

static const task TASKS[] = {
    { BERT_TASK_BINARY, "binary", one_output, check_binary, binary_loss, binary_scores },
    { BERT_TASK_MULTICLASS, "multiclass", an_output_each, check_multiclass, loss_softmax_cross_entropy, softmax },
};
enum { N_TASKS = sizeof TASKS / sizeof *TASKS };

const task *task_by_name(const char *name)
{
    for (int i = 0; i < N_TASKS; i++)
        if (!strcmp(TASKS[i].name, name))
            return &TASKS[i];
    return NULL;
}

const task *task_by_id(bert_task id, const char *const *labels, size_t n_labels)
{
    for (int i = 0; i < N_TASKS; i++)
        if (id == BERT_TASK_AUTO ? !TASKS[i].check_labels(labels, n_labels, NULL) : TASKS[i].id == id)
            return &TASKS[i];
    return id == BERT_TASK_AUTO ? &TASKS[N_TASKS - 1] : NULL; /* whose check then says what is wrong */
}

bert_status task_of_model(const bert_model *m, const task **out, bert_err *err)
{
    if (!m->task)
        return fail(err, BERT_ERR_ARGUMENT, "the model has no head");
    const task *t = *out = task_by_name(m->task);
    if (!t)
        return fail(err, BERT_ERR_UNSUPPORTED, "task \"%s\" is not one that this libbert (" BERT_VERSION ") knows", m->task);
    if (t->check_labels(m->labels, m->n_labels, err))
        return fail_in(err, BERT_ERR_FORMAT, "the model");
    if (t->outputs(m->n_labels) != m->outputs)
        return fail(err, BERT_ERR_FORMAT, "task %s with %zu labels has %zu outputs, the model's head has %zu", t->name, m->n_labels,
                    t->outputs(m->n_labels), m->outputs);
    return BERT_OK;
}

bert_status bert_model_create(const bert_layer_spec *spec, bert_task id, const char *const *labels, size_t n_labels, uint64_t seed,
                              bert_model **model, bert_err *err)
{
    *model = NULL;
    const task *t = task_by_id(id, labels, n_labels);
    if (!t)
        return fail(err, BERT_ERR_ARGUMENT, "task %d is none of bert_task", (int)id);
    if (!spec->module)
        return fail(err, BERT_ERR_ARGUMENT, "the layer spec names no module");
    bert_module *module = NULL;
    bert_status s = t->check_labels(labels, n_labels, err);
    if (!s)
        s = bert_module_open(spec->module, &module, err);
    head_spec head = { t->name, t->outputs(n_labels), labels, n_labels };
    return s ? s : model_create(module, spec, &head, seed, model, err);
}
