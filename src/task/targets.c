/* Labels to numbers, a function for each kind of label; and those of a batch. */
#include "task/targets.h"

#include "base/size.h"
#include "data/labels.h"
#include "task/label_words.h"
#include "text/words.h"

#include <string.h>

/* ---- of a data set ---------------------------------------------------------------------------------------------------------- */

static bert_status read_class(targets *t, const bert_model *m, const bert_dataset *d, bert_err *err)
{
    t->ids = arena_array(&t->memory, d->n, sizeof *t->ids);
    return t->ids ? dataset_label_ids(d, m->labels, m->n_labels, t->ids, err) : fail_memory(err, "labels");
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

static bert_status read_classes(targets *t, const bert_model *m, const bert_dataset *d, bert_err *err)
{
    size_t size;
    label_index known;
    bert_status s = label_index_create(&known, m->labels, m->n_labels, err);
    t->width = m->n_labels;
    t->values = mul_size(d->n, t->width, &size) ? arena_array(&t->memory, size, sizeof *t->values) : NULL;
    if (!s && !t->values)
        s = fail_memory(err, "labels");
    for (size_t i = 0; !s && i < d->n; i++) {
        bert_text label;
        for (size_t at = 0; !s && label_next(d->label_texts[i], &at, &label);) {
            int32_t k = label_place(&known, label);
            if (k >= 0 && t->values[i * t->width + (size_t)k] > 0)
                s = label_twice(d, i, label, err);
            else if (k < 0)
                s = label.size ? label_unknown(d, i, label, m->labels, m->n_labels, err) : label_empty(d, i, "a label beside a comma", err);
            else
                t->values[i * t->width + (size_t)k] = 1;
        }
    }
    label_index_free(&known);
    return s;
}

static bert_status read_numbers(targets *t, const bert_model *m, const bert_dataset *d, bert_err *err)
{
    char place[DATASET_PLACE];
    double number;
    t->width = 1;
    t->values = arena_array(&t->memory, d->n, sizeof *t->values);
    if (!t->values)
        return fail_memory(err, "labels");
    for (size_t i = 0; i < d->n; i++) {
        if (!label_number(d->label_texts[i], &number))
            return fail(err, BERT_ERR_DATA, "%s: label \"%.100s\" is no number", dataset_place(d, i, place), d->label_texts[i].data);
        t->values[i] = (float)((number - m->label_min) / (m->label_max - m->label_min));
    }
    return BERT_OK;
}

static size_t count_tags(bert_text tags)
{
    size_t n = 0;
    bert_text tag;
    for (size_t at = 0; tag_next(tags, &at, &tag);)
        n++;
    return n;
}

static bert_status read_tags(targets *t, const bert_model *m, const bert_dataset *d, bert_err *err)
{
    label_index known;
    bert_status s = label_index_create(&known, m->labels, m->n_labels, err);
    t->start = arena_array(&t->memory, d->n + 1, sizeof *t->start);
    for (size_t i = 0; !s && t->start && i < d->n; i++) {
        t->start[i + 1] = t->start[i] + count_tags(d->label_texts[i]);
        s = tags_check_count(d, i, t->start[i + 1] - t->start[i], err);
    }
    t->ids = t->start ? arena_array(&t->memory, t->start[d->n], sizeof *t->ids) : NULL;
    if (!s && !t->ids)
        s = fail_memory(err, "labels");
    for (size_t i = 0; !s && i < d->n; i++) {
        bert_text tag;
        int32_t *id = t->ids + t->start[i];
        for (size_t at = 0; !s && tag_next(d->label_texts[i], &at, &tag); id++)
            if ((*id = label_place(&known, tag)) < 0)
                s = tag_unknown(d, i, (size_t)(id - t->ids) - t->start[i], tag, m->labels, m->n_labels, err);
    }
    label_index_free(&known);
    return s;
}

/* A second text of blanks alone is none: the cosine with it would say nothing of the first. */
static bert_status check_pairs(const bert_dataset *d, const task *kind, bert_err *err)
{
    char place[DATASET_PLACE];
    for (size_t i = 0; i < d->n; i++)
        if (!d->pairs || text_blank(d->pairs[i]))
            return fail(err, BERT_ERR_DATA, "%s: task %s needs two texts", dataset_place(d, i, place), kind->name);
    return BERT_OK;
}

bert_status targets_create(targets *t, const task *kind, const bert_model *model, const bert_dataset *d, bert_err *err)
{
    static bert_status (*const READ[])(targets *, const bert_model *, const bert_dataset *, bert_err *) = {
        [LABEL_CLASS] = read_class, [LABEL_CLASSES] = read_classes, [LABEL_NUMBER] = read_numbers, [LABEL_TAGS] = read_tags
    };
    *t = (targets){ .n = d->n };
    bert_status s = kind->form == ROW_APART ? check_pairs(d, kind, err) : BERT_OK;
    if (!s)
        s = READ[kind->label](t, model, d, err);
    if (s)
        targets_free(t);
    return s;
}

void targets_free(targets *t)
{
    arena_free(&t->memory);
    *t = (targets){ 0 };
}

/* ---- of a batch ------------------------------------------------------------------------------------------------------------- */

/* The words of the rows that have a token; others were cut off, or hold nothing but what the tokeniser drops. */
static bert_status gather_words(const targets *t, const token_rows *tokens, const uint32_t *rows, size_t n, target_rows *out, arena *a,
                                bert_err *err)
{
    size_t most = 0, first = 0;
    for (size_t i = 0; i < n; i++)
        most += t->start[rows[i] + 1] - t->start[rows[i]];
    int32_t *ids = arena_array(a, most, sizeof *ids), *places = arena_array(a, most, sizeof *places);
    size_t *words = arena_array(a, most, sizeof *words);
    if (!ids || !places || !words)
        return fail_memory(err, "a batch's labels");
    for (size_t i = 0; i < n; i++) {
        const int32_t *word = tokens->words + tokens->start[rows[i]];
        size_t length = token_rows_length(tokens, rows[i]);
        for (size_t k = 0; k < length; k++) {
            if (word[k] < 0)
                continue;
            words[out->n] = t->start[rows[i]] + (size_t)word[k];
            ids[out->n] = t->ids[words[out->n]];
            places[out->n++] = (int32_t)(first + k);
        }
        first += length;
    }
    out->ids = ids;
    out->tokens = places;
    out->words = words;
    return BERT_OK;
}

bert_status targets_gather(const targets *t, const token_rows *tokens, const uint32_t *rows, size_t n, target_rows *out, arena *a, bert_err *err)
{
    *out = (target_rows){ .width = t->width };
    if (t->start)
        return gather_words(t, tokens, rows, n, out, a, err);
    int32_t *ids = t->ids ? arena_array(a, n, sizeof *ids) : NULL;
    float *values = t->values ? arena_array(a, n * t->width, sizeof *values) : NULL;
    if ((t->ids && !ids) || (t->values && !values))
        return fail_memory(err, "a batch's labels");
    for (size_t i = 0; ids && i < n; i++)
        ids[i] = t->ids[rows[i]];
    for (size_t i = 0; values && i < n; i++)
        memcpy(values + i * t->width, t->values + rows[i] * t->width, t->width * sizeof *values);
    out->n = n;
    out->ids = ids;
    out->values = values;
    return BERT_OK;
}
