/* Factors that are rounded to bf16, to nearest, ties to even, two that follow one another in k to a word; behind the
 * last of an odd number stands a zero. An element of C is one chain of vdpbf16ps over the pairs (0, 1), (2, 3), ...
 * vdpbf16ps takes denormal numbers for zero and gives zero for them. */
#include "ops/cpu/word_packers.h"

/* The bf16 of low in the lower half of the vector, those of high in the upper one. */
INLINE vec round_two(vec low, vec high)
{
    return (vec)_mm512_cvtne2ps_pbh(high, low);
}

/* Lanes i .. i + LANES of n floats at p, zero beyond n. */
INLINE vec load_until(const float *p, size_t i, size_t n)
{
    return i < n ? load_lanes(p + i, lanes_at(i, n)) : splat(0.0f);
}

static void convert_line(word *words, const float *x, size_t k)
{
    size_t l = 0;
    for (; l + 2 * LANES <= k; l += 2 * LANES)
        store((float *)(words + l / 2), round_two(load(x + l), load(x + l + LANES)));
    if (l < k)
        store((float *)(words + l / 2), round_two(load_until(x, l, k), load_until(x, l + LANES, k)));
}

/* All panels of two rows before the next two: x is read in runs as long as there are. */
static void convert_down(word *words, size_t width, size_t panel, const float *x, size_t ld, size_t k, size_t cols)
{
    const __m512i in_turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                             21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (size_t l = 0; l < k; l += 2, words += width, x += 2 * ld)
        for (size_t first = 0; first < cols; first += width)
            for (size_t j = first; j < first + width; j += LANES) {
                vec even = load_until(x, j, cols), odd = l + 1 < k ? load_until(x + ld, j, cols) : splat(0.0f);
                if (l + AHEAD < k) {
                    __builtin_prefetch(x + AHEAD * ld + j);
                    __builtin_prefetch(x + (AHEAD + 1) * ld + j);
                }
                store((float *)(words + first / width * panel + j - first),
                      (vec)_mm512_permutexvar_epi16(in_turn, (__m512i)round_two(even, odd)));
            }
}

static void convert_across(word *panel, const float *x, size_t ld, size_t k, size_t cols)
{
    for (size_t l = 0; l < k; l += 2 * LANES, panel += LANES * GEMM_PANEL) {
        size_t deep = k - l < 2 * LANES ? (k - l + 1) / 2 : LANES;
        for (size_t j = 0; j < GEMM_PANEL; j += LANES) {
            vec v[LANES];
            for (size_t i = 0; i < LANES; i++) {
                const float *line = x + (j + i) * ld;
                __builtin_prefetch(line + GEMM_PANEL * ld + l);
                __builtin_prefetch(line + GEMM_PANEL * ld + l + LANES);
                v[i] = j + i < cols ? round_two(load_until(line, l, k), load_until(line, l + LANES, k)) : splat(0.0f);
            }
            transpose(v);
            for (size_t i = 0; i < deep; i++)
                store((float *)(panel + i * GEMM_PANEL + j), v[i]);
        }
    }
}

static const word_packers PAIRS = { convert_line, convert_down, convert_across };

lines OP(gemm_lines)(word *room, const gemm *g, size_t row, size_t rows, size_t l, size_t deep)
{
    return pack_lines(&PAIRS, room, g, row, rows, l, deep);
}

void OP(gemm_panels)(word *panels, const gemm *g, size_t first, size_t n, size_t l, size_t deep)
{
    pack_panels(&PAIRS, panels, g, first, n, l, deep);
}
