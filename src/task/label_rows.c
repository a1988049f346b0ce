/* Whether a row suits a task: a function for each kind of label. And data sets of those rows alone. */
#include "task/label_rows.h"

#include "text/words.h"

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

static bert_status check_known(const label_rules *r, const bert_dataset *d, size_t row, bert_text label, bert_err *err)
{
    if (!r->n_labels || label_place(&r->known, label) >= 0)
        return BERT_OK;
    return label_unknown(d, row, label, r->labels, r->n_labels, err);
}

/* Of a model that has such words already, they are labels. */
static bert_status check_list(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text list = d->label_texts[row];
    char place[DATASET_PLACE];
    if (r->n_labels || list.size < 2 || list.data[0] != '[' || list.data[list.size - 1] != ']')
        return BERT_OK;
    return fail(err, BERT_ERR_DATA,
                "%s: label \"%.*s\" is a list as Python writes it; labels stand with nothing but commas between them (--task multilabel)",
                dataset_place(d, row, place), (int)(list.size < 100 ? list.size : 100), list.data);
}

static bert_status check_class(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text label = d->label_texts[row];
    bool list = label.size > 1 && strchr("'\"]0123456789", label.data[1]); /* "[deleted]" is a word */
    bert_status s = list ? check_list(r, d, row, err) : BERT_OK;
    if (s)
        return s;
    return label.size ? check_known(r, d, row, label, err) : label_empty(d, row, "the label", err);
}

/* A list of flags, read as labels, has its labels twice. */
static bert_status label_twice(const bert_dataset *d, size_t row, bert_text label, bert_err *err)
{
    char place[DATASET_PLACE];
    bool flag = label.size == 1 && (label.data[0] == '0' || label.data[0] == '1');
    return fail(err, BERT_ERR_DATA, "%s: label \"%.*s\" is there twice%s", dataset_place(d, row, place),
                (int)(label.size < 100 ? label.size : 100), label.data,
                flag ? "; a list of 0 and 1 for each label needs their names (--label-names)" : "");
}

static bert_status check_classes(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text label;
    bert_status s = check_list(r, d, row, err);
    word_set set = { 0 };
    for (size_t at = 0, n = 0; !s && label_next(d->label_texts[row], &at, &label); n++) {
        s = label.size ? check_known(r, d, row, label, err) : label_empty(d, row, "a label beside a comma", err);
        if (!s && !word_set_add(&set, label))
            s = fail_memory(err, "labels");
        else if (!s && set.n == n)
            s = label_twice(d, row, label, err);
    }
    word_set_free(&set);
    return s;
}

static bert_status check_number(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    char place[DATASET_PLACE];
    double number;
    (void)r;
    if (label_number(d->label_texts[row], &number))
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "%s: label \"%.100s\" is no number", dataset_place(d, row, place), d->label_texts[row].data);
}

static bert_status check_tags(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    char place[DATASET_PLACE];
    size_t n = 0;
    bert_text tag;
    for (size_t at = 0; tag_next(d->label_texts[row], &at, &tag); n++) {
        if (r->n_labels && label_place(&r->known, tag) < 0)
            return tag_unknown(d, row, n, tag, r->labels, r->n_labels, err);
        if (!r->n_labels && !tag_is_one(tag))
            return fail(err, BERT_ERR_DATA, "%s: \"%.*s\" is no tag: O, B-NAME or I-NAME is expected", dataset_word_place(d, row, n, place),
                        (int)(tag.size < 100 ? tag.size : 100), tag.data);
    }
    return tags_check_count(d, row, n, err);
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
    static bert_status (*const CHECK[])(const label_rules *, const bert_dataset *, size_t, bert_err *) = {
        [LABEL_CLASS] = check_class, [LABEL_CLASSES] = check_classes, [LABEL_NUMBER] = check_number, [LABEL_TAGS] = check_tags
    };
    bert_status s = check_pair(r, d, row, err);
    return s ? s : CHECK[r->task->label](r, d, row, err);
}

/* ---- data sets of rows that suit -------------------------------------------------------------------------------------------- */

/* The rows that suit, and the first error of those that do not. */
static bert_status choose_rows(const label_rules *r, const bert_dataset *d, uint32_t *rows, size_t *n, bert_err *first)
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
static bert_status tell(bert_dataset *suited, const bert_dataset *of, const char *first, bert_err *err)
{
    arena *a = &suited->memory;
    size_t out = of->n - suited->n;
    suited->skipped = of->skipped + out;
    suited->notes = arena_array(a, of->n_notes + 1, sizeof *suited->notes);
    for (size_t i = 0; suited->notes && i < of->n_notes; i++)
        if (!(suited->notes[suited->n_notes++] = arena_string(a, of->notes[i])))
            return fail_memory(err, "notes");
    if (suited->notes && out)
        suited->notes[suited->n_notes++] = out == 1
                                               ? arena_printf(a, "a row whose label does not suit was left out (--skip-bad-rows): %s", first)
                                               : arena_printf(a,
                                                              "%zu rows whose labels do not suit were left out (--skip-bad-rows); the "
                                                              "first: %s",
                                                              out, first);
    return suited->notes && (!out || suited->notes[suited->n_notes - 1]) ? BERT_OK : fail_memory(err, "notes");
}

bert_status bert_dataset_suited(const bert_dataset *dataset, const bert_head_spec *head, bert_dataset **suited, bert_err *err)
{
    *suited = NULL;
    const task *t = head->task == BERT_TASK_AUTO ? task_of_labels(dataset) : task_by_id((bert_task)head->task);
    if (!t)
        return fail(err, BERT_ERR_ARGUMENT, "task %d is none of bert_task", head->task);
    label_rules rules;
    bert_err first = { 0 };
    size_t n = 0;
    uint32_t *rows = calloc(dataset->n, sizeof *rows);
    bert_status s = rows ? label_rules_create(&rules, t, head->labels, head->n_labels, err) : fail_memory(err, "a part of a data set");
    if (!s) {
        s = choose_rows(&rules, dataset, rows, &n, &first);
        label_rules_free(&rules);
        if (s && err)
            *err = first;
    }
    if (!s && !n)
        s = fail(err, BERT_ERR_DATA, "no row suits task %s; the first: %.900s", t->name, first.message);
    if (!s)
        s = dataset_of_rows(dataset, rows, n, suited, err);
    if (!s)
        s = tell(*suited, dataset, first.message, err);
    if (s) {
        bert_dataset_free(*suited);
        *suited = NULL;
    }
    free(rows);
    return s;
}
