/* Labels to numbers, a function for each kind of label; and those of a batch. */
#include "task/targets.h"

#include "base/size.h"
#include "task/label_rows.h"

#include <string.h>

/* ---- of a data set ---------------------------------------------------------------------------------------------------------- */

/* Each reads rows that label_rules_check found to suit. */
static bool read_class(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)m;
    t->ids = arena_array(&t->memory, d->n, sizeof *t->ids);
    for (size_t i = 0; t->ids && i < d->n; i++)
        t->ids[i] = label_place(&r->known, d->label_texts[i]);
    return t->ids;
}

static bool read_classes(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    size_t size;
    t->width = m->n_labels;
    t->values = mul_size(d->n, t->width, &size) ? arena_array(&t->memory, size, sizeof *t->values) : NULL;
    for (size_t i = 0; t->values && i < d->n; i++) {
        bert_text label;
        for (size_t at = 0; label_next(d->label_texts[i], &at, &label);)
            t->values[i * t->width + (size_t)label_place(&r->known, label)] = 1;
    }
    return t->values;
}

static bool read_numbers(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)r;
    double number = 0;
    t->width = 1;
    t->values = arena_array(&t->memory, d->n, sizeof *t->values);
    for (size_t i = 0; t->values && i < d->n; i++) {
        label_number(d->label_texts[i], &number);
        t->values[i] = (float)((number - m->label_min) / (m->label_max - m->label_min));
    }
    return t->values;
}

static size_t count_tags(bert_text tags)
{
    size_t n = 0;
    bert_text tag;
    for (size_t at = 0; tag_next(tags, &at, &tag);)
        n++;
    return n;
}

static bool read_tags(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)m;
    t->start = arena_array(&t->memory, d->n + 1, sizeof *t->start);
    for (size_t i = 0; t->start && i < d->n; i++)
        t->start[i + 1] = t->start[i] + count_tags(d->label_texts[i]);
    t->ids = t->start ? arena_array(&t->memory, t->start[d->n], sizeof *t->ids) : NULL;
    for (size_t i = 0; t->ids && i < d->n; i++) {
        bert_text tag;
        int32_t *id = t->ids + t->start[i];
        for (size_t at = 0; tag_next(d->label_texts[i], &at, &tag); id++)
            *id = label_place(&r->known, tag);
    }
    return t->ids;
}

bert_status targets_create(targets *t, const task *kind, const bert_model *model, const bert_dataset *d, bert_err *err)
{
    static bool (*const READ[])(targets *, const label_rules *, const bert_model *, const bert_dataset *) = {
        [LABEL_CLASS] = read_class, [LABEL_CLASSES] = read_classes, [LABEL_NUMBER] = read_numbers, [LABEL_TAGS] = read_tags
    };
    label_rules rules;
    *t = (targets){ .n = d->n };
    bert_status s = label_rules_create(&rules, kind, model->labels, model->n_labels, err);
    for (size_t i = 0; !s && i < d->n; i++)
        s = label_rules_check(&rules, d, i, err);
    if (!s && !READ[kind->label](t, &rules, model, d))
        s = fail_memory(err, "labels");
    label_rules_free(&rules);
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
