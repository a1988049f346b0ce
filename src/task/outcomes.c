/* The list of metrics, and how outcomes become them: a function for each kind of label. */
#include "task/outcomes.h"

#include "base/size.h"
#include "task/counts.h"
#include "task/entities.h"
#include "task/label_words.h"
#include "task/ranking.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Which kinds of label have a metric. */
enum {
    ONE = 1 << LABEL_CLASS,
    TEXTS = ONE | 1 << LABEL_CLASSES,
    WORDS = TEXTS | 1 << LABEL_TAGS,
    NUMBERS = 1 << LABEL_NUMBER,
    ALL = WORDS | NUMBERS
};

/* clang-format off */
#define LIST_OF_METRICS(ROW)                                                                    \
    /*  field            larger is better  whose */                                             \
    ROW(loss,            false,            ALL)                                                 \
    ROW(accuracy,        true,             WORDS)                                               \
    ROW(precision,       true,             WORDS)                                               \
    ROW(recall,          true,             WORDS)                                               \
    ROW(f1,              true,             WORDS)                                               \
    ROW(precision_micro, true,             WORDS)                                               \
    ROW(recall_micro,    true,             WORDS)                                               \
    ROW(f1_micro,        true,             WORDS)                                               \
    ROW(precision_macro, true,             WORDS)                                               \
    ROW(recall_macro,    true,             WORDS)                                               \
    ROW(f1_macro,        true,             WORDS)                                               \
    ROW(precision_macro_seen, true,        WORDS)                                               \
    ROW(recall_macro_seen, true,           WORDS)                                               \
    ROW(f1_macro_seen,   true,             WORDS)                                               \
    ROW(mcc,             true,             ONE)                                                 \
    ROW(auc,             true,             TEXTS)                                               \
    ROW(pearson,         true,             NUMBERS)                                             \
    ROW(spearman,        true,             NUMBERS)                                             \
    ROW(mse,             false,            NUMBERS)
#define METRIC(field, larger, whose) { #field, offsetof(bert_metrics, field), larger },
#define KINDS(field, larger, whose) whose,
/* clang-format on */

static const bert_metric METRICS[] = { LIST_OF_METRICS(METRIC) };
static const unsigned char KINDS_OF_METRIC[] = { LIST_OF_METRICS(KINDS) };
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
    return KINDS_OF_METRIC[metric - METRICS] >> t->label & 1;
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
    *o = (outcomes){ .model = m, .task = t, .truth = truth, .n = truth->n, .columns = t->columns(m->n_labels) };
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
    const target_rows y = {
        .n = n, .ids = t->ids ? t->ids + first : NULL, .values = t->values ? t->values + first * t->width : NULL, .width = t->width
    };
    if (logits) {
        o->task->logits(o->model, logits, o->scores + first * o->columns, n, K);
        o->task->loss(NULL, o->losses + first, logits, &y, NULL, 1, K);
    }
    arena_free(&a);
    return logits ? BERT_OK : fail_memory(err, "scores");
}

void outcomes_free(outcomes *o)
{
    arena_free(&o->memory);
    *o = (outcomes){ 0 };
}

size_t outcome_label(const outcomes *o, size_t i, double threshold)
{
    const float *scores = o->scores + i * o->columns;
    return o->task->threshold ? scores[1] >= threshold : best_label(scores, o->columns);
}

/* ---- by label --------------------------------------------------------------------------------------------------------------- */

static bool truly(const outcomes *o, size_t i, size_t label)
{
    const targets *t = o->truth;
    return t->ids ? t->ids[i] == (int32_t)label : t->values[i * t->width + label] > 0;
}

static void count_class(const outcomes *o, double threshold, counts *c)
{
    for (size_t i = 0; i < o->n; i++) {
        size_t predicted = outcome_label(o, i, threshold), actual = (size_t)o->truth->ids[i];
        c->labels[predicted].predicted++;
        c->labels[actual].actual++;
        c->labels[actual].right += predicted == actual;
        c->right += predicted == actual;
    }
}

static void count_classes(const outcomes *o, double threshold, counts *c)
{
    for (size_t i = 0; i < o->n; i++) {
        bool right = true;
        for (size_t k = 0; k < o->columns; k++) {
            bool predicted = o->scores[i * o->columns + k] >= threshold, actual = truly(o, i, k);
            c->labels[k].predicted += predicted;
            c->labels[k].actual += actual;
            c->labels[k].right += predicted && actual;
            right &= predicted == actual;
        }
        c->right += right;
    }
}

/* The mean over the labels of one against the rest; of two labels that exclude each other it is that of either. NaN where a label has no row,
 * or all. */
static bert_status area(const outcomes *o, double *out, arena *a, bert_err *err)
{
    double *ranks = arena_array(a, o->n, sizeof *ranks), sum = 0;
    ranked *scratch = arena_array(a, o->n, sizeof *scratch);
    bool *positive = arena_array(a, o->n, sizeof *positive);
    if (!ranks || !scratch || !positive)
        return fail_memory(err, "metrics");
    size_t from = o->task->id == BERT_TASK_BINARY;
    for (size_t k = from; k < o->columns; k++) {
        for (size_t i = 0; i < o->n; i++) {
            ranks[i] = o->scores[i * o->columns + k];
            positive[i] = truly(o, i, k);
        }
        midranks(ranks, ranks, o->n, scratch);
        sum += auc_of_ranks(ranks, positive, o->n);
    }
    *out = sum / (double)(o->columns - from);
    return BERT_OK;
}

static bert_status class_metrics(const outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err)
{
    counts c = { .labels = arena_array(a, o->columns, sizeof *c.labels), .n_labels = o->columns, .n = o->n };
    if (!c.labels)
        return fail_memory(err, "metrics");
    if (o->task->label == LABEL_CLASSES)
        count_classes(o, threshold, &c);
    else
        count_class(o, threshold, &c);
    counts_sum(&c);
    counts_metrics(&c, o->task, m);
    return area(o, &m->auc, a, err);
}

/* ---- by number -------------------------------------------------------------------------------------------------------------- */

double outcome_truth(const outcomes *o, size_t i)
{
    return model_in_unit(o->model, o->truth->values[i]);
}

static bert_status number_metrics(const outcomes *o, bert_metrics *m, arena *a, bert_err *err)
{
    double *said = arena_array(a, o->n, sizeof *said), *true_values = arena_array(a, o->n, sizeof *true_values), sum = 0;
    ranked *scratch = arena_array(a, o->n, sizeof *scratch);
    if (!said || !true_values || !scratch)
        return fail_memory(err, "metrics");
    for (size_t i = 0; i < o->n; i++) {
        said[i] = o->scores[i];
        true_values[i] = outcome_truth(o, i);
        sum += (said[i] - true_values[i]) * (said[i] - true_values[i]);
    }
    m->mse = sum / (double)o->n;
    m->pearson = pearson(said, true_values, o->n);
    midranks(said, said, o->n, scratch);
    midranks(true_values, true_values, o->n, scratch);
    m->spearman = pearson(said, true_values, o->n);
    return BERT_OK;
}

/* ---- by tag ----------------------------------------------------------------------------------------------------------------- */

static bert_status tag_metrics(const outcomes *o, bert_metrics *m, arena *a, bert_err *err)
{
    size_t types;
    counts c = { .labels = arena_array(a, o->columns, sizeof *c.labels), .n_labels = o->columns, .n = o->n };
    bert_status s = c.labels ? entities_count(o, &c, &types, a, err) : fail_memory(err, "metrics");
    if (s)
        return s;
    for (size_t i = 0; i < o->n; i++)
        c.right += outcome_label(o, i, 0) == (size_t)o->truth->ids[i];
    counts_sum(&c);
    counts_report(&c, types, m);
    m->precision = m->precision_micro;
    m->recall = m->recall_micro;
    m->f1 = m->f1_micro;
    return BERT_OK;
}

/* ----------------------------------------------------------------------------------------------------------------------------- */

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
    bert_status s = o->task->label == LABEL_NUMBER ? number_metrics(o, &m, &a, err)
                    : o->task->label == LABEL_TAGS ? tag_metrics(o, &m, &a, err)
                                                   : class_metrics(o, threshold, &m, &a, err);
    if (!s)
        *metrics = m;
    arena_free(&a);
    return s;
}
