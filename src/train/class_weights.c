/* Weights of the labels. */
#include "train/class_weights.h"

#include "base/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bert_status balance(float *weights, size_t n_labels, const targets *y, arena *a, bert_err *err)
{
    size_t *counts = arena_array(a, n_labels, sizeof *counts), n = 0;
    if (!counts)
        return fail_memory(err, "class weights");
    targets_count_labels(y, n_labels, counts);
    for (size_t k = 0; k < n_labels; k++)
        n += counts[k];
    for (size_t k = 0; k < n_labels; k++)
        weights[k] = counts[k] ? (float)((double)n / ((double)n_labels * (double)counts[k])) : 1;
    return BERT_OK;
}

/* One "label=number" of `size` bytes. A label may hold '=': the last one counts. */
static bert_status parse_one(const char *text, size_t size, const label_index *known, float *weights, arena *a,
                             bert_err *err)
{
    double x;
    char *word = arena_copy(a, text, size);
    char *equals = word ? strrchr(word, '=') : NULL;
    if (!word)
        return fail_memory(err, "class weights");
    if (!equals)
        return fail(err, BERT_ERR_ARGUMENT, "--class-weights: \"%s\" is neither balanced nor LABEL=NUMBER", word);
    *equals = 0;
    if (!number_read(equals + 1, &x) || !isfinite(x) || x < 0)
        return fail(err, BERT_ERR_ARGUMENT, "--class-weights: \"%s\" of label \"%s\" is no number from 0", equals + 1,
                    word);
    int32_t k = label_place(known, (bert_text){ word, strlen(word) });
    if (k < 0)
        return fail(err, BERT_ERR_ARGUMENT, "--class-weights: the model has no label \"%s\"", word);
    weights[k] = (float)x;
    return BERT_OK;
}

bert_status class_weights_parse(const char *text, const bert_model *m, const task *t, const targets *y, float **weights,
                                arena *a, bert_err *err)
{
    *weights = NULL;
    if (!text)
        return BERT_OK;
    if (t->kind->numeric)
        return fail(err, BERT_ERR_ARGUMENT, "--class-weights: task %s has no labels", t->name);
    float *w = arena_array(a, m->n_labels, sizeof *w);
    if (!w)
        return fail_memory(err, "class weights");
    *weights = w;
    if (!strcmp(text, "balanced"))
        return balance(w, m->n_labels, y, a, err);
    for (size_t k = 0; k < m->n_labels; k++)
        w[k] = 1;
    label_index known;
    bert_status s = label_index_create(&known, m->labels, m->n_labels, err);
    for (const char *p = text; !s && *p;) {
        size_t n = strcspn(p, ",");
        s = parse_one(p, n, &known, w, a, err);
        p += n + (p[n] == ',');
    }
    label_index_free(&known);
    return s;
}
