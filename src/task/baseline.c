/* Always the same answer: outcomes like a model's, measured like a model's. */
#include "task/baseline.h"

#include "base/buffer.h"
#include "task/label_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the answer, for each kind of label: scores (columns) and its words ------------------------------------------------------- */

static bert_status answer_class(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    const bert_model *m = o->model;
    size_t best = 0, *counts = calloc(m->n_labels, sizeof *counts);
    if (!counts)
        return fail_memory(err, "a baseline");
    for (size_t i = 0; i < o->n; i++)
        counts[o->truth->ids[i]]++;
    for (size_t k = 1; k < m->n_labels; k++)
        best = counts[k] > counts[best] ? k : best;
    free(counts);
    scores[best] = 1;
    buffer_printf(words, "\"%s\"", m->labels[best]);
    return BERT_OK;
}

typedef struct label_set {
    const float *values;
    size_t width;
} label_set;

static int compare_sets(const void *a, const void *b)
{
    const label_set *x = a, *y = b;
    for (size_t k = 0; k < x->width; k++)
        if (x->values[k] != y->values[k])
            return x->values[k] < y->values[k] ? -1 : 1;
    return 0;
}

static bert_status answer_classes(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    size_t width = o->truth->width, best = 0, most = 0;
    label_set *sets = calloc(o->n, sizeof *sets);
    if (!sets)
        return fail_memory(err, "a baseline");
    for (size_t i = 0; i < o->n; i++)
        sets[i] = (label_set){ o->truth->values + i * width, width };
    qsort(sets, o->n, sizeof *sets, compare_sets);
    for (size_t i = 0, first = 0; i < o->n; i++) {
        first = compare_sets(&sets[first], &sets[i]) ? i : first;
        if (i - first + 1 > most) {
            most = i - first + 1;
            best = first;
        }
    }
    for (size_t k = 0, n = 0; k < width; k++)
        if (sets[best].values[k] > 0) {
            scores[k] = 1;
            buffer_printf(words, "%s\"%s\"", n++ ? ", " : "", o->model->labels[k]);
        }
    if (!words->size)
        buffer_string(words, "no label");
    free(sets);
    return BERT_OK;
}

static bert_status answer_number(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    double sum = 0;
    (void)err;
    for (size_t i = 0; i < o->n; i++)
        sum += outcome_truth(o, i);
    scores[0] = (float)(sum / (double)o->n);
    buffer_printf(words, "the mean, %.4g", (double)scores[0]);
    return BERT_OK;
}

/* Nothing is found; where all words have to have a type, the most frequent tag. */
static bert_status answer_tag(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    for (size_t k = 0; k < o->columns; k++)
        if (tag_is_outside(o->model->labels[k])) {
            scores[k] = 1;
            buffer_string(words, "\"O\"");
            return BERT_OK;
        }
    return answer_class(o, scores, words, err);
}

/* ---- the baseline --------------------------------------------------------------------------------------------------------------- */

/* The same scores for every row, and their losses. */
static bert_status say_always(outcomes *o, buffer *words, bert_err *err)
{
    static bert_status (*const ANSWER[])(const outcomes *, float *, buffer *, bert_err *) = {
        [LABEL_CLASS] = answer_class, [LABEL_CLASSES] = answer_classes, [LABEL_NUMBER] = answer_number, [LABEL_TAGS] = answer_tag
    };
    if (!o->n)
        return BERT_OK;
    memset(o->scores, 0, o->columns * sizeof *o->scores);
    bert_status s = ANSWER[o->task->label](o, o->scores, words, err);
    for (size_t i = 1; !s && i < o->n; i++)
        memcpy(o->scores + i * o->columns, o->scores, o->columns * sizeof *o->scores);
    o->unseen = 0;
    return s ? s : outcomes_losses(o, 0, o->n, err);
}

/* As many bytes as there is room for, and no character cut. */
static void copy_words(char *to, size_t size, const char *words)
{
    size_t n = strlen(words);
    if (n >= size)
        for (n = size - 1; n && ((unsigned char)words[n] & 0xc0) == 0x80; n--) {
        }
    memcpy(to, words, n);
    to[n] = 0;
}

bert_status baseline_create(bert_baseline *b, const bert_model *m, const task *t, const targets *truth, bert_err *err)
{
    outcomes o;
    buffer words = { 0 };
    *b = (bert_baseline){ .metrics = metrics_unknown() };
    bert_status s = outcomes_create(&o, m, t, truth, err);
    if (s)
        return s;
    s = say_always(&o, &words, err);
    if (!s)
        s = outcomes_metrics(&o, 0.5, &b->metrics, err);
    if (!s && words.failed)
        s = fail_memory(err, "a baseline");
    if (!s)
        copy_words(b->answer, sizeof b->answer, words.data ? words.data : "");
    b->metrics.loss = t->label == LABEL_NUMBER ? b->metrics.loss : NAN; /* that of a certain answer says nothing */
    buffer_free(&words);
    outcomes_free(&o);
    return s;
}

void baseline_compare(bert_baseline *b, const bert_metrics *metrics, const bert_metric *by)
{
    double value = bert_metric_value(metrics, by), least = bert_metric_value(&b->metrics, by);
    if (isnan(least))
        least = by->larger_better ? 0 : INFINITY;
    b->note[0] = 0;
    if (by->larger_better ? value > least : value < least)
        return;
    if (isnan(value))
        snprintf(b->note, sizeof b->note, "%s has no value here: the model answers as if it were always %s", by->name, b->answer);
    else
        snprintf(b->note, sizeof b->note, "%s %.4g is no better than always answering %s (%.4g)", by->name, value, b->answer, least);
}
