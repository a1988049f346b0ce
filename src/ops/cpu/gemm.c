/* Matrix products: a kernel that keeps a tile of C in registers, a loop over tiles, and packing of B. The structure is that of Goto & van
 * de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, with A read in place: its tile is small and reused by every panel. */
#include "ops/cpu/gemm.h"

#include "ops/cpu/threads.h"
#include "ops/cpu/vec.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#define UNROLL_DEPTH _Pragma("unroll 4")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_DEPTH _Pragma("GCC unroll 4")
#endif

/* A tile of C is ROWS x (2 LANES): its sums, two vectors of B and one of A stay in the registers. With 14 rows of AVX-512 gcc is no
 * faster and clang 14 moves the sums to the stack, at half the speed. */
#if LANES == 16
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif
enum {
    WIDTH = 2 * LANES,
    BLOCK_DEPTH = 512, /* of k at a time for a panel: then TILE rows of A fit into half of the second-level cache */
    TILE_PACKED = 84,
    TILE = 240, /* more rows where each block of B must first be packed */
    TILE_TRANSPOSED = 96 /* rows of a transposed A that are copied, 192 KB */
};

/* c (rows, WIDTH) = or += A (rows, k) b (k, WIDTH of GEMM_PANEL) */
INLINE void tile(float *c, size_t ldc, const float *a, size_t a_row, size_t a_col, const float *b, size_t ahead, size_t k, bool add,
                 const int rows)
{
    vec sum[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        sum[i][0] = add ? load(c + (size_t)i * ldc) : splat(0.0f);
        sum[i][1] = add ? load(c + (size_t)i * ldc + LANES) : splat(0.0f);
    }
    UNROLL_DEPTH for (size_t l = 0; l < k; l++) {
        vec b0 = load(b), b1 = load(b + LANES);
        __builtin_prefetch(b + ahead, 0, 2);
        UNROLL for (int i = 0; i < rows; i++) {
            vec ai = splat(a[(size_t)i * a_row]);
            sum[i][0] = fma_vec(ai, b0, sum[i][0]);
            sum[i][1] = fma_vec(ai, b1, sum[i][1]);
        }
        a += a_col;
        b += GEMM_PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        store(c + (size_t)i * ldc, sum[i][0]);
        store(c + (size_t)i * ldc + LANES, sum[i][1]);
    }
}

/* One tile function for every number of rows, each with its own registers; a_col is 1 or, A being transposed, a_row is. */
#define TILE_FUNCTION(rows) \
    static void tile_##rows(float *c, size_t ldc, const float *a, size_t a_row, size_t a_col, const float *b, size_t ahead, size_t k, bool add) \
    { \
        if (a_col == 1) \
            tile(c, ldc, a, a_row, 1, b, ahead, k, add, rows); \
        else \
            tile(c, ldc, a, 1, a_col, b, ahead, k, add, rows); \
    }
TILE_FUNCTION(1)
TILE_FUNCTION(2)
TILE_FUNCTION(3)
TILE_FUNCTION(4)
TILE_FUNCTION(5)
TILE_FUNCTION(6)
#if LANES == 16
TILE_FUNCTION(7)
TILE_FUNCTION(8)
TILE_FUNCTION(9)
TILE_FUNCTION(10)
TILE_FUNCTION(11)
TILE_FUNCTION(12)
#endif

typedef void (*tile_function)(float *c, size_t ldc, const float *a, size_t a_row, size_t a_col, const float *b, size_t ahead, size_t k,
                              bool add);
static const tile_function TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4,  tile_5,  tile_6,
#if LANES == 16
                                       tile_7, tile_8, tile_9, tile_10, tile_11, tile_12,
#endif
};
_Static_assert(sizeof TILES / sizeof *TILES == ROWS + 1, "a tile function for each number of rows");

/* Columns at the right edge: WIDTH of them are computed in a tile of our own, cols of them belong to c. */
static void edge_tile(float *c, size_t ldc, size_t cols, const float *a, size_t a_row, size_t a_col, const float *b, size_t k, bool add,
                      size_t rows)
{
    float full[ROWS * WIDTH] = { 0 };
    for (size_t i = 0; add && i < rows; i++)
        memcpy(full + i * WIDTH, c + i * ldc, cols * sizeof *c);
    TILES[rows](full, WIDTH, a, a_row, a_col, b, 0, k, add);
    for (size_t i = 0; i < rows; i++)
        memcpy(c + i * ldc, full + i * WIDTH, cols * sizeof *c);
}

void OP(gemm_panel)(float *c, size_t ldc, size_t cols, const float *a, size_t a_row, size_t a_col, const float *b, size_t ahead, size_t m,
                    size_t k, bool add)
{
    /* Groups of like height: one or two rows alone would wait for the multiplier. */
    size_t groups = (m + ROWS - 1) / ROWS, height = groups ? (m + groups - 1) / groups : 0;
    for (size_t j = 0; j < cols; j += WIDTH) {
        for (size_t i = 0; i < m; i += height) {
            size_t rows = m - i < height ? m - i : height;
            if (cols - j >= WIDTH)
                TILES[rows](c + i * ldc + j, ldc, a + i * a_row, a_row, a_col, b + j, ahead, k, add);
            else
                edge_tile(c + i * ldc + j, ldc, cols - j, a + i * a_row, a_row, a_col, b + j, k, add, rows);
        }
    }
}

/* ---- packing ------------------------------------------------------------------------------------------------------------ */

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

/* ---- the whole product -------------------------------------------------------------------------------------------------- */

/* Rows row .. row + rows of C, its panels first .. last, k from .. to: a block of C stays in cache until it has them all. */
static void run_block(const gemm *g, size_t row, size_t rows, size_t first, size_t last, size_t from, size_t to)
{
    float packed[GEMM_DEPTH * GEMM_PANEL] __attribute__((aligned(64)));
    size_t ahead = g->panels ? GEMM_DEPTH * GEMM_PANEL : 0;
    for (size_t p = first; p < last; p++) {
        size_t col = p * GEMM_PANEL, cols = g->n - col < GEMM_PANEL ? g->n - col : GEMM_PANEL;
        for (size_t l = from; l < to; l += GEMM_DEPTH) {
            size_t deep = to - l < GEMM_DEPTH ? to - l : GEMM_DEPTH;
            const float *b = g->panels ? g->panels + (p * g->k + l) * GEMM_PANEL : packed;
            if (!g->panels)
                OP(gemm_pack)(packed, g->b + l * g->b_row + col * g->b_col, g->b_row, g->b_col, deep, cols);
            OP(gemm_panel)(g->c + row * g->ldc + col, g->ldc, cols, g->a + row * g->a_row + l * g->a_col, g->a_row, g->a_col, b, ahead, rows,
                           deep, g->add || l);
        }
        if (g->finish && to == g->k)
            g->finish->run(g->finish, row, rows, col, cols);
    }
}

static void run_rows(const gemm *g, size_t row, size_t end, size_t first, size_t last)
{
    size_t height = g->panels ? TILE_PACKED : TILE;
    for (; row < end; row += height)
        for (size_t l = 0; l < g->k; l += BLOCK_DEPTH)
            run_block(g, row, end - row < height ? end - row : height, first, last, l, g->k - l < BLOCK_DEPTH ? g->k : l + BLOCK_DEPTH);
}

/* The same for a transposed A whose columns lie a multiple of 4 KB apart: a first-level cache holds only a dozen lines of such addresses, so
 * the tile is copied first. There is no finish. */
static void run_rows_transposed(const gemm *g, size_t row, size_t end, size_t first, size_t last)
{
    float a[TILE_TRANSPOSED * BLOCK_DEPTH] __attribute__((aligned(64)));
    for (; row < end; row += TILE_TRANSPOSED)
        for (size_t l = 0; l < g->k; l += BLOCK_DEPTH) {
            size_t rows = end - row < TILE_TRANSPOSED ? end - row : TILE_TRANSPOSED, deep = g->k - l < BLOCK_DEPTH ? g->k - l : BLOCK_DEPTH;
            gemm part = *g;
            part.c += row * g->ldc;
            part.a = a;
            part.a_col = rows;
            part.b += l * g->b_row;
            part.k = deep;
            part.add = g->add || l;
            for (size_t i = 0; i < deep; i++)
                memcpy(a + i * rows, g->a + row + (l + i) * g->a_col, rows * sizeof *a);
            run_block(&part, 0, rows, first, last, 0, deep);
        }
}

/* Part `part` of `parts` equal ones of n: from begin to end, in multiples of unit. */
static void cut(size_t n, size_t unit, size_t part, size_t parts, size_t *begin, size_t *end)
{
    size_t units = (n + unit - 1) / unit;
    *begin = units * part / parts * unit;
    *end = units * (part + 1) / parts * unit;
    *end = *end < n ? *end : n;
}

void OP(gemm_run)(const gemm *g)
{
    if (!g->m || !g->n || !g->k)
        return;
    size_t panels = (g->n + GEMM_PANEL - 1) / GEMM_PANEL, groups = (g->m + ROWS - 1) / ROWS;
    size_t most = groups > panels ? groups : panels;
    size_t threads = (size_t)threads_for_products(g->m * g->n * g->k, most);
    /* Packed panels are shared by all rows, so rows are cut; others are packed by whoever uses them, so columns are. */
    size_t by_rows = (g->panels ? groups >= 4 * threads : panels < threads) ? threads : 1;
    size_t by_panels = by_rows == 1 ? threads : 1;
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t part = 0; part < threads; part++) {
        size_t row, end, first, last;
        cut(g->m, ROWS, part / by_panels, by_rows, &row, &end);
        cut(panels, 1, part % by_panels, by_panels, &first, &last);
        (g->a_row == 1 && g->a_col % 1024 == 0 ? run_rows_transposed : run_rows)(g, row, end, first, last);
    }
}
