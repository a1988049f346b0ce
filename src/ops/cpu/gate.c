/* Gated activations (Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017; Shazeer, "GLU
 * Variants Improve Transformer", 2020). */
#include "ops/cpu/activate.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"

typedef struct gate_job {
    float *y;
    const float *x, *dy;
    size_t width;
    activation act;
} gate_job;

/* y (rows, width) = act(first half of x) times the second half */
INLINE void gate_loop(const gate_job *j, activation act, size_t begin, size_t end)
{
    size_t width = j->width;
    for (size_t i = begin; i < end; i++) {
        const float *a = j->x + i * 2 * width, *b = a + width;
        for (size_t c = 0; c < width; c += LANES) {
            size_t lanes = lanes_at(c, width);
            vec v = activate(load_lanes(a + c, lanes), act) * load_lanes(b + c, lanes);
            store_lanes(j->y + i * width + c, v, lanes);
        }
    }
}

/* y (rows, 2 width): the gradient by x, which it may be */
INLINE void gate_back_loop(const gate_job *j, activation act, size_t begin, size_t end)
{
    size_t width = j->width;
    for (size_t i = begin; i < end; i++) {
        const float *a = j->x + i * 2 * width, *b = a + width, *dy = j->dy + i * width;
        float *da = j->y + i * 2 * width, *db = da + width;
        for (size_t c = 0; c < width; c += LANES) {
            size_t lanes = lanes_at(c, width);
            vec x = load_lanes(a + c, lanes), gate = load_lanes(b + c, lanes), d = load_lanes(dy + c, lanes);
            vec y = activate(x, act);
            store_lanes(da + c, d * gate * slope(act == ACTIVATION_TANH ? y : x, act), lanes);
            store_lanes(db + c, d * y, lanes);
        }
    }
}

/* One loop per activation, so that none has to choose inside. */
#define GATE(name, act) \
    static void gate_##name(const void *job, size_t begin, size_t end) \
    { \
        gate_loop(job, act, begin, end); \
    } \
    static void gate_back_##name(const void *job, size_t begin, size_t end) \
    { \
        gate_back_loop(job, act, begin, end); \
    }
GATE(none, ACTIVATION_NONE)
GATE(gelu, ACTIVATION_GELU)
GATE(gelu_tanh, ACTIVATION_GELU_TANH)
GATE(relu, ACTIVATION_RELU)
GATE(silu, ACTIVATION_SILU)
GATE(tanh, ACTIVATION_TANH)

static share_stretch *const GATES[][2] = {
    [ACTIVATION_NONE] = { gate_none, gate_back_none },
    [ACTIVATION_GELU] = { gate_gelu, gate_back_gelu },
    [ACTIVATION_GELU_TANH] = { gate_gelu_tanh, gate_back_gelu_tanh },
    [ACTIVATION_RELU] = { gate_relu, gate_back_relu },
    [ACTIVATION_SILU] = { gate_silu, gate_back_silu },
    [ACTIVATION_TANH] = { gate_tanh, gate_back_tanh },
};

void OP(gate_forward)(float *y, const float *x, activation act, size_t width, size_t n)
{
    share(threads_for(2 * n * width, n), n, 1, GATES[act][0], &(gate_job){ y, x, NULL, width, act });
}

void OP(gate_backward)(float *dx, const float *dy, const float *x, activation act, size_t width, size_t n)
{
    share(threads_for(2 * n * width, n), n, 1, GATES[act][1], &(gate_job){ dx, x, dy, width, act });
}
