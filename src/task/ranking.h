/* Measures of order and of linear relation: ranks, ROC AUC, Pearson's and Spearman's correlation. */
#ifndef TASK_RANKING_H
#define TASK_RANKING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ranked {
    double value;
    size_t row;
} ranked;

/* ranks (n): 1 for the least value; equal ones share the mean of their places. values may be ranks. scratch: (n) */
void midranks(double *ranks, const double *values, size_t n, ranked *scratch);

/* The probability that a positive row has a higher score than a negative one, equals counting half (Mann-Whitney), from
 * the scores' ranks. NaN where all rows are positive, or none. */
double auc_of_ranks(const double *ranks, const bool *positive, size_t n);

/* NaN where x or y is constant. */
double pearson(const double *x, const double *y, size_t n);

#endif
