/* Dropout masks (ops/dropout.h) for whole vectors. */
#pragma once

#include "ops/cpu/vec.h"
#include "ops/dropout.h"

enum { MASK_RUN = 2 * LANES }; /* elements made at a time: LANES / 2 Philox blocks of four words */

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

/* Factors (0 or scale) of the MASK_RUN elements from `first`, a multiple of 4. Each 64-bit lane runs one Philox block;
 * what the rounds leave in its upper half is not read before it is overwritten or cleared. */
INLINE void mask_run(vec factor[2], const dropout_mask *m, uint64_t first)
{
#if LANES == 16
    vecu64 lane = { 0, 1, 2, 3, 4, 5, 6, 7 };
#elif LANES == 8
    vecu64 lane = { 0, 1, 2, 3 };
#else
    vecu64 lane = { 0, 1 };
#endif
    vecu64 block = splat64(first >> 2) + lane;
    vecu64 c0 = block, c1 = block >> 32 ^ splat64(m->step_high), c2 = splat64(m->site), c3 = splat64(m->step_low);
    uint32_t k0 = m->key[0], k1 = m->key[1];
    for (int round = 0; round < 10; round++) {
        vecu64 p0 = multiply_low(c0, 0xD2511F53u), p1 = multiply_low(c2, 0xCD9E8D57u);
        c0 = p1 >> 32 ^ c1 ^ splat64(k0);
        c2 = p0 >> 32 ^ c3 ^ splat64(k1);
        c1 = p1;
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    vecu64 low = splat64(0xffffffffu);
    vecu64 words01 = (c0 & low) | c1 << 32, words23 = (c2 & low) | c3 << 32;
    vecu a = (vecu)ZIP64_LOW(words01, words23), b = (vecu)ZIP64_HIGH(words01, words23);
    vecu least = m->least - (vecu){ 0 };
    factor[0] = (vec)((veci)(a >= least) & (veci)splat(m->scale));
    factor[1] = (vec)((veci)(b >= least) & (veci)splat(m->scale));
}

/* Factors of elements first .. first + n, n any number; room for MASK_RUN more is needed at both ends of `factor`: it
 * is filled from a multiple of 4, and the address of element `first` is returned. */
INLINE const float *mask_fill(float *factor, const dropout_mask *m, uint64_t first, size_t n)
{
    size_t skip = first & 3;
    for (size_t i = 0; i < skip + n; i += MASK_RUN) {
        vec f[2];
        mask_run(f, m, first - skip + i);
        store(factor + i, f[0]);
        store(factor + i + LANES, f[1]);
    }
    return factor + skip;
}
