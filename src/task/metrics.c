/* Metrics of a classifier. */
#include "task/metrics.h"

#include <stdlib.h>

bert_status metrics_begin(metrics_count *m, size_t n_labels, bert_err *err)
{
    *m = (metrics_count){ .n_labels = n_labels, .counts = calloc(n_labels * n_labels, sizeof *m->counts) };
    return m->counts ? BERT_OK : fail_memory(err, "metrics");
}

void metrics_free(metrics_count *m)
{
    free(m->counts);
    *m = (metrics_count){ 0 };
}

size_t best_label(const float *scores, size_t n)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

void metrics_add(metrics_count *m, const float *scores, const int32_t *labels, size_t n, double loss)
{
    for (size_t i = 0; i < n; i++) {
        size_t predicted = best_label(scores + i * m->n_labels, m->n_labels);
        m->counts[(size_t)labels[i] * m->n_labels + predicted]++;
        m->correct += predicted == (size_t)labels[i];
    }
    m->n += n;
    m->loss += loss;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

bert_metrics metrics_result(const metrics_count *m, bool binary)
{
    bert_metrics r = { .loss = ratio(m->loss, (double)m->n), .accuracy = ratio((double)m->correct, (double)m->n), .n = m->n };
    size_t first = binary ? 1 : 0;
    double labels = (double)(m->n_labels - first);
    for (size_t k = first; k < m->n_labels; k++) {
        double hit = (double)m->counts[k * m->n_labels + k], truly = 0, predicted = 0;
        for (size_t j = 0; j < m->n_labels; j++) {
            truly += (double)m->counts[k * m->n_labels + j];
            predicted += (double)m->counts[j * m->n_labels + k];
        }
        double precision = ratio(hit, predicted), recall = ratio(hit, truly);
        r.precision += precision / labels;
        r.recall += recall / labels;
        r.f1 += ratio(2 * precision * recall, precision + recall) / labels;
    }
    return r;
}
