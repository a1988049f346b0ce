/* Random numbers from a counter: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 * A number depends on (seed, stream, index) and nothing else: not on the thread, not on what was drawn before. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* A sequence of draws for things that are drawn one after another: initial weights, the order of rows. */
typedef struct random_stream {
    uint64_t seed, stream, index;
} random_stream;

uint32_t random_u32(random_stream *r);
uint32_t random_below(random_stream *r, uint32_t n); /* uniform in [0, n), n > 0, without bias */
float random_uniform(random_stream *r, float low, float high);
float random_normal(random_stream *r); /* mean 0, deviation 1 (Box-Muller) */
void random_shuffle(random_stream *r, uint32_t *items, size_t n);

/* Streams, so that no two uses of one seed see the same numbers. Dropout has its own counter layout (ops/dropout.h). */
enum { RANDOM_HEAD = 1, RANDOM_POOLER = 2, RANDOM_SHUFFLE = 3, RANDOM_SPLIT = 4 };
