/* One head of one sequence, as attention forward and backward see it. */
#pragma once

#include "ops/cpu/elementary.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/mask.h"
#include "ops/cpu/share.h"

#define ALIGNED __attribute__((aligned(64)))
#define NO_WINDOW ((size_t)PTRDIFF_MAX / 4)

typedef struct head {
    const float *q, *k, *v; /* (TQ, D) with ldq; (TK, D) with ldkv */
    size_t ldq, ldkv, TQ, TK, D;
    float scale; /* 1 / sqrt(D) */
    size_t first_query, first_key, number, n_heads, hidden;
    const dropout_mask *mask; /* or NULL */
    size_t window;            /* NO_WINDOW: none */
    const float *bias;        /* of distance 0, NULL: there is none; on both sides `span` more */
    ptrdiff_t span;
    const int32_t *places; /* of the keys; NULL: they follow one another */
    bool ruled;            /* some key is out of some query's window, or there is a bias */
} head;

INLINE head head_of(const attention_input *in, size_t sequence, size_t number, const dropout_mask *mask)
{
    size_t D = in->hidden / in->heads, query = (size_t)in->queries.start[sequence],
           key = (size_t)in->keys.start[sequence], TK = (size_t)in->keys.start[sequence + 1] - key,
           span = in->rule.span, window = in->rule.window;
    const int32_t *places = in->rule.places ? in->rule.places + key : NULL;
    bool holes = places && TK && places[TK - 1] - places[0] != (int32_t)TK - 1;
    return (head){
        .q = in->q + query * in->ldq + number * D,
        .k = in->k + key * in->ldkv + number * D,
        .v = in->v + key * in->ldkv + number * D,
        .ldq = in->ldq,
        .ldkv = in->ldkv,
        .TQ = (size_t)in->queries.start[sequence + 1] - query,
        .TK = TK,
        .D = D,
        .scale = 1.0f / sqrtf((float)D),
        .first_query = query,
        .first_key = key,
        .number = number,
        .n_heads = in->heads,
        .hidden = in->hidden,
        .mask = mask,
        .window = window ? window : NO_WINDOW,
        .bias = in->rule.bias ? in->rule.bias + number * (2 * span + 1) + span : NULL,
        .span = (ptrdiff_t)span,
        .places = holes ? places : NULL,
        .ruled = in->rule.bias || (window && (holes || window + 1 < TK)),
    };
}

/* Multiply-adds of one forward pass, to judge how many threads it is worth. */
INLINE size_t attention_work(const attention_input *in)
{
    size_t work = 0;
    size_t reach = in->rule.window ? 2 * in->rule.window + 1 : SIZE_MAX;
    for (size_t s = 0; s < in->keys.n_seq; s++) {
        size_t keys = (size_t)(in->keys.start[s + 1] - in->keys.start[s]);
        work += (size_t)(in->queries.start[s + 1] - in->queries.start[s]) * (keys < reach ? keys : reach);
    }
    return 2 * work * in->hidden;
}

/* ---- the rule ---------------------------------------------------------------------------------------------------- */

typedef struct key_range {
    size_t first, end;
} key_range;

/* The keys outside of which none of the queries from `query` on attends to any. Places are at least as far apart as
 * rows. */
INLINE key_range keys_of(const head *h, size_t query, size_t queries)
{
    size_t w = h->window, end = query + queries;
    return (key_range){ query > w ? query - w : 0, w < h->TK && end < h->TK - w ? end + w : h->TK };
}

/* What is added to the score of a key out of the window: none is as low by itself, and all below ADMITTED is such. */
#define OUT_OF_WINDOW (-1e30f)
#define ADMITTED (-1e29f)

INLINE float rule_of_distance(const head *h, ptrdiff_t d)
{
    ptrdiff_t w = (ptrdiff_t)h->window, s = h->span;
    return d > w || d < -w ? OUT_OF_WINDOW : h->bias ? h->bias[d > s ? s : d < -s ? -s : d] : 0;
}

/* True where the rule leaves the scores of some queries and keys as they are. */
INLINE bool rule_is_still(const head *h, size_t query, size_t queries, size_t key, size_t keys)
{
    return !h->ruled || (!h->bias && !h->places && query + queries <= key + h->window + 1 &&
                         key + keys <= query + h->window + 1);
}

/* Fills line, of queries + keys rounded up to a vector, with what is added, times `unit`, to the scores of queries and
 * keys from these on: that of query i and key j is line[queries - 1 - i + j]. No holes. */
INLINE void rule_line(float *line, const head *h, size_t query, size_t queries, size_t key, size_t keys, float unit)
{
    ptrdiff_t first = (ptrdiff_t)key - (ptrdiff_t)(query + queries - 1);
    for (size_t t = 0; t < queries + keys + LANES - 1; t++)
        line[t] = unit * rule_of_distance(h, first + (ptrdiff_t)t);
}

/* The same for one query and keys that have holes between them; line: of keys rounded up to a vector. */
INLINE void rule_of_places(float *line, const head *h, size_t query, size_t key, size_t keys, float unit)
{
    for (size_t t = 0; t < keys + LANES - 1; t++)
        line[t] = key + t < h->TK ? unit * rule_of_distance(h, h->places[key + t] - h->places[query]) : OUT_OF_WINDOW;
}

/* Floats of the line of so many queries and keys. */
#define RULE_LINE(queries, keys) ((queries) + (keys) + LANES)

/* What is added to the scores of query number i of those that `line` was filled for; with holes it is filled for each,
 * here. */
INLINE const float *rule_row(float *line, const head *h, size_t query, size_t queries, size_t i, size_t key,
                             size_t keys, float unit)
{
    if (!h->places)
        return line + queries - 1 - i;
    rule_of_places(line, h, query + i, key, keys, unit);
    return line;
}

/* The factors of dropout for a query's keys from `key` on; room has MASK_RUN floats more at both ends (mask_fill). */
INLINE const float *drop_factors(float *room, const head *h, size_t query, size_t key, size_t keys)
{
    uint64_t first = (((h->mask->before + h->first_query + query) * h->n_heads + h->number) << 16) + key;
    return mask_fill(room, h->mask, first, keys);
}

/* sum of a * b */
INLINE float row_dot(const float *a, const float *b, size_t n)
{
    vec total = splat(0.0f);
    for (size_t c = 0; c < n; c += LANES) {
        size_t lanes = lanes_at(c, n);
        total = fma_vec(load_lanes(a + c, lanes), load_lanes(b + c, lanes), total);
    }
    return sum_lanes(total);
}
