/* Attention over ragged sequences, forward, one head of one sequence at a time; no scores leave the cache.
 *
 * Keys are taken in blocks of KEYS from the sequence's start; a running maximum and sum carry the softmax from block to
 * block (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 * y itself holds the sum under way. A query sees the same blocks in the same order whatever stands beside it, and an
 * element of a product is one chain of fused multiply-adds: so a query's bits depend on its own sequence alone, and are
 * the same when it is asked for by itself.
 *
 * Scores are those of exp2: they are multiplied by log2(e) / sqrt(D). */
#include "ops/cpu/attention.h"
#include "ops/cpu/heights.h"
#include "ops/cpu/lanes.h"

enum {
    HEAD = ATTENTION_MAX_HEAD,
    KEYS = 128,
    QUERIES = 512, /* whose maxima and sums are kept, while the keys of a block are packed once */
    WIDTH = 2 * LANES, /* columns of a tile, and of a panel of keys */
    /* more keys than this: their values are packed, too, since rows apart share the sets of the first-level cache */
    PACKED_KEYS = 64
};
_Static_assert(KEYS % WIDTH == 0 && HEAD % WIDTH == 0, "whole panels");
_Static_assert((int)ROWS <= LANES, "a lane for each row of a tile");

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* c (rows, columns of a tile) = (c before + a (rows, k) b (k, columns)) after. */
typedef struct product {
    float *c;
    const float *a, *b;
    size_t ldc, lda, ldb, k;
    const float *before, *after; /* (rows): factors; before NULL: c starts as 0; after NULL: no factor */
} product;

INLINE void attention_tile(const product *p, const int rows, const int vectors)
{
    const float *a = p->a, *b = p->b;
    size_t lda = p->lda, ldb = p->ldb;
    vec sum[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = p->before ? load(p->c + (size_t)i * p->ldc + j * LANES) * splat(p->before[i]) : splat(0.0f);
    UNROLL_DEPTH for (size_t l = 0; l < p->k; l++, b += ldb) {
        vec bl[2];
        UNROLL for (int j = 0; j < vectors; j++)
            bl[j] = load(b + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec ai = splat(a[(size_t)i * lda + l]);
            UNROLL for (int j = 0; j < vectors; j++)
                sum[i][j] = fma_vec(ai, bl[j], sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            store(p->c + (size_t)i * p->ldc + j * LANES, p->after ? sum[i][j] * splat(p->after[i]) : sum[i][j]);
}

#define TILE_FUNCTIONS(rows) \
    static void tile_##rows##_1(const product *p) \
    { \
        attention_tile(p, rows, 1); \
    } \
    static void tile_##rows##_2(const product *p) \
    { \
        attention_tile(p, rows, 2); \
    }
HEIGHTS(TILE_FUNCTIONS)

#define TILES_OF(rows) { tile_##rows##_1, tile_##rows##_2 },
static void (*const TILES[][2])(const product *) = { HEIGHTS(TILES_OF) };

/* As many columns of c as a tile has or fewer; b is filled up to whole vectors. */
static void multiply(const product *p, size_t rows, size_t cols)
{
    size_t vectors = (cols + LANES - 1) / LANES;
    if (cols % LANES == 0) {
        TILES[rows - 1][vectors - 1](p);
        return;
    }
    float full[ROWS * WIDTH] ALIGNED;
    product edge = *p;
    edge.c = full;
    edge.ldc = WIDTH;
    for (size_t i = 0; p->before && i < rows; i++)
        for (size_t j = 0; j < vectors * LANES; j += LANES)
            store(full + i * WIDTH + j, load_lanes(p->c + i * p->ldc + j, lanes_at(j, cols)));
    TILES[rows - 1][vectors - 1](&edge);
    for (size_t i = 0; i < rows; i++)
        memcpy(p->c + i * p->ldc, full + i * WIDTH, cols * sizeof(float));
}

/* ---- a block of keys --------------------------------------------------------------------------------------------- */

typedef struct key_block {
    size_t key, n;       /* which keys of the sequence */
    const float *values; /* (n, D filled up to whole vectors) with ldv */
    size_t ldv;
    float keys[KEYS * HEAD] ALIGNED;   /* panels of (D, WIDTH): the transpose, up to a whole vector */
    float packed[KEYS * HEAD] ALIGNED; /* values, where they cannot be read in place */
} key_block;

/* Keys in place of lanes; beyond the last one it stands again, so that no row needs a question. */
static void pack_keys(float *panels, const head *h, size_t key, size_t n)
{
    for (size_t j = 0; j < n; j += LANES) {
        float *panel = panels + j / WIDTH * WIDTH * h->D + j % WIDTH;
        const float *from = h->k + (key + j) * h->ldkv;
        size_t last = n - j - 1;
        for (size_t d = 0; d < h->D; d += LANES) {
            size_t lanes = lanes_at(d, h->D);
            vec v[LANES];
            UNROLL for (size_t i = 0; i < LANES; i++)
                v[i] = load_lanes(from + (i < last ? i : last) * h->ldkv + d, lanes);
            transpose_lanes(v);
            for (size_t i = 0; i < lanes; i++)
                store(panel + (d + i) * WIDTH, v[i]);
        }
    }
}

static void pack_values(key_block *b, const head *h)
{
    const float *from = h->v + b->key * h->ldkv;
    b->values = from;
    b->ldv = h->ldkv;
    if (h->D % LANES == 0 && b->n <= PACKED_KEYS)
        return;
    b->values = b->packed;
    b->ldv = (h->D + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < b->n; i++)
        for (size_t d = 0; d < h->D; d += LANES)
            store(b->packed + i * b->ldv + d, load_lanes(from + i * h->ldkv + d, lanes_at(d, h->D)));
}

static void take_block(key_block *b, const head *h, size_t key)
{
    b->key = key;
    b->n = h->TK - key < KEYS ? h->TK - key : KEYS;
    pack_keys(b->keys, h, key, b->n);
    pack_values(b, h);
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

/* The softmax of a query under way, over the keys seen so far: the greatest score, and the sum of exp2(score -
 * greatest). */
typedef struct running {
    float most[QUERIES], total[QUERIES];
} running;

/* Rows of products p (rows, KEYS), n of them used, become exp2(product * scale - most), and 0 beyond n up to a whole
 * vector. most, total (rows): of the keys before, none where `first`, and then of these, too. before, after (LANES): by
 * what sums over the keys before must be multiplied, and those over all when they are complete. ruled: what is not
 * admitted becomes 0, and keys of which none is leave a query's sums as they are. */
INLINE void exponentials_of(float *p, float *most, float *total, float *before, float *after, size_t rows, size_t n,
                            float scale, bool first, const bool ruled)
{
    size_t whole = (n - 1) / LANES * LANES; /* where the last vector begins, whole or not */
    veci inside = lane_numbers() < splat_int((int32_t)(n - whole));
    vec v[LANES], s = splat(scale);
    for (size_t i = 0; i < rows; i++) {
        vec high = choose(inside, load(p + i * KEYS + whole), splat(-INFINITY));
        for (size_t j = 0; j < whole; j += LANES)
            high = max_vec(high, load(p + i * KEYS + j));
        v[i] = high;
    }
    for (size_t i = rows; i < LANES; i++)
        v[i] = splat(0.0f);
    vec greatest = maxima_across(v) * s, so_far = first ? greatest : load_part(most, rows);
    greatest = max_vec(so_far, greatest);
    store_part(most, greatest, rows);
    float low[LANES] ALIGNED;
    store(low, -greatest);
    for (size_t i = 0; i < rows; i++) {
        vec m = splat(low[i]), sum = splat(0.0f);
        float *row = p + i * KEYS;
        for (size_t j = 0; j < whole; j += LANES) {
            vec x = load(row + j), e = exp2_below_vec(fma_vec(x, s, m));
            if (ruled)
                e = (vec)((veci)e & ~(x < splat(ADMITTED)));
            store(row + j, e);
            sum += e;
        }
        vec x = load(row + whole), e = (vec)((veci)exp2_below_vec(fma_vec(x, s, m)) & inside);
        if (ruled)
            e = (vec)((veci)e & ~(x < splat(ADMITTED)));
        store(row + whole, e);
        v[i] = sum + e;
    }
    for (size_t i = rows; i < LANES; i++)
        v[i] = splat(1.0f);
    vec shrink = exp2_below_vec(so_far - greatest), sum = sums_across(v);
    if (ruled)
        shrink = choose(so_far == greatest, splat(1.0f), shrink);
    if (!first)
        sum = fma_vec(load_part(total, rows), shrink, sum);
    store_part(total, sum, rows);
    store(before, shrink);
    store(after, splat(1.0f) / sum);
}

static void exponentials(float *p, float *most, float *total, float *before, float *after, size_t rows, size_t n,
                         float scale, bool first, bool ruled)
{
    if (ruled)
        exponentials_of(p, most, total, before, after, rows, n, scale, first, true);
    else
        exponentials_of(p, most, total, before, after, rows, n, scale, first, false);
}

/* Adds what the rule does, in units of products. */
static void apply_rule(float *p, const head *h, size_t query, size_t rows, size_t key, size_t n)
{
    float line[RULE_LINE(ROWS, KEYS)], unit = 1 / h->scale;
    if (rule_is_still(h, query, rows, key, n))
        return;
    if (!h->places)
        rule_line(line, h, query, rows, key, n, unit);
    for (size_t i = 0; i < rows; i++) {
        const float *row = rule_row(line, h, query, rows, i, key, n, unit);
        for (size_t j = 0; j < n; j += LANES)
            store(p + i * KEYS + j, load(p + i * KEYS + j) + load(row + j));
    }
}

static void drop_row(float *p, const head *h, size_t query, size_t key, size_t n)
{
    float room[KEYS + 2 * MASK_RUN];
    const float *factor = drop_factors(room, h, query, key, n);
    for (size_t j = 0; j < n; j += LANES)
        store(p + j, load(p + j) * load(factor + j));
}

/* One tile's rows of queries, `query` the first, against a block of keys: whole panels of it that hold some key of
 * theirs. y (rows, D; hidden); most, total: the rows' own. */
static void attend(float *y, float *most, float *total, const head *h, const key_block *b, size_t query, size_t rows)
{
    key_range r = keys_of(h, query, rows);
    if (r.end <= b->key || r.first >= b->key + b->n)
        return;
    bool first = b->key <= r.first, last = r.end <= b->key + b->n;
    size_t from = first ? (r.first - b->key) / WIDTH * WIDTH : 0, n = (last ? r.end - b->key : b->n) - from;
    float p[ROWS * KEYS] ALIGNED, before[LANES] ALIGNED, after[LANES] ALIGNED;
    for (size_t j = 0; j < n; j += WIDTH)
        multiply(&(product){ .c = p + j, .a = h->q + query * h->ldq, .b = b->keys + (from + j) * h->D, .ldc = KEYS,
                             .lda = h->ldq, .ldb = WIDTH, .k = h->D },
                 rows, n - j < WIDTH ? (n - j + LANES - 1) / LANES * LANES : WIDTH);
    apply_rule(p, h, query, rows, b->key + from, n);
    exponentials(p, most, total, before, after, rows, n, h->scale * 1.44269504f, first, h->ruled);
    for (size_t i = 0; h->mask && i < rows; i++)
        drop_row(p + i * KEYS, h, query + i, b->key + from, n);
    for (size_t d = 0; d < h->D; d += WIDTH)
        multiply(&(product){ .c = y + d, .a = p, .b = b->values + from * b->ldv + d, .ldc = h->hidden, .lda = KEYS,
                             .ldb = b->ldv, .k = n, .before = first ? NULL : before, .after = last ? after : NULL },
                 rows, h->D - d < WIDTH ? h->D - d : WIDTH);
}

/* A thread's room. */
typedef struct attention_room {
    key_block b;
    running r;
} attention_room;
_Static_assert(sizeof(attention_room) <= OPS_ROOM, "a thread's room");

/* Up to QUERIES queries, `query` the first, against all keys of theirs. y (m, D; hidden), lse (m; n_heads) or NULL */
static void attend_all(attention_room *room, float *y, float *lse, const head *h, size_t query, size_t m)
{
    running *r = &room->r;
    /* Tiles of like height: one or two rows alone would wait for the multiplier. */
    size_t tiles = (m + ROWS - 1) / ROWS, height = (m + tiles - 1) / tiles;
    key_range keys = keys_of(h, query, m);
    for (size_t key = keys.first / KEYS * KEYS; key < keys.end; key += KEYS) {
        take_block(&room->b, h, key);
        for (size_t i = 0; i < m; i += height)
            attend(y + i * h->hidden, r->most + i, r->total + i, h, &room->b, query + i,
                   m - i < height ? m - i : height);
    }
    for (size_t i = 0; lse && i < m; i++)
        lse[i * h->n_heads] = (r->most[i] + log2f(r->total[i])) * 0.693147181f;
}

/* The arguments of attention_forward, and its mask or NULL. */
typedef struct attention_job {
    ops_room room;
    float *y, *lse;
    const attention_input *in;
    const dropout_mask *mask;
} attention_job;

static void attend_head(void *job, size_t number, size_t thread)
{
    const attention_job *j = job;
    head h = head_of(j->in, number / j->in->heads, number % j->in->heads, j->mask);
    for (size_t query = 0; query < h.TQ; query += QUERIES) {
        size_t row = h.first_query + query;
        attend_all(room_of(j->room, thread), j->y + row * h.hidden + h.number * h.D,
                   j->lse ? j->lse + row * h.n_heads + h.number : NULL, &h,
                   query, h.TQ - query < QUERIES ? h.TQ - query : QUERIES);
    }
}

void OP(attention_forward)(ops_room room, float *y, float *lse, const attention_input *in)
{
    dropout_mask mask = dropout_start(in->drop);
    size_t n = in->keys.n_seq * in->heads;
    threads_run(n, threads_for_products(room, attention_work(in), n), attend_head,
                &(attention_job){ room, y, lse, in, in->drop.rate > 0 ? &mask : NULL });
}

/* ---- to look at -------------------------------------------------------------------------------------------------- */

/* p (n) = exp(p - greatest) / sum */
static void attention_softmax(float *p, size_t n)
{
    float most = -INFINITY, total = 0;
    for (size_t j = 0; j < n; j++)
        most = p[j] > most ? p[j] : most;
    for (size_t j = 0; j < n; j++)
        total += p[j] = expf(p[j] - most);
    for (size_t j = 0; j < n; j++)
        p[j] /= total;
}

void OP(attention_weights)(float *p, const attention_input *in, size_t sequence, size_t number)
{
    head h = head_of(in, sequence, number, NULL);
    for (size_t i = 0; i < h.TQ; i++, p += h.TK) {
        for (size_t j = 0; j < h.TK; j++) {
            ptrdiff_t d = h.places ? h.places[j] - h.places[i] : (ptrdiff_t)j - (ptrdiff_t)i;
            p[j] = h.scale * row_dot(h.q + i * h.ldq, h.k + j * h.ldkv, h.D) + rule_of_distance(&h, d);
        }
        attention_softmax(p, h.TK);
    }
}
