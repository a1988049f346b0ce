/* Making a model: what a head spec leaves open comes from a data set; then layer and head for the task. */
#include "base/options.h"
#include "task/label_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const bert_option HEAD[] = {
    OPTION_CHOICE(
        bert_head_spec, task, "auto", TASK_WORDS, "WORD",
        "what the labels are; auto: binary where they are 0 and 1 (false and true), multilabel of lists, tokens of tags, else multiclass"),
    OPTION_INT(bert_head_spec, head_hidden, "0", 0, 65536, "N", "units of a hidden layer in the head; 0: none"),
    OPTION_FLOAT(bert_head_spec, label_min, "0", -INFINITY, INFINITY, "X", "regression, similarity: the label that stands for output 0"),
    OPTION_FLOAT(bert_head_spec, label_max, "0", -INFINITY, INFINITY, "X", "the label for output 1; both 0: the least and the largest label"),
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

/* ---- from a data set, a function for each kind of label --------------------------------------------------------------------- */

/* Names the data set before a message. */
static bert_status wrong_labels(const bert_dataset *d, const bert_head_spec *head, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s%stask %s: %s", d->name ? d->name : "", d->name ? ": " : "", bert_task_name((bert_task)head->task), why);
}

static bert_status check_form(const bert_head_spec *head, const bert_dataset *d, label_kind kind, bert_err *err)
{
    if (kind != LABEL_CLASS || d->form == LABELS_WORDS)
        return BERT_OK;
    return wrong_labels(
        d, head, d->form == LABELS_LISTS ? "the labels are lists, as of --task multilabel" : "the labels are tags of words, as of --task tokens",
        err);
}

/* Each reads rows that label_rules_check found to suit. */
static bert_status read_class(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    (void)err;
    if (!head->n_labels)
        head->n_labels = bert_dataset_labels(d, &head->labels);
    return BERT_OK;
}

/* The words of a set become the head's labels, in the order of their bytes, and belong to the data set from then on. Two threads may ask at
 * once. */
static bert_status labels_of_set(bert_head_spec *head, const bert_dataset *d, word_set *set, bert_err *err)
{
    if (set->n)
        qsort(set->words, set->n, sizeof *set->words, word_compare); /* nothing is found in it any more */
    head->labels = dataset_keep_words(d, set->words, set->n);
    head->n_labels = set->n;
    return head->labels ? BERT_OK : fail_memory(err, "labels");
}

static bool all_flags(const word_set *set)
{
    bool flags = true;
    for (size_t i = 0; i < set->n; i++)
        flags &= set->words[i].size == 1 && (set->words[i].data[0] == '0' || set->words[i].data[0] == '1');
    return flags;
}

static const char UNNAMED_FLAGS[] = "the only labels are 0 and 1; a list of 0 and 1 for each label needs their names (--label-names)";

/* All labels of the rows, which `next` finds one after the other. */
static bert_status read_words(bert_head_spec *head, const bert_dataset *d, label_reader *next, bert_err *err)
{
    word_set set = { 0 };
    if (head->n_labels)
        return BERT_OK;
    bert_status s = labels_gather(d, next, &set, NULL, err);
    if (!s)
        s = set.n == 2 && all_flags(&set) ? wrong_labels(d, head, UNNAMED_FLAGS, err) : labels_of_set(head, d, &set, err);
    word_set_free(&set);
    return s;
}

static bert_status read_classes(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    return read_words(head, d, label_next, err);
}

static bert_status read_tags(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    return read_words(head, d, tag_next, err);
}

/* Every row of the data set has this one number. */
static bert_status no_scale(const bert_head_spec *head, const bert_dataset *d, double number, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s%stask %s: every row has the label %g; there is nothing to learn", d->name ? d->name : "",
                d->name ? ": " : "", bert_task_name((bert_task)head->task), number);
}

static bert_status read_numbers(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    double least = INFINITY, most = -INFINITY, number = 0;
    for (size_t i = 0; i < d->n; i++) {
        label_number(d->label_texts[i], &number);
        least = number < least ? number : least;
        most = number > most ? number : most;
    }
    if (!(least < most))
        return no_scale(head, d, least, err);
    if (head->label_min == 0 && head->label_max == 0) {
        head->label_min = least;
        head->label_max = most;
    }
    return BERT_OK;
}

static bert_status check_scale(const bert_head_spec *head, const task *t, bert_err *err)
{
    if (t->label != LABEL_NUMBER || (head->label_min < head->label_max && isfinite(head->label_max - head->label_min)))
        return BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT, "task %s: label_min %g is not below label_max %g", t->name, plain_nan(head->label_min),
                plain_nan(head->label_max));
}

const task *task_of_labels(const bert_dataset *d)
{
    static const char *const NO_AND_YES[][2] = { { "0", "1" }, { "false", "true" } };
    bool binary = false;
    for (size_t i = 0; d->n_labels == 2 && i < sizeof NO_AND_YES / sizeof *NO_AND_YES; i++)
        binary |= !strcmp(d->labels[0], NO_AND_YES[i][0]) && !strcmp(d->labels[1], NO_AND_YES[i][1]);
    return task_by_id(d->form == LABELS_LISTS   ? BERT_TASK_MULTILABEL
                      : d->form != LABELS_WORDS ? BERT_TASK_TOKENS
                      : binary                  ? BERT_TASK_BINARY
                                                : BERT_TASK_MULTICLASS);
}

bert_status bert_head_of_dataset(bert_head_spec *head, const bert_dataset *dataset, bert_err *err)
{
    static bert_status (*const READ[])(bert_head_spec *, const bert_dataset *, bert_err *) = {
        [LABEL_CLASS] = read_class, [LABEL_CLASSES] = read_classes, [LABEL_NUMBER] = read_numbers, [LABEL_TAGS] = read_tags
    };
    const task *t = head->task == BERT_TASK_AUTO ? task_of_labels(dataset) : task_by_id((bert_task)head->task);
    if (!t)
        return fail(err, BERT_ERR_ARGUMENT, "task %d is none of bert_task", head->task);
    if (t->form == ROW_APART && !dataset->pairs)
        return fail(err, BERT_ERR_DATA, "task %s needs two texts a row", t->name);
    bert_head_spec found = *head;
    found.task = (int)t->id;
    label_rules rules;
    bert_status s = check_form(&found, dataset, t->label, err);
    if (s)
        return s;
    s = label_rules_create(&rules, t, NULL, 0, err);
    for (size_t i = 0; !s && i < dataset->n; i++)
        s = label_rules_check(&rules, dataset, i, err);
    label_rules_free(&rules);
    if (!s)
        s = READ[t->label](&found, dataset, err);
    if (!s)
        s = t->check_labels(found.labels, found.n_labels, err);
    if (!s)
        s = check_scale(&found, t, err);
    if (!s)
        *head = found;
    return s;
}

/* ---- the model -------------------------------------------------------------------------------------------------------------- */

static bert_status check(const bert_layer_spec *spec, const bert_head_spec *head, const task *t, bert_err *err)
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
    if (!s && head->head_hidden && !t->outputs(head->n_labels))
        s = fail(err, BERT_ERR_ARGUMENT, "task %s has no head: head_hidden must be 0", t->name);
    if (!s)
        s = task_check_pooling(t, spec->pooling, err);
    if (!s)
        s = t->check_labels(head->labels, head->n_labels, err);
    return s ? s : check_scale(head, t, err);
}

bert_status bert_model_create(const bert_layer_spec *spec, const bert_head_spec *head, uint64_t seed, bert_model **model, bert_err *err)
{
    *model = NULL;
    const task *t = task_by_id((bert_task)head->task);
    bert_layer_spec layer = *spec;
    if (t && layer.pooling == BERT_POOLING_AUTO)
        layer.pooling = t->pooling;
    bert_module *module = NULL;
    bert_status s = check(&layer, head, t, err);
    if (!s)
        s = bert_module_open(spec->module, &module, err);
    if (s)
        return s;
    bool scaled = t->label == LABEL_NUMBER;
    head_spec made = { .task = t->id,
                       .outputs = t->outputs(head->n_labels),
                       .hidden = (size_t)head->head_hidden,
                       .labels = head->labels,
                       .n_labels = head->n_labels,
                       .label_min = scaled ? head->label_min : 0,
                       .label_max = scaled ? head->label_max : 0,
                       .threshold = t->threshold ? 0.5 : 0 };
    return model_create(module, &layer, &made, seed, model, err);
}
