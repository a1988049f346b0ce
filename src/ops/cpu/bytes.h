/* The products of int8: what a multiplication adds, and the size of a tile of sums. Weights are panels of quadruples
 * (dense_pack.h): one word holds the weights of four k of one column. Rows of x are numbers 0 .. 255. Sums are exact on
 * every instruction set.
 *
 * Three ways to multiply, by what there is:
 *   VNNI           vpdpbusd adds the four products of each lane to its sum;
 *   AVX2, AVX-512  both factors are widened to 16 bits: vpmaddwd adds two products exactly, where vpmaddubsw of bytes
 *                  would saturate. A lane of 64 bits is a column; its two sums are added at the end;
 *   else           plain loops. */
#pragma once

#include "ops/cpu/activate.h"
#include "ops/cpu/tile.h"

typedef uint32_t quadruples __attribute__((vector_size(4 * LANES), aligned(4), may_alias)); /* of LANES columns */

#if defined(OPS_VNNI) || !defined(__AVX2__)
typedef uint8_t quant; /* a number of x */
#define STORE_QUANTS store_bytes
typedef uint32_t four; /* four of them */
enum { COLUMNS_OF_SUM = LANES };
#else
typedef uint16_t quant;
#define STORE_QUANTS store_halves
typedef uint64_t four;
enum { COLUMNS_OF_SUM = LANES / 2 };
#endif
typedef four four_there __attribute__((may_alias)); /* as it lies in a row of x */

/* A tile is X_ROWS rows by SUMS vectors of sums; they, as many vectors of weights, one of x and one product stay in the
 * registers. */
#if LANES == 16 && !defined(OPS_VNNI)
#define X_HEIGHTS HEIGHTS_TO_6
enum { SUMS = 4 };
#else
#define X_HEIGHTS HEIGHTS
enum { SUMS = 2 };
#endif
enum { X_ROWS = 0 X_HEIGHTS(COUNT_HEIGHT), HALF_X_ROWS = X_ROWS / 2, TILE_COLUMNS = SUMS * COLUMNS_OF_SUM };

#if defined(OPS_VNNI) && defined(__AVX512F__)
INLINE veci columns_at(const int8_t *panel)
{
    return (veci) * (const quadruples *)panel;
}

INLINE veci add_products(veci sum, four x, veci columns)
{
    return (veci)_mm512_dpbusd_epi32((__m512i)sum, _mm512_set1_epi32((int)x), (__m512i)columns);
}
#elif defined(OPS_VNNI)
INLINE veci columns_at(const int8_t *panel)
{
    return (veci) * (const quadruples *)panel;
}

INLINE veci add_products(veci sum, four x, veci columns)
{
    return (veci)_mm256_dpbusd_avx_epi32((__m256i)sum, _mm256_set1_epi32((int)x), (__m256i)columns);
}
#elif defined(__AVX512F__)
INLINE veci columns_at(const int8_t *panel)
{
    return (veci)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)panel));
}

INLINE veci add_products(veci sum, four x, veci columns)
{
    return sum + (veci)_mm512_madd_epi16(_mm512_set1_epi64((long long)x), (__m512i)columns);
}
#elif defined(__AVX2__)
INLINE veci columns_at(const int8_t *panel)
{
    return (veci)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)panel));
}

INLINE veci add_products(veci sum, four x, veci columns)
{
    return sum + (veci)_mm256_madd_epi16(_mm256_set1_epi64x((long long)x), (__m256i)columns);
}
#else
INLINE veci columns_at(const int8_t *panel)
{
    return (veci) * (const quadruples *)panel;
}

INLINE veci add_products(veci sum, four x, veci columns)
{
    /* the byte of each lane with its sign: up to the top, and down again */
    for (int byte = 0; byte < 4; byte++, x >>= 8)
        sum += splat_int((int32_t)(x & 0xff)) * ((veci)((vecu)columns << (24 - 8 * byte)) >> 24);
    return sum;
}
#endif

/* The sums of LANES columns from what stands in s. */
INLINE veci lane_sums(const veci *s)
{
#if defined(OPS_VNNI) || !defined(__AVX2__)
    return s[0];
#elif LANES == 16
    veci even = __builtin_shufflevector(s[0], s[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return even + __builtin_shufflevector(s[0], s[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    veci even = __builtin_shufflevector(s[0], s[1], 0, 2, 4, 6, 8, 10, 12, 14);
    return even + __builtin_shufflevector(s[0], s[1], 1, 3, 5, 7, 9, 11, 13, 15);
#endif
}
