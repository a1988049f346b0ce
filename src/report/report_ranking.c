/* Scores in order. */
#include "report/report_ranking.h"

#include <math.h>
#include <stdlib.h>

bool ranking_of_column(page *p, ranking *r, size_t k)
{
    scored *items = page_array(p, p->r->outcomes->n, sizeof *items);
    if (items)
        *r = outcomes_ranking(p->r->outcomes, k, items);
    return items;
}

bool ranking_of_decisions(page *p, ranking *r)
{
    const outcomes *o = p->r->outcomes;
    const label_kind *kind = o->task->kind;
    size_t n = kind->decisions ? kind->decisions(o) : 0;
    scored *items = page_array(p, n, sizeof *items);
    if (!n || !items)
        return false;
    for (size_t i = 0; i < n; i++) {
        decision d = kind->decide(o, i);
        items[i] = (scored){ d.score, d.actual };
    }
    *r = ranking_of(items, n);
    return true;
}

bool ranking_of_confidence(page *p, ranking *r)
{
    const outcomes *o = p->r->outcomes;
    scored *items = page_array(p, o->n, sizeof *items);
    for (size_t i = 0; items && i < o->n; i++)
        items[i] = outcome_scored(o, i, outcome_label(o, i, p->r->threshold));
    if (items)
        *r = ranking_of(items, o->n);
    return items;
}

double ranking_average_precision(const ranking *r)
{
    double sum = 0, above = 0;
    for (size_t i = 0, j; i < r->n; i = j) {
        double hits = 0;
        for (j = i; j < r->n && r->items[j].score == r->items[i].score; j++)
            hits += r->items[j].truth;
        above += hits;
        sum += hits * above / (double)j;
    }
    return r->positives ? sum / (double)r->positives : NAN;
}

size_t ranking_above(const ranking *r, double least, size_t *true_ones)
{
    size_t i = 0;
    for (*true_ones = 0; i < r->n && (double)r->items[i].score >= least; i++)
        *true_ones += r->items[i].truth;
    return i;
}
