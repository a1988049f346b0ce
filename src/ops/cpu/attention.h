/* One head of one sequence, as attention forward and backward see it. */
#pragma once

#include "ops/cpu/elementary.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/mask.h"
#include "ops/cpu/share.h"

#define ALIGNED __attribute__((aligned(64)))

typedef struct head {
    const float *q, *k, *v; /* (TQ, D) with ldq; (TK, D) with ldkv */
    size_t ldq, ldkv, TQ, TK, D;
    float scale; /* 1 / sqrt(D) */
    size_t first_query, first_key, number, n_heads, hidden;
    const dropout_mask *mask; /* or NULL */
} head;

INLINE head head_of(const attention_input *in, size_t sequence, size_t number, const dropout_mask *mask)
{
    size_t D = in->hidden / in->heads, query = (size_t)in->queries.start[sequence],
           key = (size_t)in->keys.start[sequence];
    return (head){
        .q = in->q + query * in->ldq + number * D,
        .k = in->k + key * in->ldkv + number * D,
        .v = in->v + key * in->ldkv + number * D,
        .ldq = in->ldq,
        .ldkv = in->ldkv,
        .TQ = (size_t)in->queries.start[sequence + 1] - query,
        .TK = (size_t)in->keys.start[sequence + 1] - key,
        .D = D,
        .scale = 1.0f / sqrtf((float)D),
        .first_query = query,
        .first_key = key,
        .number = number,
        .n_heads = in->heads,
        .hidden = in->hidden,
        .mask = mask,
    };
}

/* Multiply-adds of one forward pass, to judge how many threads it is worth. */
INLINE size_t attention_work(const attention_input *in)
{
    size_t work = 0;
    for (size_t s = 0; s < in->keys.n_seq; s++)
        work += (size_t)(in->queries.start[s + 1] - in->queries.start[s]) *
                (size_t)(in->keys.start[s + 1] - in->keys.start[s]);
    return 2 * work * in->hidden;
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
