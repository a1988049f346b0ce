/* Dropout masks (ops/dropout.h) for whole vectors. */
#pragma once

#include "ops/cpu/vec.h"
#include "ops/dropout.h"

enum {
    MASK_RUN = 2 * LANES, /* elements: LANES / 2 Philox blocks of four words */
    MOST_RUNS = 2         /* made at a time */
};

INLINE vecu64 splat64(uint64_t x)
{
    return x - (vecu64){ 0 };
}

/* The product of the lower halves of each 64-bit lane. */
INLINE vecu64 multiply_low(vecu64 a, uint32_t b)
{
#if defined(__AVX512F__)
    return (vecu64)_mm512_mul_epu32((__m512i)a, (__m512i)splat64(b));
#elif defined(__AVX2__)
    return (vecu64)_mm256_mul_epu32((__m256i)a, (__m256i)splat64(b));
#else
    return (a & splat64(0xffffffffu)) * splat64(b);
#endif
}

/* The upper half of each 64-bit lane in its lower one. A shuffle, since multiplications keep the ports of shifts
 * busy. */
INLINE vecu64 upper(vecu64 a)
{
    return (vecu64)SWAP((vecu)a, 1);
}

/* a ^ b ^ c */
INLINE vecu64 differ(vecu64 a, vecu64 b, vecu64 c)
{
#if defined(__AVX512F__)
    return (vecu64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
#else
    return a ^ b ^ c;
#endif
}

/* Factors (0 or scale) of the elements of `runs` runs from `first` on, a multiple of 4. Each 64-bit lane runs one
 * Philox block; what the rounds leave in its upper half is not read before it is overwritten or cleared. A run alone
 * waits for its multiplications: two at a time take little longer. */
INLINE void mask_runs(float *factor, const dropout_mask *m, uint64_t first, const int runs)
{
#if LANES == 16
    vecu64 lane = { 0, 1, 2, 3, 4, 5, 6, 7 };
#elif LANES == 8
    vecu64 lane = { 0, 1, 2, 3 };
#else
    vecu64 lane = { 0, 1 };
#endif
    vecu64 c0[MOST_RUNS], c1[MOST_RUNS], c2[MOST_RUNS], c3[MOST_RUNS];
    UNROLL for (int r = 0; r < runs; r++) {
        c0[r] = splat64((first >> 2) + (uint64_t)r * LANES / 2) + lane;
        c1[r] = c0[r] >> 32 ^ splat64(m->step_high);
        c2[r] = splat64(m->site);
        c3[r] = splat64(m->step_low);
    }
    for (int round = 0; round < DROPOUT_ROUNDS; round++) {
        vecu64 k0 = splat64(m->round_keys[round][0]), k1 = splat64(m->round_keys[round][1]);
        UNROLL for (int r = 0; r < runs; r++) {
            vecu64 p0 = multiply_low(c0[r], 0xD2511F53u), p1 = multiply_low(c2[r], 0xCD9E8D57u);
            c0[r] = differ(upper(p1), c1[r], k0);
            c2[r] = differ(upper(p0), c3[r], k1);
            c1[r] = p1;
            c3[r] = p0;
        }
    }
    vecu64 low = splat64(0xffffffffu);
    vecu least = m->least - (vecu){ 0 };
    UNROLL for (int r = 0; r < runs; r++) {
        vecu64 words01 = (c0[r] & low) | c1[r] << 32, words23 = (c2[r] & low) | c3[r] << 32;
        vecu a = (vecu)ZIP64_LOW(words01, words23), b = (vecu)ZIP64_HIGH(words01, words23);
        store(factor + r * MASK_RUN, (vec)((veci)(a >= least) & (veci)splat(m->scale)));
        store(factor + r * MASK_RUN + LANES, (vec)((veci)(b >= least) & (veci)splat(m->scale)));
    }
}

/* Factors of elements first .. first + n, n any number; room for MASK_RUN more is needed at both ends of `factor`: it
 * is filled from a multiple of 4, and the address of element `first` is returned. */
INLINE const float *mask_fill(float *factor, const dropout_mask *m, uint64_t first, size_t n)
{
    size_t skip = first & 3, i = 0;
    for (; i + MASK_RUN < skip + n; i += MOST_RUNS * MASK_RUN)
        mask_runs(factor + i, m, first - skip + i, MOST_RUNS);
    if (i < skip + n)
        mask_runs(factor + i, m, first - skip + i, 1);
    return factor + skip;
}
