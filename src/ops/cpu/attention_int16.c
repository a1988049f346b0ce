/* Attention over ragged sequences, forward, by products of 16-bit integers: two multiply-adds in the place of one of
 * floats, with exact sums. For models whose dense layers multiply in int8 or bf16, which lose more.
 *
 * As in attention.c one head of one sequence at a time, in blocks of KEYS, the softmax carried from block to block; a
 * query's bits depend on its own sequence alone. What is rounded:
 *   q      -4095 .. 4095 times a scale of each row;
 *   k, v   -4095 .. 4095, -2047 .. 2047 times a scale of each block;
 *   exp2 of the scores, 0 .. 8191 beside the greatest so far.
 * With these bounds no sum leaves 32 bits: 128 * 4095 * 4095 and 128 * 2047 * 8191. Two numbers that follow one another
 * in what is summed over make a pair, a word of four bytes. Numbers that are not finite make y NaN wherever they
 * count. */
#include "ops/cpu/attention.h"
#include "ops/cpu/heights.h"
#include "ops/cpu/lanes.h"

#if !defined(__AVX2__)
void OP(attention_forward_int16)(ops_room room, float *y, const attention_input *in)
{
    OP(attention_forward)(room, y, NULL, in);
}
#else

enum {
    HEAD = ATTENTION_MAX_HEAD,
    KEYS = 128,
    QUERIES = 512, /* whose maxima and sums are kept, while the keys of a block are packed once */
    WIDTH = 2 * LANES, /* columns of a tile, numbers of a vector of pairs */
    MOST_QK = 4095,
    MOST_V = 2047
};
#define LOG2_MOST_P 12.9998239f /* 8191 */
#define LOG2_E 1.44269504f
_Static_assert(KEYS % WIDTH == 0 && HEAD % WIDTH == 0, "whole panels");
_Static_assert(HEAD <= 128 && KEYS <= 128, "sums of so many products");

typedef uint32_t pair;

/* ---- integers ---------------------------------------------------------------------------------------------------- */

#if LANES == 16
INLINE veci rounded(vec v)
{
    return (veci)_mm512_cvtps_epi32(v);
}

INLINE veci max_int(veci a, veci b)
{
    return (veci)_mm512_max_epi32((__m512i)a, (__m512i)b);
}

/* LANES pairs: of the numbers of a, then of b. */
INLINE veci pairs_along(veci a, veci b)
{
    return (veci)_mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0),
                                          _mm512_packs_epi32((__m512i)a, (__m512i)b));
}

/* Pairs of a lane of a and the same of b. */
INLINE veci pairs_across(veci a, veci b)
{
    return (veci)_mm512_mask_blend_epi16(0xaaaaaaaau, (__m512i)a, _mm512_slli_epi32((__m512i)b, 16));
}

INLINE veci add_pairs(veci sum, veci a, veci b)
{
#if defined(OPS_VNNI)
    return (veci)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
    return sum + (veci)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#endif
}
#else
INLINE veci rounded(vec v)
{
    return (veci)_mm256_cvtps_epi32(v);
}

INLINE veci max_int(veci a, veci b)
{
    return (veci)_mm256_max_epi32((__m256i)a, (__m256i)b);
}

INLINE veci pairs_along(veci a, veci b)
{
    return (veci)_mm256_permute4x64_epi64(_mm256_packs_epi32((__m256i)a, (__m256i)b), 0xd8);
}

INLINE veci pairs_across(veci a, veci b)
{
    return (veci)_mm256_blend_epi16((__m256i)a, _mm256_slli_epi32((__m256i)b, 16), 0xaa);
}

INLINE veci add_pairs(veci sum, veci a, veci b)
{
#if defined(OPS_VNNI)
    return (veci)_mm256_dpwssd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
#else
    return sum + (veci)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#endif
}
#endif

INLINE veci load_int(const void *p)
{
    return *(const veci_unaligned *)p;
}

INLINE void store_int(void *p, veci v)
{
    *(veci_unaligned *)p = v;
}

/* The greatest size of numbers so far, lane by lane, and a sum of zeros as long as all are finite. */
typedef struct reach {
    vec most, odd;
} reach;

INLINE reach reach_of(const float *row, size_t n, reach r)
{
    for (size_t d = 0; d < n; d += LANES) {
        vec v = load_lanes(row + d, lanes_at(d, n));
        r.most = max_vec(abs_vec(v), r.most);
        r.odd = fma_vec(v, splat(0.0f), r.odd);
    }
    return r;
}

/* What numbers of that reach are multiplied by to be integers up to `to`, and back; NaN where they are not finite. */
typedef struct steps {
    vec inverse, step;
} steps;

INLINE steps steps_of(vec most, vec odd, int to)
{
    vec limit = splat((float)to), some = splat(1e-30f), step = max_vec(most, some) * (splat(1.0f) / limit);
    return (steps){ limit / max_vec(most, some), step + odd };
}

INLINE veci whole(const float *row, size_t d, size_t n, vec inverse)
{
    return d < n ? rounded(load_lanes(row + d, lanes_at(d, n)) * inverse) : splat_int(0);
}

/* pairs (n / 2, rounded up to LANES) of a row of n numbers */
INLINE veci row_pairs(const float *row, size_t d, size_t n, vec inverse)
{
    return pairs_along(whole(row, d, n, inverse), whole(row, d + LANES, n, inverse));
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* Sums of a (rows, k pairs) times b (k pairs, columns of a tile): to scores, or, times `factor`, to y. */
typedef struct int16_product {
    const pair *a, *b;
    size_t lda, ldb, k, rows;
    int32_t *scores; /* (rows, WIDTH) with KEYS, or NULL */
    float *y;        /* (rows, cols) with ldy: y before[i] + factor sums, times after[i] */
    size_t ldy, cols;
    const float *before, *after; /* (rows) or NULL: y is overwritten; no factor */
    float factor;
} int16_product;

INLINE void int16_values(const int16_product *p, veci sum[][2], const int rows, const int vectors)
{
    UNROLL for (int j = 0; j < vectors; j++) {
        size_t lanes = lanes_at((size_t)j * LANES, p->cols);
        UNROLL for (int i = 0; i < rows; i++) {
            if ((size_t)i == p->rows)
                break;
            float *y = p->y + (size_t)i * p->ldy + j * LANES;
            vec v = to_floats(sum[i][j]) * splat(p->factor);
            if (p->before)
                v = fma_vec(load_lanes(y, lanes), splat(p->before[i]), v);
            store_lanes(y, p->after ? v * splat(p->after[i]) : v, lanes);
        }
    }
}

INLINE void int16_tile(const int16_product *p, const int rows, const int vectors)
{
    const pair *a = p->a, *b = p->b;
    size_t lda = p->lda, ldb = p->ldb;
    veci sum[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = splat_int(0);
    UNROLL_DEPTH for (size_t l = 0; l < p->k; l++, b += ldb) {
        veci bl[2];
        UNROLL for (int j = 0; j < vectors; j++)
            bl[j] = load_int(b + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            veci ai = splat_int((int32_t)a[(size_t)i * lda + l]);
            UNROLL for (int j = 0; j < vectors; j++)
                sum[i][j] = add_pairs(sum[i][j], ai, bl[j]);
        }
    }
    if (!p->scores) {
        int16_values(p, sum, rows, vectors);
        return;
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            store_int(p->scores + (size_t)i * KEYS + j * LANES, sum[i][j]);
}

/* Even heights alone: half the code, and one row more here and there costs 0 to 3 % of attention. */
#define INT16_TILE(rows) \
    static void int16_tile_##rows##_1(const int16_product *p) \
    { \
        int16_tile(p, rows, 1); \
    } \
    static void int16_tile_##rows##_2(const int16_product *p) \
    { \
        int16_tile(p, rows, 2); \
    }
EVEN_HEIGHTS(INT16_TILE)

#define INT16_TILES_OF(rows) { int16_tile_##rows##_1, int16_tile_##rows##_2 },
static void (*const INT16_TILES[][2])(const int16_product *) = { EVEN_HEIGHTS(INT16_TILES_OF) };

static void int16_multiply(const int16_product *p, size_t cols)
{
    INT16_TILES[(p->rows - 1) / 2][cols > LANES](p);
}

/* ---- a block of keys --------------------------------------------------------------------------------------------- */

typedef struct int16_block {
    size_t key, n;               /* which keys of the sequence */
    float key_step, value_step;  /* NaN where a key or value is not finite */
    pair keys[KEYS * HEAD / 2] ALIGNED;   /* panels of (D / 2, WIDTH): the transpose, up to a whole vector */
    pair values[KEYS / 2 * HEAD] ALIGNED; /* (n / 2, value_line) */
    size_t value_line;
} int16_block;

/* Of n rows of D numbers. */
static steps block_steps(const float *rows, size_t ld, size_t n, size_t D, int to)
{
    reach r = { splat(0.0f), splat(0.0f) };
    for (size_t i = 0; i < n; i++)
        r = reach_of(rows + i * ld, D, r);
    return steps_of(splat(max_lanes(r.most)), splat(sum_lanes(r.odd)), to);
}

/* Keys in place of lanes; beyond the last one it stands again, so that no row needs a question. */
static void int16_keys(int16_block *b, const head *h)
{
    size_t pairs = (h->D + 1) / 2;
    steps s = block_steps(h->k + b->key * h->ldkv, h->ldkv, b->n, h->D, MOST_QK);
    b->key_step = s.step[0];
    for (size_t j = 0; j < b->n; j += LANES) {
        pair *panel = b->keys + j / WIDTH * WIDTH * pairs + j % WIDTH;
        const float *from = h->k + (b->key + j) * h->ldkv;
        size_t last = b->n - j - 1;
        for (size_t l = 0; l < pairs; l += LANES) {
            vec v[LANES];
            UNROLL for (size_t i = 0; i < LANES; i++)
                v[i] = (vec)row_pairs(from + (i < last ? i : last) * h->ldkv, 2 * l, h->D, s.inverse);
            transpose_lanes(v);
            for (size_t i = 0; i < LANES && l + i < pairs; i++)
                store_int(panel + (l + i) * WIDTH, (veci)v[i]);
        }
    }
}

static void int16_block_values(int16_block *b, const head *h)
{
    const float *from = h->v + b->key * h->ldkv;
    steps s = block_steps(from, h->ldkv, b->n, h->D, MOST_V);
    b->value_step = s.step[0];
    b->value_line = (h->D + LANES - 1) / LANES * LANES;
    for (size_t j = 0; j < b->n; j += 2)
        for (size_t d = 0; d < h->D; d += LANES) {
            const float *row = from + j * h->ldkv;
            veci next = j + 1 < b->n ? whole(row + h->ldkv, d, h->D, s.inverse) : splat_int(0);
            store_int(b->values + j / 2 * b->value_line + d, pairs_across(whole(row, d, h->D, s.inverse), next));
        }
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

/* A tile's queries and what is known of their softmax. */
typedef struct int16_queries {
    pair q[ROWS * HEAD / 2] ALIGNED;
    float step[LANES] ALIGNED; /* of each row */
    int32_t scores[ROWS * KEYS] ALIGNED;
    pair p[ROWS * KEYS / 2] ALIGNED;
    float before[LANES] ALIGNED, after[LANES] ALIGNED;
} int16_queries;

static void take_queries(int16_queries *t, const head *h, size_t query, size_t rows)
{
    const float *from = h->q + query * h->ldq;
    vec most[LANES], odd[LANES], inverse[LANES];
    for (size_t i = 0; i < LANES; i++) {
        reach r = { splat(0.0f), splat(0.0f) };
        if (i < rows)
            r = reach_of(from + i * h->ldq, h->D, r);
        most[i] = r.most;
        odd[i] = r.odd;
    }
    steps s = steps_of(maxima_across(most), sums_across(odd), MOST_QK);
    store(t->step, s.step);
    store((float *)inverse, s.inverse);
    for (size_t i = 0; i < rows; i++) {
        vec times = splat(((const float *)inverse)[i]);
        for (size_t d = 0; d < h->D; d += WIDTH)
            store_int(t->q + i * HEAD / 2 + d / 2, row_pairs(from + i * h->ldq, d, h->D, times));
    }
}

/* 8191 * 2^t for t <= 0, t being x less log2 of 8191; to 3e-6. */
INLINE veci exponential(vec x)
{
    vec n, r = split_exp2_vec(min_vec(x, splat(LOG2_MOST_P)), &n);
    vec p = splat(0.0095701019f); /* 2^r */
    p = fma_vec(p, r, splat(0.05591786f));
    p = fma_vec(p, r, splat(0.24024745f));
    p = fma_vec(p, r, splat(0.69312182f));
    p = fma_vec(p, r, splat(0.99999926f));
    return rounded(scale_exp2_vec(p, n));
}

/* Scores become floats in their place, times scale and with what the rule adds. */
static void int16_rule(int16_queries *t, const head *h, size_t query, size_t rows, size_t key, size_t n, vec scale)
{
    float line[RULE_LINE(ROWS, KEYS)];
    bool still = rule_is_still(h, query, rows, key, n);
    if (!still && !h->places)
        rule_line(line, h, query, rows, key, n, LOG2_E);
    for (size_t i = 0; i < rows; i++) {
        const float *row = still ? NULL : rule_row(line, h, query, rows, i, key, n, LOG2_E);
        vec s = scale * splat(t->step[i]);
        for (size_t j = 0; j < n; j += LANES) {
            int32_t *at = t->scores + i * KEYS + j;
            store_int(at, (veci)fma_vec(to_floats(load_int(at)), s, row ? load(row + j) : splat(0.0f)));
        }
    }
}

/* LANES scores as floats. */
INLINE vec int16_scores(const int32_t *p, const bool ruled)
{
    return ruled ? (vec)load_int(p) : to_floats(load_int(p));
}

/* Their exponentials, beside the greatest; what is not admitted becomes 0. */
INLINE veci int16_exponential(vec score, vec scale, vec less, const bool ruled)
{
    veci e = exponential(ruled ? score + less : fma_vec(score, scale, less));
    return ruled ? e & ~(score < splat(ADMITTED)) : e;
}

/* The greatest of a row's n scores. */
INLINE vec int16_greatest(const int32_t *row, size_t n, const bool ruled)
{
    size_t last = (n - 1) / LANES * LANES;
    if (ruled) {
        vec high = choose(lane_numbers() < splat_int((int32_t)(n - last)), (vec)load_int(row + last),
                          splat(OUT_OF_WINDOW));
        for (size_t j = 0; j < last; j += LANES)
            high = max_vec(high, (vec)load_int(row + j));
        return high;
    }
    veci high = load_int(row + last); /* beyond the last key it stands again */
    for (size_t j = 0; j < last; j += LANES)
        high = max_int(high, load_int(row + j));
    return to_floats(high);
}

/* Scores (rows, KEYS), n of them used, become exponentials, 0 beyond n. most, total (rows): of the keys before, none
 * where `first`, and then of these, too. ruled: scores are floats, and keys of which none is admitted leave a query's
 * sums as they are. */
INLINE void int16_exponentials_of(int16_queries *t, float *most, float *total, size_t rows, size_t n, vec scale,
                                  bool first, const bool ruled)
{
    size_t last = (n - 1) / LANES * LANES; /* where the last vector begins, whole or not */
    veci inside = lane_numbers() < splat_int((int32_t)(n - last));
    vec v[LANES];
    for (size_t i = 0; i < LANES; i++)
        v[i] = i < rows ? int16_greatest(t->scores + i * KEYS, n, ruled) : splat(0.0f);
    scale *= load(t->step);
    /* steps that are not finite make the greatest NaN, which a maximum of floats might not */
    vec greatest = ruled ? fma_vec(scale, splat(0.0f), maxima_across(v)) : maxima_across(v) * scale;
    vec so_far = first ? greatest : load_part(most, rows);
    greatest = max_vec(so_far, greatest);
    store_part(most, greatest, rows);
    float low[LANES] ALIGNED, factor[LANES] ALIGNED;
    store(low, splat(LOG2_MOST_P) - greatest);
    store(factor, scale);
    veci ones = splat_int(0x00010001);
    for (size_t i = 0; i < LANES; i++) {
        veci sum = splat_int(0);
        if (i < rows) {
            vec m = splat(low[i]), s = splat(factor[i]);
            const int32_t *row = t->scores + i * KEYS;
            pair *to = t->p + i * KEYS / 2;
            for (size_t j = 0; j < n; j += WIDTH) {
                veci a = int16_exponential(int16_scores(row + j, ruled), s, m, ruled), b = splat_int(0);
                if (j == last)
                    a &= inside;
                else
                    b = int16_exponential(int16_scores(row + j + LANES, ruled), s, m, ruled);
                if (j + LANES == last)
                    b &= inside;
                veci both = pairs_along(a, b);
                store_int(to + j / 2, both);
                sum = add_pairs(sum, both, ones);
            }
        }
        v[i] = to_floats(sum);
    }
    /* sums of integers below 2^24 in any order; NaN where a score is */
    vec sum = sums_across(v) + (greatest - greatest);
    vec shrink = exp2_below_vec(so_far - greatest);
    if (ruled)
        shrink = choose(so_far == greatest, splat(1.0f), shrink);
    if (!first)
        sum = fma_vec(load_part(total, rows), shrink, sum);
    store_part(total, sum, rows);
    store(t->before, shrink);
    store(t->after, splat(1.0f) / sum);
}

static void int16_exponentials(int16_queries *t, float *most, float *total, size_t rows, size_t n, vec scale,
                               bool first, bool ruled)
{
    if (ruled)
        int16_exponentials_of(t, most, total, rows, n, scale, first, true);
    else
        int16_exponentials_of(t, most, total, rows, n, scale, first, false);
}

/* One tile's rows of queries, `query` the first, against a block of keys: whole panels of it that hold some key of
 * theirs. y (rows, D; hidden); most, total: the rows' own. */
static void int16_attend(int16_queries *t, float *y, float *most, float *total, const head *h, const int16_block *b,
                         size_t query, size_t rows)
{
    size_t pairs = (h->D + 1) / 2;
    key_range r = keys_of(h, query, rows);
    if (r.end <= b->key || r.first >= b->key + b->n)
        return;
    bool first = b->key <= r.first, last = r.end <= b->key + b->n;
    size_t from = first ? (r.first - b->key) / WIDTH * WIDTH : 0, n = (last ? r.end - b->key : b->n) - from;
    vec scale = splat(h->scale * LOG2_E * b->key_step);
    take_queries(t, h, query, rows);
    for (size_t j = 0; j < n; j += WIDTH)
        int16_multiply(&(int16_product){ .a = t->q, .b = b->keys + (from + j) * pairs, .lda = HEAD / 2, .ldb = WIDTH,
                                         .k = pairs, .rows = rows, .scores = t->scores + j },
                       n - j);
    if (h->ruled)
        int16_rule(t, h, query, rows, b->key + from, n, scale);
    int16_exponentials(t, most, total, rows, n, scale, first, h->ruled);
    for (size_t d = 0; d < h->D; d += WIDTH)
        int16_multiply(&(int16_product){ .a = t->p, .b = b->values + from / 2 * b->value_line + d, .lda = KEYS / 2,
                                         .ldb = b->value_line, .k = (n + 1) / 2, .rows = rows, .y = y + d,
                                         .ldy = h->hidden, .cols = h->D - d, .before = first ? NULL : t->before,
                                         .after = last ? t->after : NULL, .factor = b->value_step },
                       h->D - d);
}

/* A thread's room. */
typedef struct int16_room {
    int16_block b;
    int16_queries t;
    float most[QUERIES], total[QUERIES];
} int16_room;
_Static_assert(sizeof(int16_room) <= OPS_ROOM, "a thread's room");

/* Up to QUERIES queries, `query` the first, against all keys of theirs. y (m, D; hidden) */
static void int16_attend_all(int16_room *room, float *y, const head *h, size_t query, size_t m)
{
    int16_block *b = &room->b;
    /* Tiles of like height: one or two rows alone would wait for the multiplier. */
    size_t tiles = (m + ROWS - 1) / ROWS, height = ((m + tiles - 1) / tiles + 1) / 2 * 2;
    key_range r = keys_of(h, query, m);
    for (b->key = r.first / KEYS * KEYS; b->key < r.end; b->key += KEYS) {
        b->n = h->TK - b->key < KEYS ? h->TK - b->key : KEYS;
        int16_keys(b, h);
        int16_block_values(b, h);
        for (size_t i = 0; i < m; i += height)
            int16_attend(&room->t, y + i * h->hidden, room->most + i, room->total + i, h, b, query + i,
                         m - i < height ? m - i : height);
    }
}

typedef struct int16_job {
    ops_room room;
    float *y;
    const attention_input *in;
} int16_job;

static void int16_attend_head(void *job, size_t number, size_t thread)
{
    const int16_job *j = job;
    head h = head_of(j->in, number / j->in->heads, number % j->in->heads, NULL);
    for (size_t query = 0; query < h.TQ; query += QUERIES)
        int16_attend_all(room_of(j->room, thread), j->y + (h.first_query + query) * h.hidden + h.number * h.D, &h,
                         query, h.TQ - query < QUERIES ? h.TQ - query : QUERIES);
}

void OP(attention_forward_int16)(ops_room room, float *y, const attention_input *in)
{
    size_t n = in->keys.n_seq * in->heads;
    threads_run(n, threads_for_products(room, attention_work(in), n), int16_attend_head,
                &(int16_job){ room, y, in });
}
#endif
