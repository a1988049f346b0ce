/* What a model says of every row of a data set, beside what is true: what metrics, thresholds, reports and tables of
 * predictions are made from. */
#pragma once

#include "task/ranking.h"
#include "task/targets.h"

#include <math.h>

/* All zero is empty. */
typedef struct outcomes {
    arena memory;
    const bert_model *model;
    const task *task;
    const targets *truth; /* the caller's */
    size_t n;             /* rows, or words (truth->start tells whose) */
    size_t unseen;        /* words that were cut off by seq_len, or that have no token */
    size_t columns;
    float *scores; /* (n, columns); an unseen word has score 1 for tag O (or the first tag) */
    float *losses; /* (n) without smoothing or class weights; 0 of an unseen word */
} outcomes;

/* Room for what a model says of all rows of truth, which must outlive it; a word is unseen until somebody says
 * otherwise. Fails with BERT_ERR_MEMORY. */
bert_status outcomes_create(outcomes *o, const bert_model *m, const task *t, const targets *truth, bert_err *err);
void outcomes_free(outcomes *o);

/* The losses of rows first .. first + n - 1 (or words), whose scores are known and their logits are not. Fails with
 * BERT_ERR_MEMORY. */
bert_status outcomes_losses(outcomes *o, size_t first, size_t n, bert_err *err);

/* The outcomes of a data set's row, [first, last): those of its words where words have labels, else the row itself. */
typedef struct outcome_span {
    size_t first, last;
} outcome_span;

outcome_span outcomes_of_row(const outcomes *o, size_t row);

/* The label that is predicted, of labels that exclude each other; a pair's by the threshold. */
size_t outcome_label(const outcomes *o, size_t i, double threshold);
/* Whether outcome i has a label in truth. */
bool outcome_truly(const outcomes *o, size_t i, size_t label);

/* Its score of the label. */
scored outcome_scored(const outcomes *o, size_t i, size_t label);
/* Of all outcomes by that score. items: (n) room */
ranking outcomes_ranking(const outcomes *o, size_t label, scored *items);

/* The loss, 1e30 where it is not finite. */
static inline double outcome_loss(const outcomes *o, size_t i)
{
    return isfinite(o->losses[i]) ? (double)o->losses[i] : 1e30;
}

/* What is true of row i, in the unit of labels that are numbers. */
double outcome_truth(const outcomes *o, size_t i);

/* Metrics of which none is known: all NaN. */
bert_metrics metrics_unknown(void);

/* All that the task has; the rest is NaN. */
bert_status outcomes_metrics(const outcomes *o, double threshold, bert_metrics *metrics, bert_err *err);
/* Of whole rows, from counts of their labels: what kinds that count have as `measure`. */
bert_status outcomes_measure_labels(const outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err);

/* The threshold that is best for a metric that depends on one (else for accuracy, multilabel: f1_micro); of equals the
 * nearest to 0.5. It has nine digits, as model.json holds it. */
bert_status outcomes_threshold(const outcomes *o, const bert_metric *metric, double *threshold, bert_err *err);

/* The metric of that name; NULL: none. */
const bert_metric *metric_by_name(const char *name);
/* Whether the task has it; `metric` is one of the table's. */
bool task_has_metric(const task *t, const bert_metric *metric);

/* Entities of a row of tags as seqeval finds them: [first, last] words and the type, the tag behind "B-" or "I-". tags
 * (n) are places among the labels. Calls found for each, in order. */
void entities_find(const char *const *labels, const int32_t *tags, size_t n,
                   void (*found)(void *context, size_t first, size_t last, const char *type), void *context);
