/* Attention backward, one head of one sequence at a time: scores are formed again block by block from what forward kept
 * (Dao et al., "FlashAttention", 2022).
 *
 * Blocks live in the room, (rows, GEMM_PANEL) panels after one another, D filled up with zeros to whole panels. */
#include "ops/cpu/attention.h"
#include "ops/cpu/gemm.h"

enum {
    QUERIES = 72,                          /* all of them where there are no more */
    SOME_QUERIES = 60, QUERIES_OF_TILE = 12, /* else so many or fewer, in whole register tiles of gemm.c */
    KEYS = 64,
    HEAD = ATTENTION_MAX_HEAD
};
_Static_assert(HEAD % GEMM_PANEL == 0 && KEYS % GEMM_PANEL == 0, "whole panels");

static size_t head_panels(const head *h)
{
    return (h->D + GEMM_PANEL - 1) / GEMM_PANEL;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* panels (D_panels) of (rows, GEMM_PANEL) = x (rows, D; ld) */
static void pack_block(float *panels, const float *x, size_t ld, size_t rows, const head *h)
{
    for (size_t p = 0; p < head_panels(h); p++) {
        size_t col = p * GEMM_PANEL, cols = h->D - col < GEMM_PANEL ? h->D - col : GEMM_PANEL;
        OP(gemm_pack)(panels + p * GEMM_PANEL * rows, x + col, ld, 1, rows, cols);
    }
}

/* panels of (D, GEMM_PANEL), one for each GEMM_PANEL rows of x (rows, D; ld): the transpose */
static void pack_transposed(float *panels, const float *x, size_t ld, size_t rows, const head *h)
{
    for (size_t row = 0; row < rows; row += GEMM_PANEL)
        OP(gemm_pack)(panels + row * h->D, x + row * ld, 1, ld, h->D,
                      rows - row < GEMM_PANEL ? rows - row : GEMM_PANEL);
}

/* scores (m, KEYS; ld) = x (m, D; ldx) times the panels of pack_transposed; columns beyond `keys` up to a whole panel
 * are 0 */
static void multiply_transposed(float *scores, size_t ld, const float *x, size_t ldx, const float *panels, size_t m,
                                size_t keys, const head *h)
{
    for (size_t key = 0; key < keys; key += GEMM_PANEL)
        OP(gemm_panel)(scores + key, ld, GEMM_PANEL, x, ldx, 1, panels + key * h->D, 0, m, h->D, false);
}

/* out (m, D_panels * GEMM_PANEL) = or += A (m, k) times the panels of pack_block (k rows) */
static void multiply_block(float *out, const float *a, size_t a_row, size_t a_col, const float *panels, size_t m,
                           size_t k, bool add, const head *h)
{
    for (size_t p = 0; p < head_panels(h); p++)
        OP(gemm_panel)(out + p * GEMM_PANEL, head_panels(h) * GEMM_PANEL, GEMM_PANEL, a, a_row, a_col,
                       panels + p * GEMM_PANEL * k, 0, m, k, add);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* One block of keys, seen by all queries. */
typedef struct back_block {
    float keys_t[KEYS * HEAD] ALIGNED, values_t[KEYS * HEAD] ALIGNED; /* transposed, for scores and their gradients */
    float keys[KEYS * HEAD] ALIGNED;                                       /* for dq */
    /* (KEYS, D_panels * GEMM_PANEL), summed over the queries */
    float dk[KEYS * HEAD] ALIGNED, dv[KEYS * HEAD] ALIGNED;
    float p[QUERIES * KEYS] ALIGNED, dp[QUERIES * KEYS] ALIGNED;      /* probabilities, then gradients of the scores */
    /* q or dy of a block of queries, packed; then dq */
    float rows[QUERIES * HEAD] ALIGNED;
} back_block;
_Static_assert(sizeof(back_block) <= OPS_ROOM, "a thread's room");

/* What backward reads and writes of one head. */
typedef struct back_head {
    head h;
    float *dq, *dk, *dv;  /* (TQ, D) with ldq; (TK, D) with ldkv */
    float *dbias;         /* of distance 0, or NULL */
    const float *y, *dy;  /* (TQ, D) with hidden */
    const float *lse;     /* (TQ) with n_heads */
} back_head;

/* Of one query: what dropout multiplies by and what the rule adds, each or NULL; delta: the sum of dy times y; dline:
 * takes the gradient by what the rule adds, or NULL. */
typedef struct back_query {
    const float *factor, *line;
    float *dline;
    float scale, lse, delta;
} back_query;

/* One row of scores and of dp (gradients of the dropped probabilities) becomes dropped probabilities and gradients of
 * the scores. */
static void back_row(float *p, float *dp, const back_query *q, size_t keys)
{
    for (size_t j = 0; j < keys; j += LANES) {
        vec f = q->factor ? load(q->factor + j) : splat(1.0f), x = load(p + j) * splat(q->scale);
        if (q->line)
            x += load(q->line + j);
        vec e = keep_lanes(exp_vec(x - splat(q->lse)), keys - j, 0.0f);
        vec d = load(dp + j) * f - splat(q->delta);
        store(p + j, e * f);
        store(dp + j, e * d * splat(q->scale));
        if (q->dline)
            store(q->dline + j, fma_vec(e, d, load(q->dline + j)));
    }
}

/* Adds the gradients of a line, `distance` that of its first, to those of the bias; clears them. */
static void add_bias_line(const back_head *g, float *dline, ptrdiff_t distance, size_t n)
{
    ptrdiff_t span = g->h.span;
    for (size_t t = 0; t < n; t++, distance++) {
        g->dbias[distance > span ? span : distance < -span ? -span : distance] += dline[t];
        dline[t] = 0;
    }
}

/* The rows of p and dp of m queries from `query` on and n_keys keys from `key` on. */
static void back_score_rows(back_block *b, const back_head *g, size_t query, size_t m, size_t key, size_t n_keys)
{
    const head *h = &g->h;
    const float *dy = g->dy + query * h->hidden, *y = g->y + query * h->hidden;
    float room[KEYS + 2 * MASK_RUN], line[RULE_LINE(QUERIES, KEYS)], dline[RULE_LINE(QUERIES, KEYS)] = { 0 };
    bool still = rule_is_still(h, query, m, key, n_keys);
    if (!still && !h->places)
        rule_line(line, h, query, m, key, n_keys, 1);
    for (size_t i = 0; i < m; i++) {
        back_query q = {
            .factor = h->mask ? drop_factors(room, h, query + i, key, n_keys) : NULL,
            .line = still ? NULL : rule_row(line, h, query, m, i, key, n_keys, 1),
            .dline = !g->dbias ? NULL : h->places ? dline : dline + m - 1 - i,
            .scale = h->scale,
            .lse = g->lse[(query + i) * h->n_heads],
            .delta = row_dot(dy + i * h->hidden, y + i * h->hidden, h->D),
        };
        back_row(b->p + i * KEYS, b->dp + i * KEYS, &q, n_keys);
        for (size_t j = 0; g->dbias && h->places && j < n_keys; j++)
            add_bias_line(g, dline + j, h->places[key + j] - h->places[query + i], 1);
    }
    if (g->dbias && !h->places)
        add_bias_line(g, dline, (ptrdiff_t)key - (ptrdiff_t)(query + m - 1), m + n_keys - 1);
}

/* The first row of a block of `size` rows that is within the window of row `row`. */
static size_t first_within(const head *h, size_t row, size_t size)
{
    return row > h->window ? (row - h->window) / size * size : 0;
}

/* m queries from `query` on against the block's n_keys keys from `key` on. first_queries, first_keys: nothing has been
 * added to gradients of these keys (queries) yet. */
static void back_queries(back_block *b, const back_head *g, size_t query, size_t m, size_t key, size_t n_keys,
                         bool first_queries, bool first_keys)
{
    const head *h = &g->h;
    const float *q = h->q + query * h->ldq, *dy = g->dy + query * h->hidden;
    multiply_transposed(b->p, KEYS, q, h->ldq, b->keys_t, m, n_keys, h);
    multiply_transposed(b->dp, KEYS, dy, h->hidden, b->values_t, m, n_keys, h);
    back_score_rows(b, g, query, m, key, n_keys);
    pack_block(b->rows, dy, h->hidden, m, h);
    multiply_block(b->dv, b->p, 1, KEYS, b->rows, n_keys, m, !first_queries, h);
    pack_block(b->rows, q, h->ldq, m, h);
    multiply_block(b->dk, b->dp, 1, KEYS, b->rows, n_keys, m, !first_queries, h);
    for (size_t p = 0; p < head_panels(h); p++) {
        size_t col = p * GEMM_PANEL, cols = h->D - col < GEMM_PANEL ? h->D - col : GEMM_PANEL;
        OP(gemm_panel)(g->dq + query * h->ldq + col, h->ldq, cols, b->dp, KEYS, 1, b->keys + col * n_keys, 0, m, n_keys,
                       !first_keys);
    }
}

/* out (rows, D; ld) = block (rows, D_panels * GEMM_PANEL) */
static void copy_out(float *out, size_t ld, const float *block, size_t rows, const head *h)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(out + i * ld, block + i * head_panels(h) * GEMM_PANEL, h->D * sizeof *out);
}

/* The size of blocks of at most `most` that n are cut into: all about as large, and whole units where that is
 * possible. */
static size_t even_block(size_t n, size_t most, size_t unit)
{
    size_t blocks = (n + most - 1) / most, size = blocks ? (n + blocks - 1) / blocks : unit;
    return (size + unit - 1) / unit * unit;
}

static void back_attend(const back_head *g, back_block *b)
{
    const head *h = &g->h;
    size_t keys = even_block(h->TK, KEYS, LANES);
    size_t queries = h->TQ <= QUERIES ? QUERIES : even_block(h->TQ, SOME_QUERIES, QUERIES_OF_TILE);
    for (size_t key = 0; key < h->TK; key += keys) {
        size_t n_keys = h->TK - key < keys ? h->TK - key : keys;
        pack_transposed(b->keys_t, h->k + key * h->ldkv, h->ldkv, n_keys, h);
        pack_transposed(b->values_t, h->v + key * h->ldkv, h->ldkv, n_keys, h);
        pack_block(b->keys, h->k + key * h->ldkv, h->ldkv, n_keys, h);
        size_t first = first_within(h, key, queries), end = h->window < h->TQ ? key + n_keys + h->window : h->TQ;
        if (first >= h->TQ) /* the queries are few, and all before */
            memset(b->dk, 0, sizeof b->dk), memset(b->dv, 0, sizeof b->dv);
        for (size_t query = first; query < h->TQ && query < end; query += queries)
            back_queries(b, g, query, h->TQ - query < queries ? h->TQ - query : queries, key, n_keys, query == first,
                         key == first_within(h, query, keys));
        copy_out(g->dk + key * h->ldkv, h->ldkv, b->dk, n_keys, h);
        copy_out(g->dv + key * h->ldkv, h->ldkv, b->dv, n_keys, h);
    }
}

/* The arguments of attention_backward, and its mask or NULL. */
typedef struct back_job {
    ops_room room;
    float *dq, *dk, *dv, *dbias;
    const float *dy, *y, *lse;
    const attention_input *in;
    const dropout_mask *mask;
} back_job;

static void back_attend_head(void *job, size_t number, size_t thread)
{
    const back_job *j = job;
    head h = head_of(j->in, number / j->in->heads, number % j->in->heads, j->mask);
    size_t span = (size_t)h.span;
    size_t col = h.number * h.D;
    back_head g = {
        .h = h,
        .dq = j->dq + h.first_query * h.ldq + col,
        .dk = j->dk + h.first_key * h.ldkv + col,
        .dv = j->dv + h.first_key * h.ldkv + col,
        .dbias = j->dbias ? j->dbias + h.number * (2 * span + 1) + span : NULL,
        .y = j->y + h.first_query * h.hidden + col,
        .dy = j->dy + h.first_query * h.hidden + col,
        .lse = j->lse + h.first_query * h.n_heads + h.number,
    };
    back_attend(&g, room_of(j->room, thread));
}

/* One head of every sequence, in their order: that of the sums of the bias's gradient. */
static void back_attend_heads(void *job, size_t number, size_t thread)
{
    const attention_input *in = ((const back_job *)job)->in;
    for (size_t s = 0; s < in->keys.n_seq; s++)
        back_attend_head(job, s * in->heads + number, thread);
}

void OP(attention_backward)(ops_room room, float *dq, float *dk, float *dv, float *dbias, const float *dy,
                            const float *y, const float *lse, const attention_input *in)
{
    dropout_mask mask = dropout_start(in->drop);
    size_t n = dbias ? in->heads : in->keys.n_seq * in->heads;
    threads_run(n, threads_for_products(room, attention_work(in), n), dbias ? back_attend_heads : back_attend_head,
                &(back_job){ room, dq, dk, dv, dbias, dy, y, lse, in, in->drop.rate > 0 ? &mask : NULL });
}
