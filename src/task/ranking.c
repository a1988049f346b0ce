/* Measures of order. */
#include "task/ranking.h"

#include <math.h>
#include <stdlib.h>

static int ranking_compare(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

void midranks(double *ranks, const double *values, size_t n, ranked *scratch)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = (ranked){ values[i], i };
    qsort(scratch, n, sizeof *scratch, ranking_compare);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && scratch[end].value == scratch[i].value;)
            end++;
        for (size_t k = i; k < end; k++)
            ranks[scratch[k].row] = (double)(i + 1 + end) / 2;
    }
}

static int from_highest(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

ranking ranking_of(scored *items, size_t n)
{
    ranking r = { items, n, 0 };
    for (size_t i = 0; i < n; i++) {
        if (isnan(items[i].score)) /* has no place in an order */
            items[i].score = 0;
        r.positives += items[i].truth;
    }
    qsort(items, n, sizeof *items, from_highest);
    return r;
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

static double ranking_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static bool constant(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return false;
    return true;
}

double pearson(const double *x, const double *y, size_t n)
{
    if (constant(x, n) || constant(y, n)) /* asked exactly: the mean of equals may differ from them by a rounding */
        return NAN;
    double mx = ranking_mean(x, n), my = ranking_mean(y, n), xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return xy / (sqrt(xx) * sqrt(yy));
}
