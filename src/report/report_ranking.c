/* Scores in order. */
#include "report/report_ranking.h"

#include <math.h>
#include <stdlib.h>

static int from_highest(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

static void finish(ranking *r)
{
    r->positives = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (isnan(r->items[i].score)) /* has no place in an order */
            r->items[i].score = 0;
        r->positives += r->items[i].truth;
    }
    qsort(r->items, r->n, sizeof *r->items, from_highest);
}

bool ranking_of_column(page *p, ranking *r, size_t k)
{
    const outcomes *o = p->r->outcomes;
    *r = (ranking){ page_array(p, o->n, sizeof *r->items), o->n, 0 };
    if (!r->items)
        return false;
    for (size_t i = 0; i < o->n; i++)
        r->items[i] = (scored){ o->scores[i * o->columns + k], outcome_truly(o, i, k) };
    finish(r);
    return true;
}

bool ranking_of_decisions(page *p, ranking *r)
{
    const outcomes *o = p->r->outcomes;
    const label_kind *kind = o->task->kind;
    size_t n = kind->decisions ? kind->decisions(o) : 0;
    *r = (ranking){ page_array(p, n, sizeof *r->items), n, 0 };
    if (!n || !r->items)
        return false;
    for (size_t i = 0; i < n; i++) {
        decision d = kind->decide(o, i);
        r->items[i] = (scored){ d.score, d.actual };
    }
    finish(r);
    return true;
}

bool ranking_of_confidence(page *p, ranking *r)
{
    const outcomes *o = p->r->outcomes;
    *r = (ranking){ page_array(p, o->n, sizeof *r->items), o->n, 0 };
    if (!r->items)
        return false;
    for (size_t i = 0; i < o->n; i++) {
        size_t k = outcome_label(o, i, p->r->threshold);
        r->items[i] = (scored){ o->scores[i * o->columns + k], outcome_truly(o, i, k) };
    }
    finish(r);
    return true;
}

double ranking_auc(const ranking *r)
{
    double negatives = (double)(r->n - r->positives), area = 0, above = 0;
    for (size_t i = 0, j; i < r->n; i = j) { /* a run of equal scores at a time */
        double hits = 0, misses = 0;
        for (j = i; j < r->n && r->items[j].score == r->items[i].score; j++)
            r->items[j].truth ? hits++ : misses++;
        area += misses * (above + hits / 2);
        above += hits;
    }
    return r->positives && negatives > 0 ? area / (negatives * (double)r->positives) : NAN;
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
