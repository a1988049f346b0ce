/* Losses over logits, in double, and their gradients. Small: a batch has (n, K) logits.
 * Each returns the loss and, where the gradient is not NULL, assigns the gradient of (loss * scale) to it. */
#pragma once

#include <stddef.h>

/* Binary cross-entropy of sigmoid(logit): softplus(logit) - target logit. target: from 0 to 1. */
double loss_sigmoid_cross_entropy(float *dlogit, float logit, double target, double scale);
/* Cross-entropy of softmax(logits) with (1 - smoothing) onehot(target) + smoothing / K.   logits, dlogits: (K) */
double loss_softmax_cross_entropy(float *dlogits, const float *logits, size_t target, double smoothing, double scale,
                                  size_t K);
/* Sum of (output - target)^2.   outputs, targets, doutputs: (n) */
double loss_squared_error(float *doutputs, const float *outputs, const float *targets, float scale, size_t n);

/* y (n) = 1 / (1 + exp(-x)); y may be x. Computed in double, rounded once. */
void sigmoid(float *y, const float *x, size_t n);
/* Row-wise softmax, (n, K); y may be x. */
void softmax(float *y, const float *x, size_t n, size_t K);
