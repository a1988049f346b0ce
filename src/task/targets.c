/* Labels to numbers, and those of a batch. */
#include "task/targets.h"

#include "task/label_rows.h"

#include <string.h>

/* ---- of a data set ----------------------------------------------------------------------------------------------- */

bert_status targets_create(targets *t, const task *of, const bert_model *model, const bert_dataset *d, bert_err *err)
{
    label_rules rules;
    *t = (targets){ .n = d->n };
    bert_status s = label_rules_create(&rules, of, model->labels, model->n_labels, err);
    for (size_t i = 0; !s && i < d->n; i++)
        s = label_rules_check(&rules, d, i, err);
    if (!s && !of->kind->read(t, &rules, model, d))
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

void targets_count_labels(const targets *t, size_t n_labels, size_t *counts)
{
    size_t n = t->start ? t->start[t->n] : t->n;
    memset(counts, 0, n_labels * sizeof *counts);
    for (size_t i = 0; t->ids && i < n; i++)
        counts[t->ids[i]]++;
    for (size_t i = 0; !t->ids && i < n * n_labels; i++)
        counts[i % n_labels] += t->values[i] != 0;
}

/* ---- of a batch -------------------------------------------------------------------------------------------------- */

size_t targets_of_row(const targets *t, const token_rows *tokens, size_t row)
{
    if (!t->start)
        return 1;
    size_t n = 0;
    for (size_t k = tokens->start[row]; k < tokens->start[row + 1]; k++)
        n += tokens->words[k] >= 0;
    return n;
}

/* The words of the rows that have a token; others were cut off, or hold nothing but what the tokeniser drops. */
static bert_status targets_gather_words(const targets *t, const token_rows *tokens, const uint32_t *rows, size_t n,
                                        target_rows *out, arena *a, bert_err *err)
{
    size_t most = 0, first = 0;
    for (size_t i = 0; i < n; i++)
        most += targets_of_row(t, tokens, rows[i]);
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

bert_status targets_gather(const targets *t, const token_rows *tokens, const uint32_t *rows, size_t n, target_rows *out,
                           arena *a, bert_err *err)
{
    *out = (target_rows){ .width = t->width };
    if (t->start)
        return targets_gather_words(t, tokens, rows, n, out, a, err);
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
