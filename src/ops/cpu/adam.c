/* The optimiser's step, and addition. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/threads.h"
#include "ops/cpu/vec.h"

void OP(adam_step)(float *w, float *m, float *v, float *g, float lr_t, float b1, float b2, float eps, size_t n)
{
    vec keep1 = splat(b1), new1 = splat(1.0f - b1), keep2 = splat(b2), new2 = splat(1.0f - b2);
    int threads = threads_for(4 * n, n / LANES);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = lanes_at(i, n);
        vec gi = load_lanes(g + i, lanes);
        vec mi = fma_vec(new1, gi, keep1 * load_lanes(m + i, lanes));
        vec vi = fma_vec(new2 * gi, gi, keep2 * load_lanes(v + i, lanes));
        store_lanes(m + i, mi, lanes);
        store_lanes(v + i, vi, lanes);
        store_lanes(w + i, load_lanes(w + i, lanes) - splat(lr_t) * mi / (sqrt_vec(vi) + splat(eps)), lanes);
        store_lanes(g + i, splat(0.0f), lanes);
    }
}

void OP(add)(float *y, const float *x, size_t n)
{
    int threads = threads_for(n, n / LANES);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = lanes_at(i, n);
        store_lanes(y + i, load_lanes(y + i, lanes) + load_lanes(x + i, lanes), lanes);
    }
}
