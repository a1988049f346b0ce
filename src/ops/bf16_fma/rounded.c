/* Products of bf16 numbers by multiplications of floats, for processors that start vdpbf16ps so seldom that it is
 * slower (bf16_rate.h). The bits are those of bf16/pairs.c: a product of two bf16 is exact as a float, vdpbf16ps adds
 * that of the odd k of a pair first, rounding each sum once, and denormal numbers are zero (tile.h). So both factors
 * are rounded, and the two of a pair change places; behind the last of an odd number stands a zero. */
#include "ops/cpu/word_packers.h"

/* Each float rounded to bf16, to nearest, ties to even. */
INLINE vec round_to_bf16(vec v)
{
    return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(v)), 16);
}

/* Lanes i .. i + LANES of n floats at p, zero beyond n. */
INLINE vec load_rounded(const float *p, size_t i, size_t n)
{
    return round_to_bf16(i < n ? load_lanes(p + i, lanes_at(i, n)) : splat(0.0f));
}

static void round_line(word *line, const float *x, size_t k)
{
    for (size_t l = 0; l < k; l += LANES)
        store(line + l, SWAP(load_rounded(x, l, k), 1));
}

static void round_down(word *words, size_t width, size_t panel, const float *x, size_t ld, size_t k, size_t cols)
{
    for (size_t l = 0; l < words_of(k); l++, x += ld) {
        word *row = words + (l ^ 1) * width;
        for (size_t first = 0; first < cols; first += width)
            for (size_t j = first; j < first + width; j += LANES) {
                if (l + AHEAD < k)
                    __builtin_prefetch(x + AHEAD * ld + j);
                store(row + first / width * panel + j - first, l < k ? load_rounded(x, j, cols) : splat(0.0f));
            }
    }
}

static void round_across(word *panel, const float *x, size_t ld, size_t k, size_t cols)
{
    for (size_t l = 0; l < k; l += LANES) {
        size_t deep = words_of(lanes_at(l, k));
        for (size_t j = 0; j < GEMM_PANEL; j += LANES) {
            vec v[LANES];
            for (size_t i = 0; i < LANES; i++)
                v[i] = j + i < cols ? load_rounded(x + (j + i) * ld, l, k) : splat(0.0f);
            transpose(v);
            for (size_t i = 0; i < deep; i++)
                store(panel + (l + (i ^ 1)) * GEMM_PANEL + j, v[i]);
        }
    }
}

/* panel (deep rounded up to 2, GEMM_PANEL) from pairs of bf16 */
static void widen_pairs(float *panel, const word *pairs, size_t deep)
{
    for (size_t l = 0; l < deep; l += 2, pairs += GEMM_PANEL, panel += 2 * GEMM_PANEL)
        for (size_t j = 0; j < GEMM_PANEL; j += LANES) {
            vecu both = (vecu)load(pairs + j);
            __builtin_prefetch(pairs + AHEAD * GEMM_PANEL + j);
            store(panel + j, (vec)(both & 0xffff0000u));
            store(panel + GEMM_PANEL + j, (vec)(both << 16));
        }
}

static const word_packers ROUNDED = { round_line, round_down, round_across };

lines OP(gemm_lines)(word *room, const gemm *g, size_t row, size_t rows, size_t l, size_t deep)
{
    return pack_lines(&ROUNDED, room, g, row, rows, l, deep);
}

void OP(gemm_panels)(word *panels, const gemm *g, size_t first, size_t n, size_t l, size_t deep)
{
    if (g->panels)
        for (size_t p = 0; p < n; p++)
            widen_pairs(panels + p * DEPTH * GEMM_PANEL,
                        (const word *)g->panels + ((first + p) * ((g->k + 1) / 2) + l / 2) * GEMM_PANEL, deep);
    else
        pack_panels(&ROUNDED, panels, g, first, n, l, deep);
}
