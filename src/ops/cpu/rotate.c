/* Rotary positions (Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021), each head's
 * halves side by side. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"
#include "ops/cpu/vec.h"

typedef struct rotate_job {
    float *x;
    size_t ld, heads, half;
    const float *turns;
    const int32_t *places;
    float sign;
} rotate_job;

/* One row of one head: x (2 half) */
INLINE void rotate_head(float *x, const float *cosines, const float *sines, vec sign, size_t half)
{
    for (size_t d = 0; d < half; d += LANES) {
        size_t lanes = lanes_at(d, half);
        vec a = load_lanes(x + d, lanes), b = load_lanes(x + half + d, lanes);
        vec c = load_lanes(cosines + d, lanes), s = load_lanes(sines + d, lanes) * sign;
        store_lanes(x + d, fma_vec(a, c, -(b * s)), lanes);
        store_lanes(x + half + d, fma_vec(b, c, a * s), lanes);
    }
}

static void rotate_rows(const void *job, size_t begin, size_t end)
{
    const rotate_job *j = job;
    vec sign = splat(j->sign);
    for (size_t i = begin; i < end; i++) {
        const float *turn = j->turns + (size_t)j->places[i] * 2 * j->half;
        for (size_t h = 0; h < j->heads; h++)
            rotate_head(j->x + i * j->ld + h * 2 * j->half, turn, turn + j->half, sign, j->half);
    }
}

void OP(rotate)(float *x, size_t ld, size_t heads, size_t D, const float *turns, const int32_t *places, bool back,
                size_t n)
{
    share(threads_for(n * heads * D, n), n, 1, rotate_rows,
          &(rotate_job){ x, ld, heads, D / 2, turns, places, back ? -1.0f : 1.0f });
}
