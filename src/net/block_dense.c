/* A dense layer alone. */
#include "net/block.h"

static size_t dense_linears(const block_row *row, bool fewer, linear_row out[MOST_LINEARS])
{
    (void)fewer;
    out[0] = (linear_row){ "attention output", row->weight, row->bias, 1, true };
    return 1;
}

static void forward_dense(const block *b, const block_pass *p, const block_io *io)
{
    linear_forward(&b->linears[0], p->ops, p->room, io->y, b->hidden, NULL, io->x, b->hidden, ACTIVATION_NONE, io->m);
    profile_mark(p->clock, PROFILE_PRODUCTS);
}

static void backward_dense(const block *b, const block_pass *p, const block_io *io, const block_grads *g)
{
    linear_backward_weight(&b->linears[0], p->ops, p->room, g->dy, b->hidden, io->x, b->hidden, io->m);
    if (g->dx)
        linear_backward_input(&b->linears[0], p->ops, p->room, g->dx, b->hidden, g->dy, b->hidden, g->add, io->m);
}

const block_kind BLOCK_DENSE = { "dense",        dense_linears, block_keeps_nothing, block_needs_nothing, forward_dense,
                                 backward_dense, false };
