/* Dropout, residual and layer norm in one pass over a row, and their backward. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/mask.h"
#include "ops/cpu/threads.h"
#include "ops/cpu/vec.h"

enum {
    CHUNK = 512,    /* elements whose dropout factors are made at a time */
    ROWS_TILE = 64, /* rows whose dgamma and dbeta are summed together; fixed, so that the order of the sums is */
    COLUMNS = 256   /* columns of such a sum */
};

/* y = x * factor (first ...), n elements; y may be x. */
static void apply_mask(float *y, const float *x, const dropout_mask *m, uint64_t first, size_t n)
{
    float room[CHUNK + 2 * MASK_RUN];
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t count = n - i < CHUNK ? n - i : CHUNK;
        const float *factor = mask_fill(room, m, first + i, count);
        for (size_t j = 0; j < count; j += LANES) {
            size_t lanes = lanes_at(j, count);
            store_lanes(y + i + j, load_lanes(x + i + j, lanes) * load_lanes(factor + j, lanes), lanes);
        }
    }
}

void OP(dropout_apply)(float *y, const float *x, dropout drop, uint64_t first, size_t n)
{
    if (drop.rate <= 0) {
        if (y != x)
            memmove(y, x, n * sizeof *y);
        return;
    }
    dropout_mask m = dropout_start(drop);
    int threads = threads_for(4 * n, n / CHUNK);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < n; i += CHUNK)
        apply_mask(y + i, x + i, &m, first + i, n - i < CHUNK ? n - i : CHUNK);
}

/* s (C) = x + residual; returns the sum of its elements. s may be x. */
static float add_residual(float *s, const float *x, const float *residual, size_t C)
{
    vec total = splat(0.0f);
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec v = load_lanes(x + c, lanes);
        if (residual)
            v += load_lanes(residual + c, lanes);
        store_lanes(s + c, v, lanes);
        total += v;
    }
    return sum_lanes(total);
}

static float sum_squares_about(const float *s, float mean, size_t C)
{
    vec total = splat(0.0f), m = splat(mean);
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec d = keep_lanes(load_lanes(s + c, lanes) - m, lanes, 0.0f);
        total = fma_vec(d, d, total);
    }
    return sum_lanes(total);
}

/* One row. s may be y, or x. */
static void norm_row(float *y, float *s, float *mean, float *rstd, const float *x, const float *residual, const float *gamma, const float *beta,
                     float eps, size_t C)
{
    float m = add_residual(s, x, residual, C) / (float)C;
    /* Two passes: E[s^2] - m^2 loses all its digits when |m| is large beside the spread. */
    float r = 1.0f / sqrtf(sum_squares_about(s, m, C) / (float)C + eps);
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec v = (load_lanes(s + c, lanes) - splat(m)) * splat(r);
        store_lanes(y + c, fma_vec(v, load_lanes(gamma + c, lanes), load_lanes(beta + c, lanes)), lanes);
    }
    if (mean)
        *mean = m;
    if (rstd)
        *rstd = r;
}
