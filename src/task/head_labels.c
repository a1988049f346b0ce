/* What a head spec leaves open comes from a data set. */
#include "task/head_labels.h"

#include "base/options.h"
#include "task/label_rows.h"

#include <math.h>
#include <stdlib.h>

bert_status head_wrong_labels(const bert_head_spec *head, const bert_dataset *d, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s%stask %s: %s", d->name ? d->name : "", d->name ? ": " : "",
                bert_task_name((bert_task)head->task), why);
}

bert_status head_gather_labels(bert_head_spec *head, const bert_dataset *d, label_reader *next, bert_err *err)
{
    word_set set = { 0 };
    bert_status s = labels_gather(d, next, &set, NULL, err);
    if (!s && set.n)
        qsort(set.words, set.n, sizeof *set.words, word_compare); /* nothing is found in it any more */
    const char *const *labels = s ? NULL : dataset_keep_words(d, set.words, set.n);
    if (!s && !labels)
        s = fail_memory(err, "labels");
    if (!s) {
        head->labels = labels;
        head->n_labels = set.n;
    }
    word_set_free(&set);
    return s;
}

bert_status head_check_scale(const bert_head_spec *head, const task *t, bert_err *err)
{
    if (!t->kind->numeric || (head->label_min < head->label_max && isfinite(head->label_max - head->label_min)))
        return BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT, "task %s: label_min %g is not below label_max %g", t->name,
                plain_nan(head->label_min), plain_nan(head->label_max));
}

static bert_status check_form(const bert_head_spec *head, const bert_dataset *d, const task *t, bert_err *err)
{
    if (t->form == ROW_APART && !d->pairs)
        return fail(err, BERT_ERR_DATA, "task %s needs two texts a row", t->name);
    if (!t->kind->whole || d->form == LABELS_WORDS)
        return BERT_OK;
    return head_wrong_labels(head, d,
                             d->form == LABELS_LISTS ? "the labels are lists, as of --task multilabel"
                                                     : "the labels are tags of words, as of --task tokens",
                             err);
}

static bert_status check_rows(const bert_dataset *d, const task *t, bert_err *err)
{
    label_rules rules;
    bert_status s = label_rules_create(&rules, t, NULL, 0, err);
    for (size_t i = 0; !s && i < d->n; i++)
        s = label_rules_check(&rules, d, i, err);
    label_rules_free(&rules);
    return s;
}

bert_status bert_head_of_dataset(bert_head_spec *head, const bert_dataset *dataset, bert_err *err)
{
    const task *t;
    bert_status s = task_of_head(head, dataset, &t, err);
    if (s)
        return s;
    bert_head_spec found = *head;
    found.task = (int)t->id;
    s = check_form(&found, dataset, t, err);
    if (!s)
        s = check_rows(dataset, t, err);
    if (!s)
        s = t->kind->choose(&found, dataset, err);
    if (!s)
        s = t->check_labels(found.labels, found.n_labels, err);
    if (!s)
        s = head_check_scale(&found, t, err);
    if (!s)
        *head = found;
    return s;
}
