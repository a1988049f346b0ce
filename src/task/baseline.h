/* What is reached by saying of every row what is said most: a model that does no better has learned nothing of use. */
#pragma once

#include "task/outcomes.h"

/* Of these rows: the most frequent label or set of labels, the mean of numbers, O for words. Fails with
 * BERT_ERR_MEMORY. */
bert_status baseline_create(bert_baseline *b, const bert_model *m, const task *t, const targets *truth, bert_err *err);

/* Fills the note for metrics of the same rows: empty where they are better by the metric. A correlation, which a
 * constant does not have, is 0. */
void baseline_compare(bert_baseline *b, const bert_metrics *metrics, const bert_metric *by);

/* Says so in words where a loss is not below that of an answer. */
void baseline_compare_loss(double loss, double least, const char *answer, char *words, size_t size);
