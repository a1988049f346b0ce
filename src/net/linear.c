/* A dense layer with its parameters. */
#include "net/linear.h"

void linear_forward(const linear *l, const ops *o, ops_room room, float *y, size_t ldy, float *pre, const float *x,
                    size_t ldx, activation act, size_t n)
{
    o->dense_forward(room, y, ldy, pre, x, ldx, &l->base, act, n);
}

void linear_backward_input(const linear *l, const ops *o, ops_room room, float *dx, size_t lddx, const float *dy,
                           size_t lddy, bool add, size_t n)
{
    o->dense_backward_input(room, dx, lddx, dy, lddy, &l->base, add, n);
}

void linear_backward_weight(const linear *l, const ops *o, ops_room room, const float *dy, size_t lddy, const float *x,
                            size_t ldx, size_t n)
{
    if (l->weight->grad)
        o->dense_backward_weight(room, l->weight->grad, l->bias->grad, dy, lddy, x, ldx, l->base.in, l->base.out, n);
}
