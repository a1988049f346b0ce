/* Losses over logits, in double. */
#include "ops/loss.h"

#include <math.h>

/* 1 / (1 + exp(-z)), from the side where exp cannot overflow */
static double logistic(double z)
{
    double e = exp(-fabs(z));
    return z >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double loss_sigmoid_cross_entropy(float *dlogits, const float *logits, const float *targets, float scale, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double z = logits[i], t = targets[i];
        total += (z > 0 ? z : 0) + log1p(exp(-fabs(z))) - t * z;
        if (dlogits)
            dlogits[i] = (float)((logistic(z) - t) * scale);
    }
    return total;
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

double loss_softmax_cross_entropy(float *dlogits, const float *logits, const int32_t *targets, float scale, size_t n, size_t K)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * K;
        double lse = log_sum_exp(z, K);
        size_t target = (size_t)targets[i];
        total += lse - z[target];
        for (size_t k = 0; dlogits && k < K; k++)
            dlogits[i * K + k] = (float)((exp(z[k] - lse) - (k == target)) * scale);
    }
    return total;
}

double loss_squared_error(float *dlogits, const float *logits, const float *targets, float scale, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)logits[i] - targets[i];
        total += d * d;
        if (dlogits)
            dlogits[i] = (float)(2 * d * scale);
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
