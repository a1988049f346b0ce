/* A dense layer with its parameters: y = x W^T + b. The base is multiplied as it lies (plain, packed, or in a frozen
 * file's form); what an adapter adds to it would stand here. */
#pragma once

#include "ops/ops.h"

typedef struct linear {
    dense base; /* in == 0: there is none */
    /* the first entries where several are one matrix: their values and gradients stand side by side */
    const bert_param *weight, *bias;
} linear;

/* y (n, out; ldy) = act(x (n, in; ldx) W^T + b); pre as in dense_forward. */
void linear_forward(const linear *l, const ops *o, ops_room room, float *y, size_t ldy, float *pre, const float *x,
                    size_t ldx, activation act, size_t n);

/* dx (n, in; lddx) = dy (n, out; lddy) W, added to dx where `add`. */
void linear_backward_input(const linear *l, const ops *o, ops_room room, float *dx, size_t lddx, const float *dy,
                           size_t lddy, bool add, size_t n);

/* Adds to the gradients of weight and bias; nothing where it is not tuned. */
void linear_backward_weight(const linear *l, const ops *o, ops_room room, const float *dy, size_t lddy, const float *x,
                            size_t ldx, size_t n);
