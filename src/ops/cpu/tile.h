/* The kernel of a matrix product: a tile of C in registers, and a panel of tiles. A and B consist of words of four
 * bytes: a float, or, in a file compiled with OPS_WORD_BF16, two bf16 that follow one another in k; with
 * OPS_WORD_ROUNDED a bf16 as the float that it is. */
#pragma once

#include "ops/cpu/heights.h"
#include "ops/dense_pack.h"

#include <stdbool.h>

/* The compiler is not to know how p was computed. Lines of A are then reached from two pointers, with half as many
 * distances from each: all of these stay in registers. */
#define HIDE(p) __asm__("" : "+r"(p))

#if defined(OPS_WORD_BF16)
typedef uint32_t word;

INLINE vec splat_word(word w)
{
    return (vec)_mm512_set1_epi32((int)w);
}

/* sum + the products of each lane's two pairs */
INLINE vec multiply_add(vec a, vec b, vec sum)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}
#else
typedef float word;

INLINE vec splat_word(word w)
{
    return splat(w);
}

INLINE vec multiply_add(vec a, vec b, vec sum)
{
    return fma_vec(a, b, sum);
}
#endif

/* vdpbf16ps takes denormal numbers for zero and gives zero for them; so do floats in its place. */
INLINE unsigned begin_products(void)
{
#if defined(OPS_WORD_ROUNDED)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* DAZ, FTZ */
    return before;
#else
    return 0;
#endif
}

INLINE void end_products(unsigned before)
{
#if defined(OPS_WORD_ROUNDED)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

INLINE vec load_words(const word *p)
{
    return load((const float *)p);
}

/* A tile of C is ROWS x (2 LANES). With 14 rows of AVX-512 gcc is no faster and clang 14 moves the sums to the stack,
 * at half the speed. */
enum { CACHE_LINE = 16 /* words */, HALF_ROWS = ROWS / 2, WIDTH = 2 * LANES };

static const float FROM_ZERO[GEMM_PANEL]; /* what sums start from */

/* c (rows, WIDTH) = start + A (rows, k) b (k, WIDTH of GEMM_PANEL). start: (WIDTH) the same for every row, or NULL: c
 * itself. */
INLINE void gemm_tile(float *c, size_t ldc, const word *a, size_t a_row, size_t a_col, const word *b, size_t ahead,
                      size_t k, const float *start, const int rows)
{
    vec sum[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        const float *from = start ? start : c + (size_t)i * ldc;
        sum[i][0] = load(from);
        sum[i][1] = load(from + LANES);
    }
    const word *lower = a + HALF_ROWS * a_row;
    HIDE(lower);
    UNROLL_DEPTH for (size_t l = 0; l < k; l++) {
        vec b0 = load_words(b), b1 = load_words(b + LANES);
        __builtin_prefetch(b + ahead, 0, 2);
        UNROLL for (int i = 0; i < rows; i++) {
            vec ai = splat_word(i < HALF_ROWS ? a[(size_t)i * a_row] : lower[(size_t)(i - HALF_ROWS) * a_row]);
            sum[i][0] = multiply_add(ai, b0, sum[i][0]);
            sum[i][1] = multiply_add(ai, b1, sum[i][1]);
        }
        a += a_col;
        lower += a_col;
        b += GEMM_PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        store(c + (size_t)i * ldc, sum[i][0]);
        store(c + (size_t)i * ldc + LANES, sum[i][1]);
    }
}

/* a_col is 1 or, A being transposed, a_row is. */
#define TILE_FUNCTION(rows) \
    static void tile_##rows(float *c, size_t ldc, const word *a, size_t a_row, size_t a_col, const word *b, \
                            size_t ahead, size_t k, const float *start) \
    { \
        if (a_col == 1) \
            gemm_tile(c, ldc, a, a_row, 1, b, ahead, k, start, rows); \
        else \
            gemm_tile(c, ldc, a, 1, a_col, b, ahead, k, start, rows); \
    }
HEIGHTS(TILE_FUNCTION)

typedef void (*tile_function)(float *c, size_t ldc, const word *a, size_t a_row, size_t a_col, const word *b,
                              size_t ahead, size_t k, const float *start);
#define TILE_NAME(rows) tile_##rows,
static const tile_function TILES[] = { NULL, HEIGHTS(TILE_NAME) };

/* Columns at the right edge: WIDTH of them are computed in a tile of our own, cols of them belong to c. */
static void edge_tile(float *c, size_t ldc, size_t cols, const word *a, size_t a_row, size_t a_col, const word *b,
                      size_t k, const float *start, size_t rows)
{
    float full[ROWS * WIDTH] = { 0 };
    for (size_t i = 0; !start && i < rows; i++)
        memcpy(full + i * WIDTH, c + i * ldc, cols * sizeof *c);
    TILES[rows](full, WIDTH, a, a_row, a_col, b, 0, k, start);
    for (size_t i = 0; i < rows; i++)
        memcpy(c + i * ldc, full + i * WIDTH, cols * sizeof *c);
}

/* Prefetches the lines of c (rows, WIDTH) for the tile that comes next. */
INLINE void expect(const float *c, size_t ldc, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * ldc, 1);
        __builtin_prefetch(c + i * ldc + WIDTH - 1, 1);
    }
}

/* One panel: c (m, cols) = start + A (m, k words) times b (k words, GEMM_PANEL), cols <= GEMM_PANEL, k > 0. start:
 * (GEMM_PANEL) the same for every row, or NULL: c itself. a_row or a_col is 1. What stands `ahead` words behind b is
 * prefetched. */
INLINE void multiply_panel(float *c, size_t ldc, size_t cols, const word *a, size_t a_row, size_t a_col, const word *b,
                           size_t ahead, size_t m, size_t k, const float *start)
{
    /* Groups of like height: one or two rows alone would wait for the multiplier. */
    size_t groups = (m + ROWS - 1) / ROWS, height = groups ? (m + groups - 1) / groups : 0;
    unsigned before = begin_products();
    for (size_t j = 0; j < cols; j += WIDTH) {
        const float *from = start ? start + j : NULL;
        for (size_t i = 0; i < m; i += height) {
            /* each tile prefetches one line of two */
            size_t rows = m - i < height ? m - i : height, odd = i / height % 2 * CACHE_LINE;
            if (i + rows < m)
                expect(c + (i + rows) * ldc + j, ldc, m - i - rows < height ? m - i - rows : height);
            if (cols - j >= WIDTH)
                TILES[rows](c + i * ldc + j, ldc, a + i * a_row, a_row, a_col, b + j, ahead + odd, k, from);
            else
                edge_tile(c + i * ldc + j, ldc, cols - j, a + i * a_row, a_row, a_col, b + j, k, from, rows);
        }
    }
    end_products(before);
}

/* sums (rows, GEMM_PANEL) = c (rows, cols), cols <= GEMM_PANEL; zero beyond */
INLINE void take_sums(float *sums, const float *c, size_t ldc, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i++, sums += GEMM_PANEL, c += ldc)
        for (size_t j = 0; j < GEMM_PANEL; j += LANES)
            store(sums + j, j < cols ? load_lanes(c + j, lanes_at(j, cols)) : splat(0.0f));
}
