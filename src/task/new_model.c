/* Making a model: layer and head for a task. */
#include "base/options.h"
#include "task/head_labels.h"
#include "task/tasks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const bert_option HEAD[] = {
    OPTION_CHOICE(bert_head_spec, task, "auto", TASK_WORDS, "WORD",
                  "what the labels are; auto: binary where they are 0 and 1 (false and true), multilabel of lists, "
                  "tokens of tags, else multiclass"),
    OPTION_INT(bert_head_spec, head_hidden, "0", 0, 65536, "N", "units of a hidden layer in the head; 0: none"),
    OPTION_FLOAT(bert_head_spec, label_min, "0", -INFINITY, INFINITY, "X",
                 "regression, similarity: the label that stands for output 0"),
    OPTION_FLOAT(bert_head_spec, label_max, "0", -INFINITY, INFINITY, "X",
                 "the label for output 1; both 0: the least and the largest label"),
};

bert_option_table bert_head_option_table(void)
{
    return OPTION_TABLE(HEAD);
}

void bert_head_defaults(bert_head_spec *head)
{
    *head = (bert_head_spec){ 0 };
    bert_options_defaults(head, bert_head_option_table());
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static bert_status check_new_model(const bert_layer_spec *spec, const bert_head_spec *head, const task *t,
                                   bert_err *err)
{
    bert_status s = options_check(head, bert_head_option_table(), err);
    if (!s)
        s = options_check(spec, bert_layer_option_table(), err);
    for (size_t i = 0; !s && i < head->n_labels; i++)
        if (!head->labels || !head->labels[i])
            s = fail(err, BERT_ERR_ARGUMENT, "label %zu is NULL", i);
    if (!s && !t)
        s = fail(err, BERT_ERR_ARGUMENT, "the task is auto, which bert_head_of_dataset resolves");
    if (!s && !spec->module)
        s = fail(err, BERT_ERR_ARGUMENT, "the layer spec names no module");
    if (!s && head->head_hidden && !task_outputs(t, head->n_labels))
        s = fail(err, BERT_ERR_ARGUMENT, "task %s has no head: head_hidden must be 0", t->name);
    if (!s)
        s = task_check_pooling(t, spec->pooling, err);
    if (!s)
        s = t->check_labels(head->labels, head->n_labels, err);
    return s ? s : head_check_scale(head, t, err);
}

bert_status bert_model_create(const bert_layer_spec *spec, const bert_head_spec *head, uint64_t seed,
                              bert_model **model, bert_err *err)
{
    *model = NULL;
    const task *t = task_by_id((bert_task)head->task);
    bert_layer_spec layer = *spec;
    if (t && layer.pooling == BERT_POOLING_AUTO)
        layer.pooling = t->pooling;
    bert_module *module = NULL;
    bert_status s = check_new_model(&layer, head, t, err);
    if (!s)
        s = bert_module_open(spec->module, &module, err);
    if (s)
        return s;
    bool scaled = t->kind->numeric;
    head_spec made = { .task = t->id,
                       .outputs = task_outputs(t, head->n_labels),
                       .hidden = (size_t)head->head_hidden,
                       .labels = head->labels,
                       .n_labels = head->n_labels,
                       .label_min = scaled ? head->label_min : 0,
                       .label_max = scaled ? head->label_max : 0,
                       .threshold = t->output->threshold ? 0.5 : 0 };
    return model_create(module, &layer, &made, seed, model, err);
}
