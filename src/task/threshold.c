/* The best threshold: the scores from the highest down become a yes one after the other, and the counts follow. */
#include "task/counts.h"
#include "task/outcomes.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct sweep {
    const outcomes *o;
    const bert_metric *metric;
    decision *decisions; /* (n) from the highest score down */
    size_t n;
    size_t *wrong; /* (o->n) decisions of a row that are wrong so far */
    bool pairs;    /* a row has one decision: its no says the first label */
    counts c;
    double best, threshold;
} sweep;

static int threshold_compare(const void *left, const void *right)
{
    const decision *a = left, *b = right;
    return (a->score < b->score) - (a->score > b->score);
}

/* The metrics that follow from counts stand side by side in bert_metrics. */
static bool by_threshold(const bert_metric *m)
{
    return m->offset >= offsetof(bert_metrics, accuracy) && m->offset <= offsetof(bert_metrics, mcc);
}

static const bert_metric *metric_of(const outcomes *o, const bert_metric *wanted)
{
    if (wanted && by_threshold(wanted) && task_has_metric(o->task, wanted))
        return wanted;
    return metric_by_name(o->task->kind->decided);
}

/* ---- counts while no decision, then ever more, are a yes --------------------------------------------------------- */

static void say_no(sweep *s)
{
    s->o->task->kind->count(s->o, INFINITY, &s->c);
    for (size_t i = 0; i < s->n; i++)
        s->wrong[s->decisions[i].row] += s->decisions[i].actual;
}

static void say_yes(sweep *s, const decision *d)
{
    counts_change(&s->c, d->label, (hits){ .right = d->actual, .predicted = 1 });
    if (s->pairs)
        counts_change(&s->c, 0, (hits){ .right = -(double)!d->actual, .predicted = -1 });
    s->c.right -= !s->wrong[d->row];
    s->wrong[d->row] += d->actual ? (size_t)-1 : 1;
    s->c.right += !s->wrong[d->row];
}

/* ---- the search -------------------------------------------------------------------------------------------------- */

/* Every threshold above `low` and up to `high` decides as the counts are now. The one that is tried stands well apart
 * from both scores. */
static void consider(sweep *s, double low, double high)
{
    const double close = 1e-9; /* sums that were kept through many changes are equal but for roundings */
    double at = low < 0.5 && high >= 0.5 ? 0.5 : model_number((low + high) / 2);
    if (!(at > low && at <= high))
        return;
    bert_metrics m = { 0 };
    counts_metrics(&s->c, s->o->task, &m);
    double value = bert_metric_value(&m, s->metric), more = value - s->best;
    bool nearer = fabs(at - 0.5) < fabs(s->threshold - 0.5);
    if (isnan(s->best) || more > close || (more > -close && nearer)) {
        s->best = value;
        s->threshold = at;
    }
}

static void sweep_run(sweep *s)
{
    qsort(s->decisions, s->n, sizeof *s->decisions, threshold_compare);
    counts_sum(&s->c);
    s->best = NAN;
    s->threshold = 0.5;
    if (s->n && s->decisions[0].score < 1)
        consider(s, s->decisions[0].score, 1);
    for (size_t i = 0; i < s->n;) {
        float score = s->decisions[i].score;
        for (; i < s->n && s->decisions[i].score == score; i++)
            say_yes(s, &s->decisions[i]);
        consider(s, i < s->n ? s->decisions[i].score : 0, score);
    }
}

bert_status outcomes_threshold(const outcomes *o, const bert_metric *metric, double *threshold, bert_err *err)
{
    *threshold = 0.5;
    if (!o->task->output->threshold)
        return BERT_OK;
    arena a = { 0 };
    const label_kind *kind = o->task->kind;
    sweep s = { .o = o, .metric = metric_of(o, metric), .n = kind->decisions(o) };
    s.pairs = s.n == o->n;
    s.decisions = arena_array(&a, s.n, sizeof *s.decisions);
    s.wrong = arena_array(&a, o->n, sizeof *s.wrong);
    s.c = (counts){ .labels = arena_array(&a, o->columns, sizeof *s.c.labels), .n_labels = o->columns, .n = o->n };
    bert_status status = s.decisions && s.wrong && s.c.labels ? BERT_OK : fail_memory(err, "a threshold");
    if (!status) {
        for (size_t i = 0; i < s.n; i++)
            s.decisions[i] = kind->decide(o, i);
        say_no(&s);
        sweep_run(&s);
        *threshold = s.threshold;
    }
    arena_free(&a);
    return status;
}
