/* The cosine of two vectors that stand side by side: a head without weights. */
#pragma once

#include <stddef.h>

/* cosines (n) from x (2 n, H) */
void cosine_forward(float *cosines, const float *x, size_t n, size_t H);
/* dx (2 n, H), assigned, from dcosines (n) */
void cosine_backward(float *dx, const float *dcosines, const float *x, size_t n, size_t H);
