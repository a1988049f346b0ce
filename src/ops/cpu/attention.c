/* Attention over ragged sequences, one head of one sequence at a time; no scores leave the cache.
 *
 * Queries are taken in blocks of QUERIES, keys in blocks of KEYS from the sequence's start; a running maximum and sum carry the softmax
 * from block to block (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 * A query sees the same blocks in the same order whatever stands beside it, and gemm_panel's bits do not depend on the rows of a call:
 * so its bits depend on its own sequence alone, and are the same when it is asked for by itself.
 *
 * Blocks live on the stack, (rows, GEMM_PANEL) panels after one another, D filled up with zeros to whole panels. */
#include "ops/cpu/elementary.h"
#include "ops/cpu/gemm.h"
#include "ops/cpu/mask.h"
#include "ops/cpu/threads.h"

enum {
    QUERIES = 60, /* five register tiles of gemm.c */
    KEYS = 128,
    KEYS_BACK = 64, /* backward keeps twice as many blocks */
    HEAD = ATTENTION_MAX_HEAD
};
_Static_assert(HEAD % GEMM_PANEL == 0 && KEYS % GEMM_PANEL == 0 && KEYS_BACK % GEMM_PANEL == 0, "whole panels");

#define ALIGNED __attribute__((aligned(64)))

/* One head of one sequence. */
typedef struct head {
    const float *q, *k, *v; /* (TQ, D) with ldq; (TK, D) with ldkv */
    size_t ldq, ldkv, TQ, TK, D, D_panels;
    float scale; /* 1 / sqrt(D) */
    size_t first_query, first_key, number, n_heads, hidden;
    const dropout_mask *mask; /* or NULL */
} head;

static head head_of(const attention_input *in, size_t sequence, size_t number, const dropout_mask *mask)
{
    size_t D = in->hidden / in->heads, query = (size_t)in->queries.start[sequence], key = (size_t)in->keys.start[sequence];
    return (head){
        .q = in->q + query * in->ldq + number * D,
        .k = in->k + key * in->ldkv + number * D,
        .v = in->v + key * in->ldkv + number * D,
        .ldq = in->ldq,
        .ldkv = in->ldkv,
        .TQ = (size_t)in->queries.start[sequence + 1] - query,
        .TK = (size_t)in->keys.start[sequence + 1] - key,
        .D = D,
        .D_panels = (D + GEMM_PANEL - 1) / GEMM_PANEL,
        .scale = 1.0f / sqrtf((float)D),
        .first_query = query,
        .first_key = key,
        .number = number,
        .n_heads = in->heads,
        .hidden = in->hidden,
        .mask = mask,
    };
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

/* panels (D_panels) of (rows, GEMM_PANEL) = x (rows, D; ld) */
static void pack_block(float *panels, const float *x, size_t ld, size_t rows, const head *h)
{
    for (size_t p = 0; p < h->D_panels; p++) {
        size_t col = p * GEMM_PANEL, cols = h->D - col < GEMM_PANEL ? h->D - col : GEMM_PANEL;
        OP(gemm_pack)(panels + p * GEMM_PANEL * rows, x + col, ld, 1, rows, cols);
    }
}

/* panels of (D, GEMM_PANEL), one for each GEMM_PANEL rows of x (rows, D; ld): the transpose */
static void pack_transposed(float *panels, const float *x, size_t ld, size_t rows, const head *h)
{
    for (size_t row = 0; row < rows; row += GEMM_PANEL)
        OP(gemm_pack)(panels + row * h->D, x + row * ld, 1, ld, h->D, rows - row < GEMM_PANEL ? rows - row : GEMM_PANEL);
}

/* scores (m, KEYS of this pass; ld) = x (m, D; ldx) times the panels of pack_transposed; columns beyond `keys` up to a whole panel are 0 */
static void multiply_transposed(float *scores, size_t ld, const float *x, size_t ldx, const float *panels, size_t m, size_t keys, const head *h)
{
    for (size_t key = 0; key < keys; key += GEMM_PANEL)
        OP(gemm_panel)(scores + key, ld, GEMM_PANEL, x, ldx, 1, panels + key * h->D, 0, m, h->D, false);
}

/* out (m, D_panels * GEMM_PANEL) = or += A (m, k) times the panels of pack_block (k rows) */
static void multiply_block(float *out, const float *a, size_t a_row, size_t a_col, const float *panels, size_t m, size_t k, bool add,
                           const head *h)
{
    for (size_t p = 0; p < h->D_panels; p++)
        OP(gemm_panel)(out + p * GEMM_PANEL, h->D_panels * GEMM_PANEL, GEMM_PANEL, a, a_row, a_col, panels + p * GEMM_PANEL * k, 0, m, k, add);
}

/* Multiplies p (keys) by the dropout factors of a query's keys from `key` on. */
static void drop_row(float *p, const head *h, size_t query, size_t key, size_t keys)
{
    float room[KEYS + 2 * MASK_RUN];
    uint64_t first = (((uint64_t)(h->first_query + query) * h->n_heads + h->number) << 16) + key;
    const float *factor = mask_fill(room, h->mask, first, keys);
    for (size_t j = 0; j < keys; j += LANES)
        store(p + j, load(p + j) * load(factor + j));
}

/* ---- forward ------------------------------------------------------------------------------------------------------------ */

/* The softmax of QUERIES rows under way: over the keys seen so far, sum of exp(score - most) * v, and of exp(score - most). */
typedef struct running {
    float most[QUERIES], total[QUERIES];
    float out[QUERIES * HEAD] ALIGNED; /* (QUERIES, D_panels * GEMM_PANEL) */
} running;

/* One row of scores (keys, filled to whole vectors) becomes exp(score - most); returns their sum. *most rises to this block's maximum. */
static float exponentials(float *scores, float *most, float scale, size_t keys)
{
    vec high = splat(*most);
    for (size_t j = 0; j < keys; j += LANES) {
        vec s = keep_lanes(load(scores + j) * splat(scale), keys - j, -INFINITY);
        store(scores + j, s);
        high = max_vec(high, s);
    }
    *most = max_lanes(high);
    vec total = splat(0.0f), m = splat(*most);
    for (size_t j = 0; j < keys; j += LANES) {
        vec e = exp_vec(load(scores + j) - m);
        store(scores + j, e);
        total += e;
    }
    return sum_lanes(total);
}

static void scale_row(float *row, float factor, size_t n)
{
    for (size_t j = 0; j < n; j += LANES)
        store(row + j, load(row + j) * splat(factor));
}

/* A block of keys for m queries from `query` on. */
static void attend_block(running *r, float *scores, const float *keys, const float *values, const head *h, size_t query, size_t m, size_t key,
                         size_t n_keys)
{
    size_t width = h->D_panels * GEMM_PANEL;
    multiply_transposed(scores, KEYS, h->q + query * h->ldq, h->ldq, keys, m, n_keys, h);
    for (size_t i = 0; i < m; i++) {
        float before = key ? r->most[i] : -INFINITY;
        r->most[i] = before;
        float sum = exponentials(scores + i * KEYS, &r->most[i], h->scale, n_keys);
        float shrink = key ? expf(before - r->most[i]) : 0.0f;
        r->total[i] = key ? r->total[i] * shrink + sum : sum;
        if (key && shrink != 1.0f)
            scale_row(r->out + i * width, shrink, width);
        if (h->mask)
            drop_row(scores + i * KEYS, h, query + i, key, n_keys);
    }
    multiply_block(r->out, scores, KEYS, 1, values, m, n_keys, key > 0, h);
}

/* m queries from `query` on against all keys; y (m, D; hidden), lse (m; n_heads) or NULL */
static void attend(float *y, float *lse, const head *h, size_t query, size_t m)
{
    float keys[KEYS * HEAD] ALIGNED, values[KEYS * HEAD] ALIGNED, scores[QUERIES * KEYS] ALIGNED;
    running r;
    for (size_t key = 0; key < h->TK; key += KEYS) {
        size_t n_keys = h->TK - key < KEYS ? h->TK - key : KEYS;
        pack_transposed(keys, h->k + key * h->ldkv, h->ldkv, n_keys, h);
        pack_block(values, h->v + key * h->ldkv, h->ldkv, n_keys, h);
        attend_block(&r, scores, keys, values, h, query, m, key, n_keys);
    }
    for (size_t i = 0; i < m; i++) {
        float *row = r.out + i * h->D_panels * GEMM_PANEL;
        scale_row(row, 1.0f / r.total[i], h->D_panels * GEMM_PANEL);
        memcpy(y + i * h->hidden, row, h->D * sizeof *y);
        if (lse)
            lse[i * h->n_heads] = r.most[i] + logf(r.total[i]);
    }
}

/* Multiply-adds of one forward pass, to judge how many threads it is worth. */
static size_t attention_work(const attention_input *in)
{
    size_t work = 0;
    for (size_t s = 0; s < in->keys.n_seq; s++)
        work += (size_t)(in->queries.start[s + 1] - in->queries.start[s]) * (size_t)(in->keys.start[s + 1] - in->keys.start[s]);
    return 2 * work * in->hidden;
}

void OP(attention_forward)(float *y, float *lse, const attention_input *in)
{
    dropout_mask mask = dropout_start(in->drop);
    size_t n = in->keys.n_seq * in->heads, D = in->hidden / in->heads;
    int threads = threads_for_products(attention_work(in), n);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        head h = head_of(in, i / in->heads, i % in->heads, in->drop.rate > 0 ? &mask : NULL);
        for (size_t query = 0; query < h.TQ; query += QUERIES) {
            size_t row = h.first_query + query;
            attend(y + row * h.hidden + h.number * D, lse ? lse + row * h.n_heads + h.number : NULL, &h, query,
                   h.TQ - query < QUERIES ? h.TQ - query : QUERIES);
        }
    }
}

/* ---- backward ----------------------------------------------------------------------------------------------------------- */

/* One block of keys, seen by all queries. */
typedef struct back_block {
    float keys_t[KEYS_BACK * HEAD] ALIGNED, values_t[KEYS_BACK * HEAD] ALIGNED; /* transposed, for scores and their gradients */
    float keys[KEYS_BACK * HEAD] ALIGNED;                                       /* for dq */
    float dk[KEYS_BACK * HEAD] ALIGNED, dv[KEYS_BACK * HEAD] ALIGNED;           /* (KEYS_BACK, D_panels * GEMM_PANEL), summed over the queries */
    float p[QUERIES * KEYS_BACK] ALIGNED, dp[QUERIES * KEYS_BACK] ALIGNED;      /* probabilities, then gradients of the scores */
    float rows[QUERIES * HEAD] ALIGNED;                                         /* q or dy of a block of queries, packed; then dq */
} back_block;

/* What backward reads and writes of one head. */
typedef struct back_head {
    head h;
    float *dq, *dk, *dv;  /* (TQ, D) with ldq; (TK, D) with ldkv */
    const float *y, *dy;  /* (TQ, D) with hidden */
    const float *lse;     /* (TQ) with n_heads */
} back_head;

/* sum of dy * y over a row: what every dp of it is lowered by */
static float row_dot(const float *a, const float *b, size_t n)
{
    vec total = splat(0.0f);
    for (size_t c = 0; c < n; c += LANES) {
        size_t lanes = lanes_at(c, n);
        total = fma_vec(load_lanes(a + c, lanes), load_lanes(b + c, lanes), total);
    }
    return sum_lanes(total);
}

/* One row of scores and of dp (gradients of the dropped probabilities) becomes dropped probabilities and gradients of the scores. */
static void back_row(float *p, float *dp, const float *factor, float scale, float lse, float delta, size_t keys)
{
    for (size_t j = 0; j < keys; j += LANES) {
        vec f = factor ? load(factor + j) : splat(1.0f);
        vec e = keep_lanes(exp_vec(load(p + j) * splat(scale) - splat(lse)), keys - j, 0.0f);
        vec d = load(dp + j) * f - splat(delta);
        store(p + j, e * f);
        store(dp + j, e * d * splat(scale));
    }
}

/* m queries from `query` on against the block's n_keys keys from `key` on. */
static void back_queries(back_block *b, const back_head *g, size_t query, size_t m, size_t key, size_t n_keys)
{
    const head *h = &g->h;
    const float *q = h->q + query * h->ldq, *dy = g->dy + query * h->hidden, *y = g->y + query * h->hidden;
    float room[KEYS_BACK + 2 * MASK_RUN];
    multiply_transposed(b->p, KEYS_BACK, q, h->ldq, b->keys_t, m, n_keys, h);
    multiply_transposed(b->dp, KEYS_BACK, dy, h->hidden, b->values_t, m, n_keys, h);
    for (size_t i = 0; i < m; i++) {
        uint64_t first = (((uint64_t)(h->first_query + query + i) * h->n_heads + h->number) << 16) + key;
        const float *factor = h->mask ? mask_fill(room, h->mask, first, n_keys) : NULL;
        float delta = row_dot(dy + i * h->hidden, y + i * h->hidden, h->D);
        back_row(b->p + i * KEYS_BACK, b->dp + i * KEYS_BACK, factor, h->scale, g->lse[(query + i) * h->n_heads], delta, n_keys);
    }
    pack_block(b->rows, dy, h->hidden, m, h);
    multiply_block(b->dv, b->p, 1, KEYS_BACK, b->rows, n_keys, m, query > 0, h);
    pack_block(b->rows, q, h->ldq, m, h);
    multiply_block(b->dk, b->dp, 1, KEYS_BACK, b->rows, n_keys, m, query > 0, h);
    for (size_t p = 0; p < h->D_panels; p++) {
        size_t col = p * GEMM_PANEL, cols = h->D - col < GEMM_PANEL ? h->D - col : GEMM_PANEL;
        OP(gemm_panel)(g->dq + query * h->ldq + col, h->ldq, cols, b->dp, KEYS_BACK, 1, b->keys + col * n_keys, 0, m, n_keys, key > 0);
    }
}

/* out (rows, D; ld) = block (rows, D_panels * GEMM_PANEL) */
static void copy_out(float *out, size_t ld, const float *block, size_t rows, const head *h)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(out + i * ld, block + i * h->D_panels * GEMM_PANEL, h->D * sizeof *out);
}

static void back_attend(const back_head *g)
{
    const head *h = &g->h;
    back_block b;
    for (size_t key = 0; key < h->TK; key += KEYS_BACK) {
        size_t n_keys = h->TK - key < KEYS_BACK ? h->TK - key : KEYS_BACK;
        pack_transposed(b.keys_t, h->k + key * h->ldkv, h->ldkv, n_keys, h);
        pack_transposed(b.values_t, h->v + key * h->ldkv, h->ldkv, n_keys, h);
        pack_block(b.keys, h->k + key * h->ldkv, h->ldkv, n_keys, h);
        for (size_t query = 0; query < h->TQ; query += QUERIES)
            back_queries(&b, g, query, h->TQ - query < QUERIES ? h->TQ - query : QUERIES, key, n_keys);
        copy_out(g->dk + key * h->ldkv, h->ldkv, b.dk, n_keys, h);
        copy_out(g->dv + key * h->ldkv, h->ldkv, b.dv, n_keys, h);
    }
}

void OP(attention_backward)(float *dq, float *dk, float *dv, const float *dy, const float *y, const float *lse, const attention_input *in)
{
    dropout_mask mask = dropout_start(in->drop);
    size_t n = in->keys.n_seq * in->heads, D = in->hidden / in->heads;
    int threads = threads_for_products(attention_work(in), n);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        head h = head_of(in, i / in->heads, i % in->heads, in->drop.rate > 0 ? &mask : NULL);
        size_t col = h.number * D;
        back_attend(&(back_head){
            .h = h,
            .dq = dq + h.first_query * h.ldq + col,
            .dk = dk + h.first_key * h.ldkv + col,
            .dv = dv + h.first_key * h.ldkv + col,
            .y = y + h.first_query * h.hidden + col,
            .dy = dy + h.first_query * h.hidden + col,
            .lse = lse + h.first_query * h.n_heads + h.number,
        });
    }
}
