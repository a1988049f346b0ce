/* One of the labels. */
#include "task/one_label.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool one_label_right_logits(const float *logits, const target_rows *y, size_t i, size_t K)
{
    return (K == 1 ? logits[0] >= 0 : best_label(logits, K)) == (size_t)y->ids[i];
}

void one_label_compare_training(const targets *y, const bert_model *m, const struct loss_spec *loss,
                                const bert_metrics *of, char *words, size_t size)
{
    (void)loss;
    size_t most = 0, all = 0, *counts = calloc(m->n_labels, sizeof *counts);
    if (!counts)
        return;
    targets_count_labels(y, m->n_labels, counts);
    for (size_t k = 0; k < m->n_labels; k++) {
        most = counts[k] > counts[most] ? k : most;
        all += counts[k];
    }
    double share = all ? (double)counts[most] / (double)all : 0;
    free(counts);
    if (of->accuracy <= share)
        snprintf(words, size, "training accuracy %.4g is no better than always answering \"%.100s\" (%.4g)",
                 of->accuracy, m->labels[most], share);
}

double one_label_wrong(const outcomes *o, size_t i, double threshold)
{
    return outcome_label(o, i, threshold) == (size_t)o->truth->ids[i] ? NAN : outcome_loss(o, i);
}

bert_status one_label_always(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    const bert_model *m = o->model;
    size_t best = 0, *counts = calloc(m->n_labels, sizeof *counts);
    if (!counts)
        return fail_memory(err, "a baseline");
    targets_count_labels(o->truth, m->n_labels, counts);
    for (size_t k = 1; k < m->n_labels; k++)
        best = counts[k] > counts[best] ? k : best;
    free(counts);
    scores[best] = 1;
    buffer_printf(words, "\"%s\"", m->labels[best]);
    return BERT_OK;
}

void one_label_true_words(buffer *b, const outcomes *o, size_t row)
{
    outcome_span s = outcomes_of_row(o, row);
    for (size_t i = s.first; i < s.last; i++)
        buffer_printf(b, "%s%s", i > s.first ? " " : "", o->model->labels[o->truth->ids[i]]);
}

void one_label_predicted_words(buffer *b, const outcomes *o, size_t row, double threshold)
{
    outcome_span s = outcomes_of_row(o, row);
    for (size_t i = s.first; i < s.last; i++)
        buffer_printf(b, "%s%s", i > s.first ? " " : "", o->model->labels[outcome_label(o, i, threshold)]);
}
