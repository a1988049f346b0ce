/* Which elements a dropout mask keeps, to the bit, on every machine.
 *
 * Element e of a mask uses word e & 3 of the Philox block b = e >> 2 (base/random.h):
 *     counter { low(b), high(b) ^ rotate(high(step), 16), site, low(step) },   key { low(seed), high(seed) ^ "DROP" }
 * It is kept if that word is at least rate * 2^32 (rate as the float that it is), and then multiplied by 1 / (1 -
 * rate). The key's constant sets these numbers apart from those of base/random.h under the same seed; the rotation sets
 * steps above 2^32 apart from large elements. */
#pragma once

#include "base/random.h"
#include "ops/ops.h"

#include <math.h>

enum { DROPOUT_ROUNDS = 10 };

/* The numbers of a mask that do not depend on the element. */
typedef struct dropout_mask {
    uint64_t round_keys[DROPOUT_ROUNDS][2]; /* of Philox, for whole vectors: as wide as their lanes */
    uint32_t key[2], step_low, step_high, site;
    uint32_t least; /* the smallest word that is kept */
    float scale;    /* 1 / (1 - rate) */
    uint64_t before;
} dropout_mask;

static inline dropout_mask dropout_start(dropout d)
{
    uint32_t high = (uint32_t)(d.step >> 32);
    dropout_mask m = {
        .key = { (uint32_t)d.seed, (uint32_t)(d.seed >> 32) ^ 0x44524f50u },
        .step_low = (uint32_t)d.step,
        .step_high = high << 16 | high >> 16,
        .site = d.site,
        .least = (uint32_t)ceil((double)d.rate * 0x1p32),
        .scale = 1.0f / (1.0f - d.rate),
        .before = d.before,
    };
    for (uint32_t round = 0; round < DROPOUT_ROUNDS; round++) {
        m.round_keys[round][0] = m.key[0] + round * 0x9E3779B9u;
        m.round_keys[round][1] = m.key[1] + round * 0xBB67AE85u;
    }
    return m;
}

/* Element by element: the definition. */
static inline bool dropout_keeps(const dropout_mask *m, uint64_t element)
{
    uint64_t four = element >> 2;
    uint32_t counter[4] = { (uint32_t)four, (uint32_t)(four >> 32) ^ m->step_high, m->site, m->step_low }, word[4];
    philox4x32(word, counter, m->key);
    return word[element & 3] >= m->least;
}
