/* Whether a row suits a task; and data sets of those rows alone. */
#include "task/label_rows.h"

#include "base/words.h"

#include <stdlib.h>
#include <string.h>

bert_status label_rules_create(label_rules *r, const task *t, const char *const *labels, size_t n_labels, bert_err *err)
{
    *r = (label_rules){ .task = t, .labels = labels, .n_labels = n_labels };
    return label_index_create(&r->known, labels, n_labels, err);
}

void label_rules_free(label_rules *r)
{
    label_index_free(&r->known);
    *r = (label_rules){ 0 };
}

bert_status label_check_known(const label_rules *r, const bert_dataset *d, size_t row, bert_text label, bert_err *err)
{
    if (!r->n_labels || label_place(&r->known, label) >= 0)
        return BERT_OK;
    return label_unknown(d, row, label, r->labels, r->n_labels, err);
}

bert_status label_check_list(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text list = d->label_texts[row];
    char place[DATASET_PLACE];
    if (r->n_labels || list.size < 2 || list.data[0] != '[' || list.data[list.size - 1] != ']')
        return BERT_OK;
    return fail(err, BERT_ERR_DATA,
                "%s: label \"%.*s\" is a list as Python writes it; labels stand with nothing but commas between them "
                "(--task multilabel)",
                dataset_place(d, row, place), (int)(list.size < 100 ? list.size : 100), list.data);
}

/* A second text of blanks alone is none: the cosine with it would say nothing of the first. */
static bert_status check_pair(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    char place[DATASET_PLACE];
    if (r->task->form != ROW_APART || (d->pairs && !text_blank(d->pairs[row])))
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "%s: task %s needs two texts", dataset_place(d, row, place), r->task->name);
}

bert_status label_rules_check(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_status s = check_pair(r, d, row, err);
    return s ? s : r->task->kind->check_row(r, d, row, err);
}

/* ---- data sets of rows that suit --------------------------------------------------------------------------------- */

/* The rows that suit, and the first error of those that do not. */
static bert_status choose_suited_rows(const label_rules *r, const bert_dataset *d, uint32_t *rows, size_t *n,
                                      bert_err *first)
{
    *n = 0;
    for (size_t i = 0; i < d->n; i++) {
        bert_err err;
        bert_status s = label_rules_check(r, d, i, &err);
        if (s && *n == i)
            *first = err;
        if (!s)
            rows[(*n)++] = (uint32_t)i;
        else if (s != BERT_ERR_DATA) {
            *first = err;
            return s;
        }
    }
    return BERT_OK;
}

/* The data set that rows were left out of says what it said, and how many these were. */
static bert_status tell_unsuited(bert_dataset *suited, const bert_dataset *of, const char *first, bert_err *err)
{
    arena *a = &suited->memory;
    size_t out = of->n - suited->n;
    suited->skipped = of->skipped + out;
    suited->notes = arena_array(a, of->n_notes + 1, sizeof *suited->notes);
    for (size_t i = 0; suited->notes && i < of->n_notes; i++)
        if (!(suited->notes[suited->n_notes++] = arena_string(a, of->notes[i])))
            return fail_memory(err, "notes");
    if (suited->notes && out)
        suited->notes[suited->n_notes++] =
            out == 1
                ? arena_printf(a, "a row whose label does not suit was left out (--skip-bad-rows): %s", first)
                : arena_printf(a, "%zu rows whose labels do not suit were left out (--skip-bad-rows); the first: %s",
                               out, first);
    return suited->notes && (!out || suited->notes[suited->n_notes - 1]) ? BERT_OK : fail_memory(err, "notes");
}

bert_status bert_dataset_suited(const bert_dataset *dataset, const bert_head_spec *head, bert_dataset **suited,
                                bert_err *err)
{
    *suited = NULL;
    const task *t;
    bert_status s = task_of_head(head, dataset, &t, err);
    if (s)
        return s;
    label_rules rules;
    bert_err first = { 0 };
    size_t n = 0;
    uint32_t *rows = calloc(dataset->n, sizeof *rows);
    s = rows ? label_rules_create(&rules, t, head->labels, head->n_labels, err)
             : fail_memory(err, "a part of a data set");
    if (!s) {
        s = choose_suited_rows(&rules, dataset, rows, &n, &first);
        label_rules_free(&rules);
        if (s && err)
            *err = first;
    }
    if (!s && !n)
        s = fail(err, BERT_ERR_DATA, "no row suits task %s; the first: %.900s", t->name, first.message);
    if (!s)
        s = dataset_of_rows(dataset, rows, n, suited, err);
    if (!s)
        s = tell_unsuited(*suited, dataset, first.message, err);
    if (s) {
        bert_dataset_free(*suited);
        *suited = NULL;
    }
    free(rows);
    return s;
}
