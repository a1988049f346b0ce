/* y = act(x W1^T + b1) W2^T + b2. Kept: what the activation read, (m, I). */
#include "net/block.h"

static size_t feed_forward_linears(const block_row *row, bool fewer, linear_row out[MOST_LINEARS])
{
    (void)fewer;
    out[0] = (linear_row){ "intermediate", row->weight, row->bias, 1, true };
    out[1] = (linear_row){ "output", row->second, row->second_bias, 1, true };
    return 2;
}

static size_t feed_forward_kept_floats(const block *b, size_t n, size_t m)
{
    (void)n;
    return m * b->inner;
}

static size_t feed_forward_scratch_floats(const block *b)
{
    return b->inner;
}

static void forward_feed(const block *b, const block_pass *p, const block_io *io)
{
    size_t H = b->hidden, I = b->inner;
    linear_forward(&b->linears[0], p->ops, p->room, p->scratch, I, io->kept, io->x, H, b->act, io->m);
    linear_forward(&b->linears[1], p->ops, p->room, io->y, H, NULL, p->scratch, I, ACTIVATION_NONE, io->m);
    profile_mark(p->clock, PROFILE_PRODUCTS);
}

/* The scratch holds what the activation gave, which is formed again, then its gradient. */
static void backward_feed(const block *b, const block_pass *p, const block_io *io, const block_grads *g)
{
    const linear *first = &b->linears[0], *last = &b->linears[1];
    size_t H = b->hidden, I = b->inner, m = io->m;
    float *wide = p->scratch;
    if (last->weight->grad) {
        p->ops->activation_forward(wide, io->kept, b->act, m * I);
        linear_backward_weight(last, p->ops, p->room, g->dy, H, wide, I, m);
    }
    linear_backward_input(last, p->ops, p->room, wide, I, g->dy, H, false, m);
    p->ops->activation_backward(wide, wide, io->kept, b->act, m * I);
    linear_backward_weight(first, p->ops, p->room, wide, I, io->x, H, m);
    if (g->dx)
        linear_backward_input(first, p->ops, p->room, g->dx, H, wide, I, g->add, m);
}

const block_kind BLOCK_FEED_FORWARD = { "feed-forward",
                                        feed_forward_linears,
                                        feed_forward_kept_floats,
                                        feed_forward_scratch_floats,
                                        forward_feed,
                                        backward_feed,
                                        false };
