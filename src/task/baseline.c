/* Always the same answer: outcomes like a model's, measured like a model's. */
#include "task/baseline.h"

#include "base/buffer.h"

#include <math.h>
#include <string.h>

/* The same scores for every row, and their losses. */
static bert_status say_always(outcomes *o, buffer *words, bert_err *err)
{
    if (!o->n)
        return BERT_OK;
    memset(o->scores, 0, o->columns * sizeof *o->scores);
    bert_status s = o->task->kind->always(o, o->scores, words, err);
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
    b->metrics.loss = t->kind->numeric ? b->metrics.loss : NAN; /* that of a certain answer says nothing */
    buffer_free(&words);
    outcomes_free(&o);
    return s;
}

void baseline_compare_loss(double loss, double least, const char *answer, char *words, size_t size)
{
    if (!(loss < least))
        snprintf(words, size, "loss %.4g is no better than always answering %s (%.4g)", loss, answer, least);
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
        snprintf(b->note, sizeof b->note, "%s has no value here: the model answers as if it were always %s", by->name,
                 b->answer);
    else
        snprintf(b->note, sizeof b->note, "%s %.4g is no better than always answering %s (%.4g)", by->name, value,
                 b->answer, least);
}
