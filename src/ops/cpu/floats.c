/* Factors that are multiplied as the floats that they are. */
#include "ops/cpu/packed_words.h"

void OP(gemm_panel)(float *c, size_t ldc, size_t cols, const float *a, size_t a_row, size_t a_col, const float *b,
                    size_t ahead, size_t m, size_t k, bool add)
{
    multiply_panel(c, ldc, cols, a, a_row, a_col, b, ahead, m, k, add ? NULL : FROM_ZERO);
}

/* A is read in place. But of lines that lie a multiple of 4 KB apart a first-level cache holds only as many as it has
 * ways: they are copied. */
lines OP(gemm_lines)(word *room, const gemm *g, size_t row, size_t rows, size_t l, size_t deep)
{
    const float *a = g->a + row * g->a_row + l * g->a_col;
    size_t apart = g->a_col == 1 ? g->a_row : g->a_col;
    if (apart % 1024)
        return (lines){ a, g->a_row, g->a_col };
    if (g->a_col == 1) {
        for (size_t i = 0; i < rows; i++)
            memcpy(room + i * (deep + LINE_END), a + i * g->a_row, deep * sizeof *room);
        return (lines){ room, deep + LINE_END, 1 };
    }
    for (size_t i = 0; i < deep; i++)
        for (size_t j = 0; j < rows; j += LANES) {
            const float *from = a + i * g->a_col + j;
            if (i + AHEAD < deep)
                __builtin_prefetch(from + AHEAD * g->a_col);
            store(room + i * GROUP + j, load_lanes(from, lanes_at(j, rows)));
        }
    return (lines){ room, 1, GROUP };
}

/* B's rows are contiguous: copied. */
static void pack_rows(float *panel, const float *b, size_t b_row, size_t k, size_t cols)
{
    for (size_t l = 0; l < k; l++, b += b_row, panel += GEMM_PANEL)
        for (size_t j = 0; j < GEMM_PANEL; j += LANES)
            store(panel + j, j < cols ? load_lanes(b + j, lanes_at(j, cols)) : splat(0.0f));
}

/* B's columns are contiguous: transposed, LANES x LANES at a time. */
static void pack_columns(float *panel, const float *b, size_t b_col, size_t k, size_t cols)
{
    for (size_t l = 0; l < k; l += LANES) {
        size_t deep = lanes_at(l, k);
        for (size_t j = 0; j < GEMM_PANEL; j += LANES) {
            vec v[LANES];
            for (size_t i = 0; i < LANES; i++)
                v[i] = j + i < cols ? load_lanes(b + (j + i) * b_col + l, deep) : splat(0.0f);
            transpose(v);
            for (size_t i = 0; i < deep; i++)
                store(panel + (l + i) * GEMM_PANEL + j, v[i]);
        }
    }
}

void OP(gemm_pack)(float *panel, const float *b, size_t b_row, size_t b_col, size_t k, size_t cols)
{
    if (b_col == 1)
        pack_rows(panel, b, b_row, k, cols);
    else
        pack_columns(panel, b, b_col, k, cols);
}

/* panel (deep, GEMM_PANEL) from pairs of bf16; exact */
static void widen(float *panel, const word *pairs, size_t deep)
{
    for (size_t l = 0; l < deep; l += 2, pairs += GEMM_PANEL, panel += 2 * GEMM_PANEL)
        for (size_t j = 0; j < GEMM_PANEL; j += LANES) {
            vecu both = (vecu)load(pairs + j);
            __builtin_prefetch(pairs + AHEAD * GEMM_PANEL + j);
            store(panel + j, (vec)(both << 16));
            if (l + 1 < deep)
                store(panel + GEMM_PANEL + j, (vec)(both & 0xffff0000u));
        }
}

void OP(gemm_panels)(word *panels, const gemm *g, size_t first, size_t n, size_t l, size_t deep)
{
    for (size_t p = 0; p < n && g->panels; p++)
        widen(panels + p * DEPTH * GEMM_PANEL,
              (const word *)g->panels + ((first + p) * ((g->k + 1) / 2) + l / 2) * GEMM_PANEL, deep);
    for (size_t p = 0; p < n && !g->panels; p++) {
        size_t col = (first + p) * GEMM_PANEL, cols = g->n - col < GEMM_PANEL ? g->n - col : GEMM_PANEL;
        OP(gemm_pack)(panels + p * DEPTH * GEMM_PANEL, g->b + l * g->b_row + col * g->b_col, g->b_row, g->b_col, deep,
                      cols);
    }
}
