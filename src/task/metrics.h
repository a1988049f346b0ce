/* Metrics of a classifier, from scores and labels. */
#ifndef TASK_METRICS_H
#define TASK_METRICS_H

#include "base/error.h"

#include <stdbool.h>

/* What has been seen so far. All zero before the first row; counts is freed by metrics_free. */
typedef struct metrics_count {
    size_t n, correct, n_labels;
    double loss;    /* sum */
    size_t *counts; /* (n_labels, n_labels): true label, predicted label */
} metrics_count;

bert_status metrics_begin(metrics_count *m, size_t n_labels, bert_err *err);
void metrics_free(metrics_count *m);

/* scores (n, n_labels), labels (n); the label of the largest score is predicted, the first of equals. loss: the sum over these rows. */
void metrics_add(metrics_count *m, const float *scores, const int32_t *labels, size_t n, double loss);

/* Binary (two labels named 0 and 1, by `binary`): precision, recall and F1 of label 1; else their means over the labels. A ratio whose
 * denominator is zero counts as 0, as in scikit-learn. */
bert_metrics metrics_result(const metrics_count *m, bool binary);

/* The index of the largest of n scores, the first of equals. */
size_t best_label(const float *scores, size_t n);

#endif
