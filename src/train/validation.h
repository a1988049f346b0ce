/* How good the weights are at the end of an epoch, and which epoch is the best. */
#pragma once

#include "task/outcomes.h"
#include "train/run.h"

typedef struct verdict {
    bert_metrics metrics; /* of the validation data; without any, of the training data, NaN but for loss and accuracy */
    double threshold;     /* chosen on these outcomes where that is asked for, else the model's */
} verdict;

/* Judges the model's present weights on the validation data of the run. out is freed by outcomes_free. Fails with
 * BERT_ERR_MEMORY. */
bert_status validation_run(const train_run *r, outcomes *out, verdict *v, bert_err *err);

/* The verdict of a run without validation data: means over an epoch. */
verdict verdict_of_training(const train_run *r, double loss, double accuracy);

/* Whether a has the better watched metric, or the same and the lower loss. What is not a number is worse than any. */
bool verdict_better(const verdict *a, const verdict *b, const bert_metric *watch);
