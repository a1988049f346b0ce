/* One vector of floats, as wide as the instruction set has them, and what is done with it. Written with the vector
 * extensions of GCC and clang; the few intrinsics are those that the extensions lack (fused products, masks, a product
 * of 32 x 32 -> 64 bits). Every function works lane by lane, so what an element gives does not depend on its place; a
 * partial vector runs through the same code. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t veci __attribute__((vector_size(4 * LANES)));
typedef uint32_t vecu __attribute__((vector_size(4 * LANES)));
typedef uint64_t vecu64 __attribute__((vector_size(4 * LANES)));

/* The same, at any address. */
typedef float vec_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t veci_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline, unused))

/* Loops that are unrolled whole, and loops over k, a few steps at a time. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#define UNROLL_DEPTH _Pragma("unroll 4")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_DEPTH _Pragma("GCC unroll 4")
#endif

/* ---- loads, stores, lanes ---------------------------------------------------------------------------------------- */

INLINE vec load(const float *p)
{
    return *(const vec_unaligned *)p;
}

INLINE void store(float *p, vec v)
{
    *(vec_unaligned *)p = v;
}

INLINE vec splat(float x)
{
#if defined(__AVX512F__)
    return _mm512_set1_ps(x);
#elif defined(__AVX2__)
    return _mm256_set1_ps(x);
#else
    return (vec){ x, x, x, x };
#endif
}

INLINE veci splat_int(int32_t x)
{
    return x - (veci){ 0 };
}

INLINE veci lane_numbers(void)
{
#if LANES == 16
    return (veci){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#elif LANES == 8
    return (veci){ 0, 1, 2, 3, 4, 5, 6, 7 };
#else
    return (veci){ 0, 1, 2, 3 };
#endif
}

/* The first n floats at p, n <= LANES; the other lanes are 0. */
INLINE vec load_part(const float *p, size_t n)
{
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX2__)
    return _mm256_maskload_ps(p, (__m256i)(lane_numbers() < splat_int((int32_t)n)));
#else
    float t[LANES] = { 0 };
    memcpy(t, p, n * sizeof *t);
    return load(t);
#endif
}

/* The first n lanes to p. */
INLINE void store_part(float *p, vec v, size_t n)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
#elif defined(__AVX2__)
    _mm256_maskstore_ps(p, (__m256i)(lane_numbers() < splat_int((int32_t)n)), v);
#else
    float t[LANES];
    store(t, v);
    memcpy(p, t, n * sizeof *t);
#endif
}

/* How many lanes a loop in steps of LANES has at element i of n. */
INLINE size_t lanes_at(size_t i, size_t n)
{
    return n - i < LANES ? n - i : LANES;
}

INLINE vec load_lanes(const float *p, size_t lanes)
{
    return lanes == LANES ? load(p) : load_part(p, lanes);
}

INLINE void store_lanes(float *p, vec v, size_t lanes)
{
    if (lanes == LANES)
        store(p, v);
    else
        store_part(p, v, lanes);
}

/* where ? a : b; a lane of `where` is 0 or -1. */
INLINE vec choose(veci where, vec a, vec b)
{
    return (vec)((where & (veci)a) | (~where & (veci)b));
}

/* v with every lane from n on replaced by x. */
INLINE vec keep_lanes(vec v, size_t n, float x)
{
    return choose(lane_numbers() < splat_int((int32_t)n), v, splat(x));
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/* a * b + c, rounded once. */
INLINE vec fma_vec(vec a, vec b, vec c)
{
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
    return _mm256_fmadd_ps(a, b, c);
#else
    vec r;
    for (int i = 0; i < LANES; i++)
        r[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return r;
#endif
}

INLINE vec max_vec(vec a, vec b)
{
#if defined(__AVX512F__)
    return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
    return _mm256_max_ps(a, b);
#else
    return choose(a > b, a, b);
#endif
}

INLINE vec abs_vec(vec v)
{
    return (vec)((veci)v & splat_int(0x7fffffff));
}

INLINE vec sqrt_vec(vec v)
{
#if defined(__AVX512F__)
    return _mm512_sqrt_ps(v);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(v);
#else
    for (int i = 0; i < LANES; i++)
        v[i] = __builtin_sqrtf(v[i]);
    return v;
#endif
}

/* Lane i and lane i ^ distance change places. */
#if LANES == 16
#define SWAP(v, d) \
    __builtin_shufflevector(v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d, 4 ^ d, 5 ^ d, 6 ^ d, 7 ^ d, 8 ^ d, 9 ^ d, 10 ^ d, \
                            11 ^ d, 12 ^ d, 13 ^ d, 14 ^ d, \
                            15 ^ d)
#elif LANES == 8
#define SWAP(v, d) __builtin_shufflevector(v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d, 4 ^ d, 5 ^ d, 6 ^ d, 7 ^ d)
#else
#define SWAP(v, d) __builtin_shufflevector(v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d)
#endif

INLINE float sum_lanes(vec v)
{
#if LANES > 8
    v += SWAP(v, 8);
#endif
#if LANES > 4
    v += SWAP(v, 4);
#endif
    v += SWAP(v, 2);
    v += SWAP(v, 1);
    return v[0];
}

INLINE float max_lanes(vec v)
{
#if LANES > 8
    v = max_vec(v, SWAP(v, 8));
#endif
#if LANES > 4
    v = max_vec(v, SWAP(v, 4));
#endif
    v = max_vec(v, SWAP(v, 2));
    v = max_vec(v, SWAP(v, 1));
    return v[0];
}

INLINE float min_lanes(vec v)
{
    return -max_lanes(-v);
}

/* ---- numbers of fewer bytes -------------------------------------------------------------------------------------- */

/* gcc 12 converts vectors of these widths number by number where it is not told the instruction. */

INLINE vec to_floats(veci v)
{
#if defined(__AVX512F__)
    return _mm512_cvtepi32_ps((__m512i)v);
#elif defined(__AVX2__)
    return _mm256_cvtepi32_ps((__m256i)v);
#else
    return __builtin_convertvector(v, vec);
#endif
}

/* LANES bf16 */
INLINE vec load_bf16(const uint16_t *p)
{
#if defined(__AVX512F__)
    return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16);
#elif defined(__AVX2__)
    return (vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16);
#else
    vecu v;
    for (int i = 0; i < LANES; i++)
        v[i] = (uint32_t)p[i] << 16;
    return (vec)v;
#endif
}

/* LANES numbers of a byte */
INLINE vec load_int8(const int8_t *p)
{
#if defined(__AVX512F__)
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
#elif defined(__AVX2__)
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
#else
    vec v;
    for (int i = 0; i < LANES; i++)
        v[i] = p[i];
    return v;
#endif
}

/* The lowest byte of each lane. */
INLINE void store_bytes(uint8_t *p, vecu v)
{
#if defined(__AVX512F__)
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8((__m512i)v));
#elif defined(__AVX2__)
    __m256i first = _mm256_set_epi32(-1, -1, -1, 0x0c080400, -1, -1, -1, 0x0c080400),
            bytes = _mm256_shuffle_epi8((__m256i)v, first);
    _mm_storel_epi64((__m128i *)p, _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes),
                                                      _mm256_extracti128_si256(bytes, 1)));
#else
    for (int i = 0; i < LANES; i++)
        p[i] = (uint8_t)v[i];
#endif
}

/* The lower half of each lane. */
INLINE void store_halves(uint16_t *p, vecu v)
{
#if defined(__AVX512F__)
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16((__m512i)v));
#elif defined(__AVX2__)
    __m256i low = _mm256_and_si256((__m256i)v, _mm256_set1_epi32(0xffff));
    _mm_storeu_si128((__m128i *)p, _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
#else
    for (int i = 0; i < LANES; i++)
        p[i] = (uint16_t)v[i];
#endif
}

/* ---- shuffles ---------------------------------------------------------------------------------------------------- */

/* The lower (upper) halves of a and b, lane by lane in turn: a0 b0 a1 b1 ... */
#if LANES == 16
#define ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define ZIP64_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP64_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif LANES == 8
#define ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define ZIP64_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define ZIP64_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define ZIP64_LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define ZIP64_HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

/* Transposes LANES x LANES floats: zipping line i with line i + LANES / 2 moves one bit of a place from its row to its
 * column. */
INLINE void transpose(vec v[LANES])
{
    for (int round = 1; round < LANES; round *= 2) {
        vec t[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            t[2 * i] = ZIP_LOW(v[i], v[i + LANES / 2]);
            t[2 * i + 1] = ZIP_HIGH(v[i], v[i + LANES / 2]);
        }
        for (int i = 0; i < LANES; i++)
            v[i] = t[i];
    }
}
