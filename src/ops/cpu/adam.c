/* The optimiser's step, the sum of squares that clipping needs, and addition. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"
#include "ops/cpu/vec.h"

/* The arguments of adam_step. */
typedef struct adam_job {
    float *w, *m, *v, *g;
    const adam_coefficients *c;
} adam_job;

static void adam_stretch(const void *job, size_t begin, size_t end)
{
    const adam_job *j = job;
    float *w = j->w, *m = j->m, *v = j->v, *g = j->g;
    const adam_coefficients *c = j->c;
    vec keep1 = splat(c->beta_1), new1 = splat(1.0f - c->beta_1), keep2 = splat(c->beta_2),
        new2 = splat(1.0f - c->beta_2);
    vec scale = splat(c->grad_scale), keep = splat(c->keep), rate = splat(c->rate), epsilon = splat(c->epsilon);
    for (size_t i = begin; i < end; i += LANES) {
        size_t lanes = lanes_at(i, end);
        vec gi = scale * load_lanes(g + i, lanes);
        vec mi = fma_vec(new1, gi, keep1 * load_lanes(m + i, lanes));
        vec vi = fma_vec(new2 * gi, gi, keep2 * load_lanes(v + i, lanes));
        store_lanes(m + i, mi, lanes);
        store_lanes(v + i, vi, lanes);
        store_lanes(w + i, keep * load_lanes(w + i, lanes) - rate * mi / (sqrt_vec(vi) + epsilon), lanes);
        store_lanes(g + i, splat(0.0f), lanes);
    }
}

void OP(adam_step)(float *w, float *m, float *v, float *g, const adam_coefficients *c, size_t n)
{
    share(threads_for(4 * n, n / LANES), n, LANES, adam_stretch, &(adam_job){ w, m, v, g, c });
}

/* ---- the sum of squares ------------------------------------------------------------------------------------------ */

/* A tensor is cut into at most PARTS parts, which depend on n alone, each summed in CHAINS interleaved chains: so the
 * order of every addition is the same for any number of threads and any width of vector. The square of a float is exact
 * in double. */
enum { PARTS = 256, CHAINS = 16, DOUBLES = LANES / 2 };
typedef float floats_half __attribute__((vector_size(4 * DOUBLES), aligned(4), may_alias));
typedef double vec_double __attribute__((vector_size(8 * DOUBLES)));

/* sum (CHAINS) += the squares of CHAINS floats */
INLINE void add_squares(vec_double sum[CHAINS / DOUBLES], const float *x)
{
    for (int i = 0; i < CHAINS / DOUBLES; i++) {
        vec_double d = __builtin_convertvector(*(const floats_half *)(x + i * DOUBLES), vec_double);
        sum[i] += d * d;
    }
}

static double part_squares(const float *x, size_t n)
{
    vec_double sum[CHAINS / DOUBLES] = { 0 };
    size_t i = 0;
    for (; n - i >= CHAINS; i += CHAINS)
        add_squares(sum, x + i);
    float rest[CHAINS] = { 0 };
    memcpy(rest, x + i, (n - i) * sizeof *rest);
    add_squares(sum, rest);
    double total = 0;
    for (int c = 0; c < CHAINS; c++)
        total += sum[c / DOUBLES][c % DOUBLES];
    return total;
}

/* Squares of x (n), a sum for each part of so many. */
typedef struct squares_job {
    double *sums;
    const float *x;
    size_t n, part;
} squares_job;

static void sum_parts(const void *job, size_t begin, size_t end)
{
    const squares_job *j = job;
    for (size_t p = begin; p < end; p++)
        j->sums[p] = part_squares(j->x + p * j->part, j->n - p * j->part < j->part ? j->n - p * j->part : j->part);
}

double OP(sum_squares)(const float *x, size_t n)
{
    double sums[PARTS] = { 0 };
    size_t part = (n / PARTS + CHAINS) / CHAINS * CHAINS, parts = (n + part - 1) / part;
    share(threads_for(n, parts), parts, 1, sum_parts, &(squares_job){ sums, x, n, part });
    double total = 0;
    for (size_t p = 0; p < parts; p++)
        total += sums[p];
    return total;
}

/* ---- addition ---------------------------------------------------------------------------------------------------- */

typedef struct add_job {
    float *y;
    const float *x;
} add_job;

static void add_stretch(const void *job, size_t begin, size_t end)
{
    const add_job j = *(const add_job *)job;
    for (size_t i = begin; i < end; i += LANES) {
        size_t lanes = lanes_at(i, end);
        store_lanes(j.y + i, load_lanes(j.y + i, lanes) + load_lanes(j.x + i, lanes), lanes);
    }
}

void OP(add)(float *y, const float *x, size_t n)
{
    share(threads_for(n, n / LANES), n, LANES, add_stretch, &(add_job){ y, x });
}
