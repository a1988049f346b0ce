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

double auc_of_ranks(const double *ranks, const bool *positive, size_t n)
{
    double sum = 0, yes = 0;
    for (size_t i = 0; i < n; i++) {
        sum += positive[i] ? ranks[i] : 0;
        yes += positive[i];
    }
    double no = (double)n - yes;
    return yes > 0 && no > 0 ? (sum - yes * (yes + 1) / 2) / (yes * no) : NAN;
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
