/* How often labels (or types of entities) are predicted, are true, and are both: precision, recall, F1 and Matthews
 * correlation. */
#pragma once

#include "task/tasks.h"

/* Of one label. Doubles: their products stay exact where those of integers would overflow. */
typedef struct hits {
    double right, predicted, actual;
} hits;

/* A ratio whose denominator is zero counts as 0, as in scikit-learn. */
typedef struct prf {
    double precision, recall, f1;
} prf;

prf prf_of(hits h);

/* All zero but labels is empty. */
typedef struct counts {
    hits *labels; /* (n_labels) */
    size_t n_labels;
    hits all;     /* their sum */
    prf sum;      /* of the labels' ratios */
    size_t seen;  /* labels that are true or predicted somewhere */
    size_t n;     /* rows */
    size_t right; /* rows that are right as a whole */
} counts;

/* Adds to a label's counts, and keeps the sums. */
void counts_change(counts *c, size_t label, hits by);
/* Forms the sums anew, after labels were counted without them. */
void counts_sum(counts *c);

/* Accuracy, micro means, and macro means over all labels, `labels` many, and over those that are seen; precision,
 * recall and f1 are the macro means over all. */
void counts_report(const counts *c, size_t labels, bert_metrics *m);

/* Gorodkin's R_K of rows that have one label each; of two labels it is Matthews' correlation. 0 where a label is all
 * there is. */
double counts_correlation(const counts *c);

/* All that the counts of rows say for a task; of a pair, precision, recall and F1 are those of the second label. */
void counts_metrics(const counts *c, const task *t, bert_metrics *m);
