/* Activations of a vector, and their slopes. */
#pragma once

#include "ops/cpu/elementary.h"
#include "ops/ops.h"

INLINE vec activate(vec x, activation act)
{
    switch (act) {
    case ACTIVATION_GELU:
        return gelu_vec(x);
    case ACTIVATION_GELU_TANH: /* 0.5 (1 + tanh u) = sigmoid(2 u) */
        return x * sigmoid_vec(splat(1.5957691216f) * fma_vec(splat(0.044715f) * x * x, x, x));
    case ACTIVATION_RELU:
        return choose(x < splat(0.0f), splat(0.0f), x);
    case ACTIVATION_SILU:
        return x * sigmoid_vec(x);
    case ACTIVATION_TANH:
        return tanh_vec(x);
    case ACTIVATION_NONE:
        break;
    }
    return x;
}

/* act'(x); for TANH x is the activation's output. */
INLINE vec slope(vec x, activation act)
{
    vec one = splat(1.0f), bell, s;
    switch (act) {
    case ACTIVATION_GELU: {
        vec phi = normal_vec(x, &bell);
        return fma_vec(x * splat(0.3989422804f), bell, phi);
    }
    case ACTIVATION_GELU_TANH: {
        vec ds = sigmoid_slope_vec(splat(1.5957691216f) * fma_vec(splat(0.044715f) * x * x, x, x), &s);
        return fma_vec(x * ds, splat(1.5957691216f) * fma_vec(splat(3 * 0.044715f), x * x, one), s);
    }
    case ACTIVATION_RELU:
        return choose(x > splat(0.0f), one, splat(0.0f));
    case ACTIVATION_SILU: {
        vec ds = sigmoid_slope_vec(x, &s);
        return fma_vec(x, ds, s);
    }
    case ACTIVATION_TANH:
        return one - x * x;
    case ACTIVATION_NONE:
        break;
    }
    return one;
}
