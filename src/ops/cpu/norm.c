/* Dropout, residual and layer norm in one pass over a row, and their backward. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/mask.h"
#include "ops/cpu/share.h"
#include "ops/cpu/vec.h"

enum {
    CHUNK = 512, /* elements whose dropout factors are made at a time */
    CHAINS = 4,  /* sums under way over a row: one alone would wait for each addition */
    STRIP = 4    /* vectors of columns that are summed over the rows at a time */
};

INLINE vec sum_chains(const vec v[CHAINS])
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

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

/* The arguments of dropout_apply. */
typedef struct dropout_job {
    float *y;
    const float *x;
    const dropout_mask *mask;
    uint64_t first;
} dropout_job;

static void drop_stretch(const void *job, size_t begin, size_t end)
{
    const dropout_job *j = job;
    for (size_t i = begin; i < end; i += CHUNK)
        apply_mask(j->y + i, j->x + i, j->mask, j->first + i, end - i < CHUNK ? end - i : CHUNK);
}

void OP(dropout_apply)(float *y, const float *x, dropout drop, uint64_t first, size_t n)
{
    if (drop.rate <= 0) {
        if (y != x)
            memmove(y, x, n * sizeof *y);
        return;
    }
    dropout_mask m = dropout_start(drop);
    share(threads_for(4 * n, n / CHUNK), n, CHUNK, drop_stretch, &(dropout_job){ y, x, &m, first });
}

/* One vector of a row: x * factor + residual, either NULL: none. */
INLINE vec row_vec(const float *x, const float *factor, const float *residual, size_t c, size_t lanes)
{
    vec v = load_lanes(x + c, lanes);
    if (factor)
        v *= load_lanes(factor + c, lanes);
    return residual ? v + load_lanes(residual + c, lanes) : v;
}

/* s (C) = x * factor + residual, either NULL: none; returns the sum of its elements. s may be x or residual. */
INLINE float norm_add_row(float *s, const float *x, const float *factor, const float *residual, size_t C)
{
    vec total[CHAINS] = { { 0 } };
    size_t c = 0;
    for (; c + CHAINS * LANES <= C; c += CHAINS * LANES)
        for (size_t i = 0; i < CHAINS; i++) {
            vec v = row_vec(x, factor, residual, c + i * LANES, LANES);
            store(s + c + i * LANES, v);
            total[i] += v;
        }
    for (; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec v = row_vec(x, factor, residual, c, lanes);
        store_lanes(s + c, v, lanes);
        total[0] += v;
    }
    return sum_lanes(sum_chains(total));
}

/* One loop for each of what there may be, so that none has to ask inside. */
static float add_residual(float *s, const float *x, const float *factor, const float *residual, size_t C)
{
    if (factor)
        return residual ? norm_add_row(s, x, factor, residual, C) : norm_add_row(s, x, factor, NULL, C);
    return residual ? norm_add_row(s, x, NULL, residual, C) : norm_add_row(s, x, NULL, NULL, C);
}

/* The same with the factors of a mask whose element `first` is the row's first. */
static float add_residual_masked(float *s, const float *x, const float *residual, const dropout_mask *m, uint64_t first,
                                 size_t C)
{
    float room[CHUNK + 2 * MASK_RUN], total = 0;
    for (size_t c = 0; c < C; c += CHUNK) {
        size_t count = C - c < CHUNK ? C - c : CHUNK;
        const float *factor = mask_fill(room, m, first + c, count);
        total += add_residual(s + c, x + c, factor, residual ? residual + c : NULL, count);
    }
    return total;
}

static float sum_squares_about(const float *s, float mean, size_t C)
{
    vec total[CHAINS] = { { 0 } }, m = splat(mean);
    size_t c = 0;
    for (; c + CHAINS * LANES <= C; c += CHAINS * LANES)
        for (size_t i = 0; i < CHAINS; i++) {
            vec d = load(s + c + i * LANES) - m;
            total[i] = fma_vec(d, d, total[i]);
        }
    for (; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec d = keep_lanes(load_lanes(s + c, lanes) - m, lanes, 0.0f);
        total[0] = fma_vec(d, d, total[0]);
    }
    return sum_lanes(sum_chains(total));
}

/* One row, from s whose elements sum to `total`. y may be s; beta NULL: 0. */
INLINE void norm_row_of(float *y, float *mean, float *rstd, const float *s, float total, const float *gamma,
                        const float *beta, float eps, size_t C)
{
    float m = total / (float)C;
    /* Two passes: E[s^2] - m^2 loses all its digits when |m| is large beside the spread. */
    float r = 1.0f / sqrtf(sum_squares_about(s, m, C) / (float)C + eps);
    size_t c = 0;
    for (; c + LANES <= C; c += LANES) {
        vec shift = beta ? load(beta + c) : splat(0.0f);
        store(y + c, fma_vec((load(s + c) - splat(m)) * splat(r), load(gamma + c), shift));
    }
    if (c < C) {
        vec v = (load_part(s + c, C - c) - splat(m)) * splat(r);
        vec shift = beta ? load_part(beta + c, C - c) : splat(0.0f);
        store_part(y + c, fma_vec(v, load_part(gamma + c, C - c), shift), C - c);
    }
    *mean = m;
    *rstd = r;
}

static void norm_row(float *y, float *mean, float *rstd, const float *s, float total, const float *gamma,
                     const float *beta, float eps, size_t C)
{
    if (beta)
        norm_row_of(y, mean, rstd, s, total, gamma, beta, eps, C);
    else
        norm_row_of(y, mean, rstd, s, total, gamma, NULL, eps, C);
}

/* The arguments of layer_norm_forward, and its mask or NULL. */
typedef struct norm_job {
    float *y, *sum, *mean, *rstd;
    const float *x, *residual, *gamma, *beta;
    float eps;
    const dropout_mask *mask;
    size_t C;
} norm_job;

static void norm_rows(const void *job, size_t begin, size_t end)
{
    const norm_job j = *(const norm_job *)job;
    for (size_t i = begin, C = j.C; i < end; i++) {
        const float *xi = j.x + i * C, *ri = j.residual ? j.residual + i * C : NULL;
        float *s = (j.sum ? j.sum : j.y) + i * C, m, r;
        float total = j.mask ? add_residual_masked(s, xi, ri, j.mask, (j.mask->before + i) * C, C)
                             : add_residual(s, xi, NULL, ri, C);
        norm_row(j.y + i * C, j.mean ? j.mean + i : &m, j.rstd ? j.rstd + i : &r, s, total, j.gamma, j.beta, j.eps, C);
    }
}

void OP(layer_norm_forward)(float *y, float *sum, float *mean, float *rstd, const float *x, const float *residual,
                            const float *gamma, const float *beta, float eps, dropout drop, size_t n, size_t C)
{
    dropout_mask mask = dropout_start(drop);
    share(threads_for(4 * n * C, n), n, 1, norm_rows,
          &(norm_job){ y, sum, mean, rstd, x, residual, gamma, beta, eps, drop.rate > 0 ? &mask : NULL, C });
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* ds = rstd * (g - mean(g) - h mean(g h)) with g = dy * gamma, h = (s - mean) * rstd.   One row; ds may be dy. */
static void norm_row_backward(float *ds, const float *dy, const float *s, float mean, float rstd, const float *gamma,
                              size_t C)
{
    vec g_total = splat(0.0f), gh_total = splat(0.0f), m = splat(mean), r = splat(rstd);
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec g = load_lanes(dy + c, lanes) * load_lanes(gamma + c, lanes);
        g_total += g;
        gh_total = fma_vec(g, (load_lanes(s + c, lanes) - m) * r, gh_total);
    }
    vec g_mean = splat(sum_lanes(g_total) / (float)C), gh_mean = splat(sum_lanes(gh_total) / (float)C);
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec g = load_lanes(dy + c, lanes) * load_lanes(gamma + c, lanes), h = (load_lanes(s + c, lanes) - m) * r;
        store_lanes(ds + c, r * (g - g_mean - h * gh_mean), lanes);
    }
}

/* The arguments of layer_norm_backward, and its mask or NULL. */
typedef struct norm_back_job {
    float *dsum, *dx, *dgamma, *dbeta;
    const float *dy, *sum, *mean, *rstd, *gamma;
    const dropout_mask *mask;
    size_t n, C;
} norm_back_job;

/* dgamma += sum of dy * (s - mean) * rstd and dbeta += sum of dy over the rows, for `vectors` vectors of columns from
 * col on, each of so many lanes. */
INLINE void add_norm_columns(const norm_back_job *j, size_t col, const int vectors, size_t lanes)
{
    vec gamma_sum[STRIP], beta_sum[STRIP];
    const float *dy = j->dy + col, *s = j->sum + col;
    UNROLL for (int v = 0; v < vectors; v++) {
        gamma_sum[v] = j->dgamma ? load_lanes(j->dgamma + col + v * LANES, lanes) : splat(0.0f);
        beta_sum[v] = j->dbeta ? load_lanes(j->dbeta + col + v * LANES, lanes) : splat(0.0f);
    }
    for (size_t i = 0; i < j->n; i++, dy += j->C, s += j->C) {
        vec mean = splat(j->mean[i]), rstd = splat(j->rstd[i]);
        UNROLL for (int v = 0; v < vectors; v++) {
            vec d = load_lanes(dy + v * LANES, lanes), h = (load_lanes(s + v * LANES, lanes) - mean) * rstd;
            gamma_sum[v] = fma_vec(d, h, gamma_sum[v]);
            beta_sum[v] += d;
        }
    }
    UNROLL for (int v = 0; v < vectors; v++) {
        if (j->dgamma)
            store_lanes(j->dgamma + col + v * LANES, gamma_sum[v], lanes);
        if (j->dbeta)
            store_lanes(j->dbeta + col + v * LANES, beta_sum[v], lanes);
    }
}

static void back_columns(const void *job, size_t begin, size_t end)
{
    size_t c = begin;
    for (; c + STRIP * LANES <= end; c += STRIP * LANES)
        add_norm_columns(job, c, STRIP, LANES);
    for (; c < end; c += LANES)
        add_norm_columns(job, c, 1, lanes_at(c, end));
}

static void back_rows(const void *job, size_t begin, size_t end)
{
    const norm_back_job j = *(const norm_back_job *)job;
    for (size_t i = begin, C = j.C; i < end; i++) {
        norm_row_backward(j.dsum + i * C, j.dy + i * C, j.sum + i * C, j.mean[i], j.rstd[i], j.gamma, C);
        if (j.dx && j.mask)
            apply_mask(j.dx + i * C, j.dsum + i * C, j.mask, (j.mask->before + i) * C, C);
        else if (j.dx && j.dx != j.dsum)
            memcpy(j.dx + i * C, j.dsum + i * C, C * sizeof *j.dx);
    }
}

void OP(layer_norm_backward)(float *dsum, float *dx, float *dgamma, float *dbeta, const float *dy, const float *sum,
                             const float *mean, const float *rstd, const float *gamma, dropout drop, size_t n, size_t C)
{
    size_t threads = threads_for(n * C, n);
    dropout_mask mask = dropout_start(drop);
    norm_back_job j = { dsum, dx, dgamma, dbeta, dy, sum, mean, rstd, gamma, drop.rate > 0 ? &mask : NULL, n, C };
    if (dgamma || dbeta) /* the columns first: dsum may be dy */
        share(threads, C, LANES, back_columns, &j);
    share(threads, n, 1, back_rows, &j);
}
