/* The list of metrics, and how outcomes become them. */
#include "task/outcomes.h"

#include "base/size.h"
#include "task/counts.h"
#include "task/label_words.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* clang-format off */
#define LIST_OF_METRICS(ROW)                                                                    \
    /*  field            larger is better  group */                                             \
    ROW(loss,            false,            METRIC_LOSS)                                                 \
    ROW(accuracy,        true,             METRIC_COUNTS)                                               \
    ROW(precision,       true,             METRIC_COUNTS)                                               \
    ROW(recall,          true,             METRIC_COUNTS)                                               \
    ROW(f1,              true,             METRIC_COUNTS)                                               \
    ROW(precision_micro, true,             METRIC_COUNTS)                                               \
    ROW(recall_micro,    true,             METRIC_COUNTS)                                               \
    ROW(f1_micro,        true,             METRIC_COUNTS)                                               \
    ROW(precision_macro, true,             METRIC_COUNTS)                                               \
    ROW(recall_macro,    true,             METRIC_COUNTS)                                               \
    ROW(f1_macro,        true,             METRIC_COUNTS)                                               \
    ROW(precision_macro_seen, true,        METRIC_COUNTS)                                               \
    ROW(recall_macro_seen, true,           METRIC_COUNTS)                                               \
    ROW(f1_macro_seen,   true,             METRIC_COUNTS)                                               \
    ROW(mcc,             true,             METRIC_CORRELATION)                                                 \
    ROW(auc,             true,             METRIC_AREA)                                               \
    ROW(pearson,         true,             METRIC_NUMBERS)                                             \
    ROW(spearman,        true,             METRIC_NUMBERS)                                             \
    ROW(mse,             false,            METRIC_NUMBERS)
#define METRIC(field, larger, group) { #field, offsetof(bert_metrics, field), larger },
#define GROUP(field, larger, group) group,
/* clang-format on */

static const bert_metric METRICS[] = { LIST_OF_METRICS(METRIC) };
static const unsigned char GROUPS[] = { LIST_OF_METRICS(GROUP) };
enum { N_METRICS = sizeof METRICS / sizeof *METRICS };

const bert_metric *bert_metric_table(size_t *n)
{
    *n = N_METRICS;
    return METRICS;
}

double bert_metric_value(const bert_metrics *metrics, const bert_metric *metric)
{
    return *(const double *)(const void *)((const char *)metrics + metric->offset);
}

const bert_metric *metric_by_name(const char *name)
{
    for (int i = 0; i < N_METRICS; i++)
        if (!strcmp(METRICS[i].name, name))
            return &METRICS[i];
    return NULL;
}

bool task_has_metric(const task *t, const bert_metric *metric)
{
    return GROUPS[metric - METRICS] & t->kind->metrics;
}

/* Every word as if it had been cut off. */
static void expect_nothing(outcomes *o)
{
    size_t outside = 0;
    for (size_t k = 0; k < o->columns; k++)
        outside = tag_is_outside(o->model->labels[k]) ? k : outside;
    for (size_t i = 0; i < o->n; i++)
        o->scores[i * o->columns + outside] = 1;
    o->unseen = o->n;
}

bert_status outcomes_create(outcomes *o, const bert_model *m, const task *t, const targets *truth, bert_err *err)
{
    size_t cells;
    *o = (outcomes){ .model = m, .task = t, .truth = truth, .n = truth->n, .columns = task_columns(t, m) };
    if (truth->start)
        o->n = truth->start[truth->n];
    o->scores = mul_size(o->n, o->columns, &cells) ? arena_array(&o->memory, cells, sizeof *o->scores) : NULL;
    o->losses = arena_array(&o->memory, o->n, sizeof *o->losses);
    if (!o->scores || !o->losses) {
        outcomes_free(o);
        return fail_memory(err, "scores");
    }
    if (truth->start)
        expect_nothing(o);
    return BERT_OK;
}

bert_status outcomes_losses(outcomes *o, size_t first, size_t n, bert_err *err)
{
    size_t K = task_width(o->model);
    const targets *t = o->truth;
    arena a = { 0 };
    float *logits = arena_array(&a, n * K, sizeof *logits); /* no overflow: there are as many scores */
    const target_rows y = { .n = n,
                            .ids = t->ids ? t->ids + first : NULL,
                            .values = t->values ? t->values + first * t->width : NULL,
                            .width = t->width };
    if (logits) {
        o->task->output->logits(o->model, logits, o->scores + first * o->columns, n, K);
        o->task->output->loss(0, NULL, o->losses + first, logits, &y, NULL, 1, K);
    }
    arena_free(&a);
    return logits ? BERT_OK : fail_memory(err, "scores");
}

void outcomes_free(outcomes *o)
{
    arena_free(&o->memory);
    *o = (outcomes){ 0 };
}

outcome_span outcomes_of_row(const outcomes *o, size_t row)
{
    const size_t *start = o->truth->start;
    return start ? (outcome_span){ start[row], start[row + 1] } : (outcome_span){ row, row + 1 };
}

size_t outcome_label(const outcomes *o, size_t i, double threshold)
{
    return label_of_scores(o->task, o->model, o->scores + i * o->columns, threshold);
}

bool outcome_truly(const outcomes *o, size_t i, size_t label)
{
    const targets *t = o->truth;
    return t->ids ? t->ids[i] == (int32_t)label : t->values[i * t->width + label] > 0;
}

scored outcome_scored(const outcomes *o, size_t i, size_t label)
{
    return (scored){ o->scores[i * o->columns + label], outcome_truly(o, i, label) };
}

ranking outcomes_ranking(const outcomes *o, size_t label, scored *items)
{
    for (size_t i = 0; i < o->n; i++)
        items[i] = outcome_scored(o, i, label);
    return ranking_of(items, o->n);
}

double outcome_truth(const outcomes *o, size_t i)
{
    return model_in_unit(o->model, o->truth->values[i]);
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

/* The mean over the labels of one against the rest; of two labels that exclude each other it is that of either. NaN
 * where a label has no row, or all. */
static bert_status area(const outcomes *o, double *out, arena *a, bert_err *err)
{
    scored *items = arena_array(a, o->n, sizeof *items);
    double sum = 0;
    if (!items)
        return fail_memory(err, "metrics");
    size_t from = o->columns - task_width(o->model); /* a pair's first column has no output of its own */
    for (size_t k = from; k < o->columns; k++) {
        ranking r = outcomes_ranking(o, k, items);
        sum += ranking_auc(&r);
    }
    *out = sum / (double)(o->columns - from);
    return BERT_OK;
}

bert_status outcomes_measure_labels(const outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err)
{
    counts c = { .labels = arena_array(a, o->columns, sizeof *c.labels), .n_labels = o->columns, .n = o->n };
    if (!c.labels)
        return fail_memory(err, "metrics");
    o->task->kind->count(o, threshold, &c);
    counts_sum(&c);
    counts_metrics(&c, o->task, m);
    return area(o, &m->auc, a, err);
}

static double mean_loss(const outcomes *o)
{
    double sum = 0;
    for (size_t i = 0; i < o->n; i++)
        sum += o->losses[i];
    return o->n > o->unseen ? sum / (double)(o->n - o->unseen) : 0;
}

bert_metrics metrics_unknown(void)
{
    bert_metrics m = { 0 };
    for (int i = 0; i < N_METRICS; i++)
        *(double *)(void *)((char *)&m + METRICS[i].offset) = NAN;
    return m;
}

bert_status outcomes_metrics(const outcomes *o, double threshold, bert_metrics *metrics, bert_err *err)
{
    arena a = { 0 };
    bert_metrics m = metrics_unknown();
    m.n = o->n;
    m.loss = mean_loss(o);
    bert_status s = o->task->kind->measure(o, threshold, &m, &a, err);
    if (!s)
        *metrics = m;
    arena_free(&a);
    return s;
}
