/* y = softmax(q k^T / sqrt(D)) v, head by head, with q, k, v = x Wq^T, x Wk^T, x Wv^T. Kept: q, k and v, and the log of
 * the sums of exponentials. Where fewer rows may be asked for than are read, the query's matrix stands apart from the
 * others, and q before k and v in memory. */
#include "net/block.h"

#include <string.h>

static size_t attention_linears(const block_row *row, bool fewer, linear_row out[MOST_LINEARS])
{
    if (!fewer) {
        out[0] = (linear_row){ "query, key, value", row->weight, row->bias, 3, false };
        return 1;
    }
    out[0] = (linear_row){ "query", row->weight, row->bias, 1, true };
    out[1] = (linear_row){ "key, value", (weight_id)(row->weight + 1), (weight_id)(row->bias + 1), 2, false };
    return 2;
}

static size_t projected(const block *b, size_t n, size_t m)
{
    return (m + 2 * n) * b->hidden;
}

static size_t attention_kept_floats(const block *b, size_t n, size_t m)
{
    return projected(b, n, m) + m * b->heads;
}

static size_t attention_scratch_floats(const block *b)
{
    return 3 * b->hidden;
}

/* q, k and v at one place. */
typedef struct projections {
    float *q, *kv; /* k, and v behind it in each row */
    size_t ldq, ldkv;
} projections;

static projections projections_at(const block *b, float *at, size_t m)
{
    size_t H = b->hidden;
    return b->fewer ? (projections){ at, at + m * H, H, 2 * H } : (projections){ at, at + H, 3 * H, 3 * H };
}

static attention_input attention_input_of(const block *b, const block_pass *p, const block_io *io, dropout drop)
{
    projections x = projections_at(b, io->kept ? io->kept : p->scratch, io->m);
    return (attention_input){ .queries = io->asked,
                              .keys = io->read,
                              .hidden = b->hidden,
                              .heads = b->heads,
                              .q = x.q,
                              .k = x.kv,
                              .v = x.kv + b->hidden,
                              .ldq = x.ldq,
                              .ldkv = x.ldkv,
                              .rule = p->rule,
                              .drop = drop };
}

attention_input block_attention_input(const block *b, const block_pass *p, const block_io *io)
{
    return attention_input_of(b, p, io, (dropout){ 0 });
}

static void run_attention(const block *b, const block_pass *p, const block_io *io)
{
    float *at = io->kept ? io->kept : p->scratch;
    projections x = projections_at(b, at, io->m);
    size_t H = b->hidden;
    linear_forward(&b->linears[0], p->ops, p->room, x.q, x.ldq, NULL, b->fewer ? io->asked_x : io->x, H,
                   ACTIVATION_NONE, io->m);
    if (b->fewer)
        linear_forward(&b->linears[1], p->ops, p->room, x.kv, x.ldkv, NULL, io->x, H, ACTIVATION_NONE, io->n);
    profile_mark(p->clock, PROFILE_PRODUCTS);
    attention_input in = attention_input_of(b, p, io, block_dropout(b, p));
    p->ops->attention_forward(p->room, io->y, io->kept ? at + projected(b, io->n, io->m) : NULL, &in);
    profile_mark(p->clock, PROFILE_ATTENTION);
}

/* From the gradient by q, k and v to that by x where the query stands apart: dasked takes the query's part. */
static void backward_apart(const block *b, const block_pass *p, const block_io *io, const block_grads *g, projections d)
{
    const ops *o = p->ops;
    size_t H = b->hidden;
    linear_backward_input(&b->linears[0], o, p->room, g->dasked, H, d.q, d.ldq, g->add, io->m);
    linear_backward_input(&b->linears[1], o, p->room, g->dx, H, d.kv, d.ldkv, false, io->n);
    if (io->m == io->n)
        o->add(g->dx, g->dasked, io->n * H);
    else
        for (size_t s = 0; s < io->asked.n_seq; s++)
            o->add(g->dx + (size_t)io->read.start[s] * H, g->dasked + s * H, H);
}

static void backward_attention(const block *b, const block_pass *p, const block_io *io, const block_grads *g)
{
    const ops *o = p->ops;
    size_t H = b->hidden;
    if (!b->tuned && !g->dx)
        return;
    attention_input in = attention_input_of(b, p, io, block_dropout(b, p));
    projections d = projections_at(b, p->scratch, io->m);
    o->attention_backward(p->room, d.q, d.kv, d.kv + H, p->dbias, g->dy, io->y, io->kept + projected(b, io->n, io->m),
                          &in);
    linear_backward_weight(&b->linears[0], o, p->room, d.q, d.ldq, b->fewer ? io->asked_x : io->x, H, io->m);
    if (b->fewer)
        linear_backward_weight(&b->linears[1], o, p->room, d.kv, d.ldkv, io->x, H, io->n);
    if (g->dx && b->fewer)
        backward_apart(b, p, io, g, d);
    else if (g->dx)
        linear_backward_input(&b->linears[0], o, p->room, g->dx, H, d.q, d.ldq, g->add, io->n);
}

const block_kind BLOCK_ATTENTION = {
    "attention", attention_linears, attention_kept_floats, attention_scratch_floats, run_attention, backward_attention,
    false
};
