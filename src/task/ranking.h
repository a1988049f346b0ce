/* Measures of order and of linear relation: ranks, ROC AUC, Pearson's and Spearman's correlation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct ranked {
    double value;
    size_t row;
} ranked;

/* ranks (n): 1 for the least value; equal ones share the mean of their places. values may be ranks. scratch: (n) */
void midranks(double *ranks, const double *values, size_t n, ranked *scratch);

/* A score, and whether what it says is true. */
typedef struct scored {
    float score;
    bool truth;
} scored;

/* From the highest score down. */
typedef struct ranking {
    scored *items; /* (n) the caller's */
    size_t n, positives;
} ranking;

/* Brings the items into order. */
ranking ranking_of(scored *items, size_t n);

/* Area under the ROC curve: the probability that a true one has a higher score than another, equals counting half
 * (Mann-Whitney). NaN where all are true, or none. */
double ranking_auc(const ranking *r);

/* NaN where x or y is constant. */
double pearson(const double *x, const double *y, size_t n);
