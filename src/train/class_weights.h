/* The weight of each label in the loss, as the user wrote it. */
#pragma once

#include "task/targets.h"

/* text: "balanced" (rows / (labels * rows of the label), 1 for a label without rows), or "spam=2,ham=0.5", the others
 * 1; NULL: *weights is NULL. weights (n_labels) are the arena's. Fails with BERT_ERR_ARGUMENT: a label that the model
 * has not, no number, a task without labels. */
bert_status class_weights_parse(const char *text, const bert_model *model, const task *t, const targets *y,
                                float **weights, arena *a, bert_err *err);
