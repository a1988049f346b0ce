/* Ratios of counts. */
#include "task/counts.h"

#include <math.h>

static double counts_ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

prf prf_of(hits h)
{
    return (prf){ counts_ratio(h.right, h.predicted), counts_ratio(h.right, h.actual),
                  counts_ratio(2 * h.right, h.predicted + h.actual) };
}

static void add_hits(hits *to, hits by)
{
    to->right += by.right;
    to->predicted += by.predicted;
    to->actual += by.actual;
}

static void add_ratios(prf *to, prf by, double sign)
{
    to->precision += sign * by.precision;
    to->recall += sign * by.recall;
    to->f1 += sign * by.f1;
}

static bool is_seen(hits h)
{
    return h.predicted > 0 || h.actual > 0;
}

void counts_change(counts *c, size_t label, hits by)
{
    c->seen -= is_seen(c->labels[label]);
    add_ratios(&c->sum, prf_of(c->labels[label]), -1);
    add_hits(&c->labels[label], by);
    add_hits(&c->all, by);
    add_ratios(&c->sum, prf_of(c->labels[label]), 1);
    c->seen += is_seen(c->labels[label]);
}

void counts_sum(counts *c)
{
    c->all = (hits){ 0 };
    c->sum = (prf){ 0 };
    c->seen = 0;
    for (size_t k = 0; k < c->n_labels; k++) {
        add_hits(&c->all, c->labels[k]);
        add_ratios(&c->sum, prf_of(c->labels[k]), 1);
        c->seen += is_seen(c->labels[k]);
    }
}

void counts_report(const counts *c, size_t labels, bert_metrics *m)
{
    prf micro = prf_of(c->all);
    double n = (double)labels, seen = (double)c->seen;
    m->labels = labels;
    m->labels_seen = c->seen;
    m->accuracy = counts_ratio((double)c->right, (double)c->n);
    m->precision_micro = micro.precision;
    m->recall_micro = micro.recall;
    m->f1_micro = micro.f1;
    m->precision = m->precision_macro = counts_ratio(c->sum.precision, n);
    m->recall = m->recall_macro = counts_ratio(c->sum.recall, n);
    m->f1 = m->f1_macro = counts_ratio(c->sum.f1, n);
    m->precision_macro_seen = counts_ratio(c->sum.precision, seen);
    m->recall_macro_seen = counts_ratio(c->sum.recall, seen);
    m->f1_macro_seen = counts_ratio(c->sum.f1, seen);
}

double counts_correlation(const counts *c)
{
    double n = (double)c->n, both = 0, predicted = 0, actual = 0;
    for (size_t k = 0; k < c->n_labels; k++) {
        both += c->labels[k].predicted * c->labels[k].actual;
        predicted += c->labels[k].predicted * c->labels[k].predicted;
        actual += c->labels[k].actual * c->labels[k].actual;
    }
    return counts_ratio((double)c->right * n - both, sqrt(n * n - predicted) * sqrt(n * n - actual));
}

void counts_metrics(const counts *c, const task *t, bert_metrics *m)
{
    counts_report(c, c->n_labels, m);
    if (!(t->kind->metrics & METRIC_CORRELATION))
        return;
    m->mcc = counts_correlation(c);
    if (t->output->threshold) {
        prf positive = prf_of(c->labels[1]);
        m->precision = positive.precision;
        m->recall = positive.recall;
        m->f1 = positive.f1;
    }
}
