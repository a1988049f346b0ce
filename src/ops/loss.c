/* Losses over logits, in double. */
#include "ops/loss.h"

#include <math.h>

/* 1 / (1 + exp(-z)), from the side where exp cannot overflow */
static double logistic(double z)
{
    double e = exp(-fabs(z));
    return z >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double loss_sigmoid_cross_entropy(float *dlogit, float logit, double target, double scale)
{
    double z = logit;
    if (dlogit)
        *dlogit = (float)((logistic(z) - target) * scale);
    return (z > 0 ? z : 0) + log1p(exp(-fabs(z))) - target * z;
}

/* The logarithm of the sum of exp over a row of K. */
static double log_sum_exp(const float *x, size_t K)
{
    double most = x[0], total = 0;
    for (size_t k = 1; k < K; k++)
        most = x[k] > most ? x[k] : most;
    for (size_t k = 0; k < K; k++)
        total += exp(x[k] - most);
    return most + log(total);
}

double loss_softmax_cross_entropy(float *dlogits, const float *logits, size_t target, double smoothing, double scale,
                                  size_t K)
{
    double lse = log_sum_exp(logits, K), loss = lse - (1 - smoothing) * logits[target];
    for (size_t k = 0; k < K && smoothing > 0; k++)
        loss -= smoothing / (double)K * logits[k];
    for (size_t k = 0; dlogits && k < K; k++) {
        double wanted = (k == target ? 1 - smoothing : 0) + smoothing / (double)K;
        dlogits[k] = (float)((exp(logits[k] - lse) - wanted) * scale);
    }
    return loss;
}

double loss_squared_error(float *doutputs, const float *outputs, const float *targets, float scale, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)outputs[i] - targets[i];
        total += d * d;
        if (doutputs)
            doutputs[i] = (float)(2 * d * scale);
    }
    return total;
}

void sigmoid(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (float)logistic(x[i]);
}

void softmax(float *y, const float *x, size_t n, size_t K)
{
    for (size_t i = 0; i < n; i++) {
        double lse = log_sum_exp(x + i * K, K);
        for (size_t k = 0; k < K; k++)
            y[i * K + k] = (float)exp(x[i * K + k] - lse);
    }
}
