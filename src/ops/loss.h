/* Losses over logits, in double, and their gradients. Small: (n, K) values a batch.
 * Each returns the SUM over the n rows of the loss and, where dlogits is not NULL, assigns the gradient of (sum * scale) to it. */
#ifndef OPS_LOSS_H
#define OPS_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* Binary cross-entropy of sigmoid(logit): softplus(z) - target z.   logits, targets, dlogits: (n) */
double loss_sigmoid_cross_entropy(float *dlogits, const float *logits, const float *targets, float scale, size_t n);
/* Cross-entropy of softmax(logits).   logits, dlogits: (n, K); targets: (n) class indices */
double loss_softmax_cross_entropy(float *dlogits, const float *logits, const int32_t *targets, float scale, size_t n, size_t K);
/* (z - target)^2.   (n) */
double loss_squared_error(float *dlogits, const float *logits, const float *targets, float scale, size_t n);

/* y (n) = 1 / (1 + exp(-x)); y may be x. Computed in double, rounded once. */
void sigmoid(float *y, const float *x, size_t n);
/* Row-wise softmax, (n, K); y may be x. */
void softmax(float *y, const float *x, size_t n, size_t K);

#endif
