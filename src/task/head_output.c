/* Losses and scores: rows with their weights over the losses of ops/loss. */
#include "task/head_output.h"

#include "ops/loss.h"
#include "task/head.h"

#include <float.h>
#include <math.h>

static double head_output_weight_of(const loss_spec *spec, size_t label)
{
    return spec && spec->class_weights ? spec->class_weights[label] : 1;
}

static double smoothing_of(const loss_spec *spec)
{
    return spec ? spec->smoothing : 0;
}

/* A target of 0 or 1, smoothed. */
static double soft(double target, const loss_spec *spec)
{
    double smoothing = smoothing_of(spec);
    return (1 - smoothing) * target + smoothing / 2;
}

static double keep_loss(float *losses, size_t i, double loss)
{
    if (losses)
        losses[i] = (float)loss;
    return loss;
}

static double pair_loss(double sum, float *dlogits, float *losses, const float *logits, const target_rows *y,
                        const loss_spec *spec, float scale, size_t K)
{
    (void)K;
    for (size_t i = 0; i < y->n; i++) {
        double weight = head_output_weight_of(spec, (size_t)y->ids[i]), target = soft(y->ids[i], spec);
        sum += keep_loss(
            losses, i,
            weight * loss_sigmoid_cross_entropy(dlogits ? &dlogits[i] : NULL, logits[i], target, weight * scale));
    }
    return sum;
}

static double softmax_loss(double sum, float *dlogits, float *losses, const float *logits, const target_rows *y,
                           const loss_spec *spec, float scale, size_t K)
{
    double smoothing = smoothing_of(spec);
    for (size_t i = 0; i < y->n; i++) {
        size_t label = (size_t)y->ids[i];
        double weight = head_output_weight_of(spec, label);
        float *d = dlogits ? dlogits + i * K : NULL;
        sum += keep_loss(losses, i,
                         weight * loss_softmax_cross_entropy(d, logits + i * K, label, smoothing, weight * scale, K));
    }
    return sum;
}

static double sigmoids_loss(double sum, float *dlogits, float *losses, const float *logits, const target_rows *y,
                            const loss_spec *spec, float scale, size_t K)
{
    for (size_t i = 0; i < y->n; i++) {
        double row = 0;
        for (size_t k = 0; k < K; k++) {
            size_t at = i * K + k;
            double weight = head_output_weight_of(spec, k) / (double)K, target = soft(y->values[at], spec);
            row += weight *
                   loss_sigmoid_cross_entropy(dlogits ? &dlogits[at] : NULL, logits[at], target, weight * scale);
        }
        sum += keep_loss(losses, i, row);
    }
    return sum;
}

static double number_loss(double sum, float *dlogits, float *losses, const float *logits, const target_rows *y,
                          const loss_spec *spec, float scale, size_t K)
{
    (void)spec, (void)K;
    for (size_t i = 0; i < y->n; i++)
        sum += keep_loss(losses, i,
                         loss_squared_error(dlogits ? dlogits + i : NULL, logits + i, y->values + i, scale, 1));
    return sum;
}

static void head_output_pair_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K)
{
    (void)m, (void)K;
    for (size_t i = 0; i < n; i++) {
        float p;
        sigmoid(&p, &logits[i], 1);
        scores[2 * i] = 1 - p;
        scores[2 * i + 1] = p;
    }
}

static void head_output_softmax_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K)
{
    (void)m;
    softmax(scores, logits, n, K);
}

static void sigmoids_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K)
{
    (void)m;
    sigmoid(scores, logits, n * K);
}

static void head_output_number_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K)
{
    (void)K;
    for (size_t i = 0; i < n; i++)
        scores[i] = (float)model_in_unit(m, logits[i]);
}

/* A probability of 0 has the logarithm of the least step above it that a float near 1 can take, as in scikit-learn's
 * log_loss. */
static double log_of(double p)
{
    return log(p > (double)FLT_EPSILON ? p : (double)FLT_EPSILON);
}

static void pair_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K)
{
    (void)m, (void)K;
    for (size_t i = 0; i < n; i++)
        logits[i] = (float)(log_of(scores[2 * i + 1]) - log_of(scores[2 * i]));
}

static void softmax_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K)
{
    (void)m;
    for (size_t i = 0; i < n * K; i++)
        logits[i] = (float)log_of(scores[i]);
}

static void sigmoids_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K)
{
    (void)m;
    for (size_t i = 0; i < n * K; i++)
        logits[i] = (float)(log_of(scores[i]) - log_of(1 - (double)scores[i]));
}

static void number_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K)
{
    (void)K;
    for (size_t i = 0; i < n; i++)
        logits[i] = (float)((scores[i] - m->label_min) / (m->label_max - m->label_min));
}

const head_output OUTPUT_PAIR = { true, 1, 0, pair_loss, head_output_pair_scores, pair_logits };
const head_output OUTPUT_SOFTMAX = { false, 0, 0, softmax_loss, head_output_softmax_scores, softmax_logits };
const head_output OUTPUT_SIGMOIDS = { true, 0, 0, sigmoids_loss, sigmoids_scores, sigmoids_logits };
const head_output OUTPUT_NUMBER = { false, 1, 1, number_loss, head_output_number_scores, number_logits };
