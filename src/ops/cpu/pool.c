/* One vector of each sequence. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"
#include "ops/cpu/vec.h"

/* What the sum over T rows is multiplied by. */
static float pool_scale(pool_kind kind, size_t T)
{
    return kind == POOL_MEAN ? 1.0f / (float)T : 1.0f / sqrtf((float)T);
}

/* y (C) from x (T, C), columns col .. col + LANES, T > 0 */
static void pool_columns(float *y, const float *x, size_t col, size_t T, size_t C, pool_kind kind)
{
    size_t lanes = lanes_at(col, C);
    vec v = load_lanes(x + col, lanes);
    if (kind == POOL_MAX)
        for (size_t i = 1; i < T; i++)
            v = max_vec(v, load_lanes(x + i * C + col, lanes));
    else if (kind != POOL_FIRST) {
        for (size_t i = 1; i < T; i++)
            v += load_lanes(x + i * C + col, lanes);
        v *= splat(pool_scale(kind, T));
    }
    store_lanes(y + col, v, lanes);
}

/* Threads that all sequences are worth. */
static size_t pool_threads(ragged sequences, size_t C)
{
    size_t n = sequences.n_seq;
    return n ? threads_for((size_t)(sequences.start[n] - sequences.start[0]) * C, n) : 1;
}

/* The arguments of pool_forward. */
typedef struct pool_job {
    float *y;
    const float *x;
    ragged sequences;
    size_t C;
    pool_kind kind;
} pool_job;

static void pool_sequences(const void *job, size_t begin, size_t end)
{
    const pool_job j = *(const pool_job *)job;
    for (size_t s = begin; s < end; s++) {
        size_t first = (size_t)j.sequences.start[s], T = (size_t)j.sequences.start[s + 1] - first;
        for (size_t c = 0; c < j.C; c += LANES)
            pool_columns(j.y + s * j.C, j.x + first * j.C, c, T, j.C, j.kind);
    }
}

void OP(pool_forward)(float *y, const float *x, ragged sequences, size_t C, pool_kind kind)
{
    share(pool_threads(sequences, C), sequences.n_seq, 1, pool_sequences, &(pool_job){ y, x, sequences, C, kind });
}

/* dx (T, C) from dy (C) */
static void spread_rows(float *dx, const float *dy, size_t T, size_t C, pool_kind kind)
{
    vec scale = splat(kind == POOL_FIRST ? 1.0f : pool_scale(kind, T));
    for (size_t i = 0; i < T; i++)
        for (size_t c = 0; c < C; c += LANES) {
            size_t lanes = lanes_at(c, C);
            bool reached = kind != POOL_FIRST || i == 0;
            store_lanes(dx + i * C + c, reached ? load_lanes(dy + c, lanes) * scale : splat(0.0f), lanes);
        }
}

/* dx (T, C) from dy (C): dy at the first row of x (T, C) that is y (C), 0 elsewhere */
static void route_maxima(float *dx, const float *dy, const float *y, const float *x, size_t T, size_t C)
{
    for (size_t c = 0; c < C; c += LANES) {
        size_t lanes = lanes_at(c, C);
        vec most = load_lanes(y + c, lanes), left = load_lanes(dy + c, lanes);
        for (size_t i = 0; i < T; i++) {
            veci here = load_lanes(x + i * C + c, lanes) == most;
            store_lanes(dx + i * C + c, (vec)((veci)left & here), lanes);
            left = (vec)((veci)left & ~here);
        }
    }
}

/* The arguments of pool_backward. */
typedef struct unpool_job {
    float *dx;
    const float *dy, *y, *x;
    ragged sequences;
    size_t C;
    pool_kind kind;
} unpool_job;

static void unpool_sequences(const void *job, size_t begin, size_t end)
{
    const unpool_job j = *(const unpool_job *)job;
    for (size_t s = begin, C = j.C; s < end; s++) {
        size_t first = (size_t)j.sequences.start[s], T = (size_t)j.sequences.start[s + 1] - first;
        if (j.kind == POOL_MAX)
            route_maxima(j.dx + first * C, j.dy + s * C, j.y + s * C, j.x + first * C, T, C);
        else
            spread_rows(j.dx + first * C, j.dy + s * C, T, C, j.kind);
    }
}

void OP(pool_backward)(float *dx, const float *dy, const float *y, const float *x, ragged sequences, size_t C,
                       pool_kind kind)
{
    share(pool_threads(sequences, C), sequences.n_seq, 1, unpool_sequences,
          &(unpool_job){ dx, dy, y, x, sequences, C, kind });
}
