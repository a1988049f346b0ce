/* y = LayerNorm(dropout(x) + added): one pass. Kept: mean and rstd of each row; the sum stands where x was. */
#include "net/block.h"

static size_t norm_kept_floats(const block *b, size_t n, size_t m)
{
    (void)b, (void)n;
    return 2 * m;
}

static void forward_norm(const block *b, const block_pass *p, const block_io *io)
{
    float *mean = io->kept, *rstd = mean ? mean + io->m : NULL;
    p->ops->layer_norm_forward(io->y, io->kept ? io->sum : NULL, mean, rstd, io->x, io->added, b->norm[0].value,
                               b->norm[1].value, b->eps, block_dropout(b, p), io->m, b->hidden);
    profile_mark(p->clock, PROFILE_NORMS);
}

/* Without dropout the gradient by the sum is that by both of its terms. */
static void backward_norm(const block *b, const block_pass *p, const block_io *io, const block_grads *g)
{
    p->ops->layer_norm_backward(g->dy, g->dx, b->norm[0].grad, b->norm[1].grad, g->dy, io->sum, io->kept,
                                io->kept + io->m, b->norm[0].value, block_dropout(b, p), io->m, b->hidden);
}

const block_kind BLOCK_NORM = {
    "norm", block_no_linears, norm_kept_floats, block_needs_nothing, forward_norm, backward_norm, true
};
