/* The factors of a product that become words while it runs: what of A and B is packed, and in which of three ways. */
#pragma once

#include "ops/cpu/packed_words.h"

typedef struct word_packers {
    /* words (words_of(k) rounded up to LANES) = x (k) */
    void (*line)(word *words, const float *x, size_t k);
    /* panels `panel` words apart, (words_of(k), width) = x (k, cols; ld); width is a multiple of LANES, zero beyond
     * cols */
    void (*down)(word *words, size_t width, size_t panel, const float *x, size_t ld, size_t k, size_t cols);
    /* panel (words_of(k), GEMM_PANEL) = x (cols, k; ld) transposed, zero beyond cols */
    void (*across)(word *panel, const float *x, size_t ld, size_t k, size_t cols);
} word_packers;

/* As gemm_lines. */
INLINE lines pack_lines(const word_packers *by, word *room, const gemm *g, size_t row, size_t rows, size_t l,
                        size_t deep)
{
    const float *a = g->a + row * g->a_row + l * g->a_col;
    if (g->a_col != 1) {
        by->down(room, GROUP, 0, a, g->a_col, deep, rows);
        return (lines){ room, 1, GROUP };
    }
    size_t line = (words_of(deep) + LANES - 1) / LANES * LANES + LINE_END;
    for (size_t i = 0; i < rows; i++)
        by->line(room + i * line, a + i * g->a_row, deep);
    return (lines){ room, line, 1 };
}

/* As gemm_panels, of a plain B. */
INLINE void pack_panels(const word_packers *by, word *panels, const gemm *g, size_t first, size_t n, size_t l,
                        size_t deep)
{
    const float *b = g->b + l * g->b_row + first * GEMM_PANEL * g->b_col;
    size_t left = g->n - first * GEMM_PANEL, cols = left < n * GEMM_PANEL ? left : n * GEMM_PANEL;
    if (g->b_col == 1)
        by->down(panels, GEMM_PANEL, DEPTH * GEMM_PANEL, b, g->b_row, deep, cols);
    else
        for (size_t col = 0; col < cols; col += GEMM_PANEL)
            by->across(panels + col * DEPTH, b + col * g->b_col, g->b_col, deep,
                       cols - col < GEMM_PANEL ? cols - col : GEMM_PANEL);
}
