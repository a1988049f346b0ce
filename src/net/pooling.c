/* Pooling and pooler, forward and backward. */
#include "net/pooling.h"

#include <string.h>

bool pooling_forward(const encoder *e, const output_request *q, const block_pass *p, const float *rows, ragged all,
                     bool reduced, forward_output *out, arena *a)
{
    size_t H = e->hidden, n = q->tokens ? (size_t)all.start[all.n_seq] : all.n_seq;
    out->value = arena_alloc_raw(a, n * H * sizeof(float));
    if (!out->value)
        return false;
    if (q->tokens || reduced)
        memcpy(out->value, rows, n * H * sizeof(float));
    else
        p->ops->pool_forward(out->value, rows, all, H, q->pool);
    if (!q->pooler)
        return true;
    out->first = out->value;
    out->value = arena_alloc_raw(a, n * H * sizeof(float));
    if (out->value)
        linear_forward(&e->pooler, p->ops, p->room, out->value, H, NULL, out->first, H, ACTIVATION_TANH, n);
    return out->value != NULL;
}

bool pooler_backward(const encoder *e, const block_pass *p, const forward_output *out, size_t n_seq, const float **grad,
                     arena *a)
{
    size_t H = e->hidden;
    float *dz = arena_alloc_raw(a, n_seq * H * sizeof *dz), *dfirst = arena_alloc_raw(a, n_seq * H * sizeof *dfirst);
    if (!dz || !dfirst)
        return false;
    p->ops->activation_backward(dz, *grad, out->value, ACTIVATION_TANH, n_seq * H);
    linear_backward_weight(&e->pooler, p->ops, p->room, dz, H, out->first, H, n_seq);
    linear_backward_input(&e->pooler, p->ops, p->room, dfirst, H, dz, H, false, n_seq);
    *grad = dfirst;
    return true;
}

void pooling_backward(const encoder *e, const output_request *q, const block_pass *p, float *drows, const float *grad,
                      const float *value, const float *rows, ragged all)
{
    p->ops->pool_backward(drows, grad, value, rows, all, e->hidden, q->pool);
}
