/* Matrix products: the loops over the tiles of C (tile.h). The structure is that of Goto & van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", 2008. Compiled for words that are floats and for words that are pairs of
 * bf16. */
#include "ops/cpu/gemm.h"

#include "base/size.h"
#include "ops/cpu/share.h"
#include "ops/cpu/packed_words.h"

#define ALIGNED __attribute__((aligned(64)))

/* What the sums of a panel start from, (GEMM_PANEL): the bias, beyond its end zero, or zeros. */
static const float *start_of(const gemm *g, size_t col, size_t cols, float *room)
{
    if (!g->bias)
        return FROM_ZERO;
    if (cols == GEMM_PANEL)
        return g->bias + col;
    memset(room, 0, GEMM_PANEL * sizeof *room);
    return memcpy(room, g->bias + col, cols * sizeof *room);
}

/* ---- rows of A stay in cache until all panels, packed, have passed ----------------------------------------------- */

/* Rows row .. row + rows of C and one panel of it, k from l to l + deep. Sums that are to be finished stand in a block
 * of their own: rows of C may lie a multiple of 4 KB apart, and a first-level cache holds as many lines of such
 * addresses as it has ways, 8 or 12. */
static void run_row_panel(const gemm *g, const lines *a, size_t row, size_t rows, size_t panel, size_t l, size_t deep)
{
    float sums[TILE_PACKED * GEMM_PANEL] ALIGNED, room[GEMM_PANEL];
    size_t col = panel * GEMM_PANEL, cols = size_least(g->n - col, GEMM_PANEL), ahead = words_of(g->k) * GEMM_PANEL;
    const word *b = (const word *)g->panels + (panel * words_of(g->k) + l / K_OF_WORD) * GEMM_PANEL;
    const float *start = l ? NULL : start_of(g, col, cols, room);
    float *c = g->c + row * g->ldc + col;
    if (!g->finish || l + deep < g->k) {
        multiply_panel(c, g->ldc, cols, a->words, a->row, a->col, b, ahead, rows, words_of(deep), start);
        return;
    }
    if (l)
        take_sums(sums, c, g->ldc, rows, cols);
    multiply_panel(sums, GEMM_PANEL, GEMM_PANEL, a->words, a->row, a->col, b, ahead, rows, words_of(deep), start);
    g->finish->run(g->finish, sums, GEMM_PANEL, row, rows, col, cols);
}

/* A thread's room. */
typedef union gemm_room {
    word lines[TILE_PACKED * (DEPTH_PACKED + LINE_END)]; /* by rows */
    struct {                                             /* by panels */
        word panels[PANELS * DEPTH * GEMM_PANEL] ALIGNED, group[GROUP * (DEPTH + LINE_END)] ALIGNED;
    };
} gemm_room;
_Static_assert(sizeof(gemm_room) <= OPS_ROOM, "a thread's room");

static void run_by_rows(const gemm *g, gemm_room *room, size_t row, size_t end, size_t first, size_t last)
{
    size_t blocks = (end - row + TILE_PACKED - 1) / TILE_PACKED;
    for (size_t block = 0; block < blocks; block++) {
        size_t from, to;
        cut(end - row, ROWS, block, blocks, &from, &to);
        for (size_t l = 0; l < g->k; l += K_OF_WORD * DEPTH_PACKED) {
            size_t deep = size_least(g->k - l, K_OF_WORD * DEPTH_PACKED);
            lines a = OP(gemm_lines)(room->lines, g, row + from, to - from, l, deep);
            for (size_t p = first; p < last; p++)
                run_row_panel(g, &a, row + from, to - from, p, l, deep);
        }
    }
}

/* ---- a block of panels, packed here, stays in cache until all rows of A have passed ------------------------------ */

/* Rows row .. row + rows of C and one panel of it, k from l to l + deep; b: that panel's words from l on. */
static void run_block_panel(const gemm *g, const lines *a, size_t row, size_t rows, size_t panel, const word *b,
                            size_t l, size_t deep)
{
    size_t col = panel * GEMM_PANEL, cols = size_least(g->n - col, GEMM_PANEL);
    float *c = g->c + row * g->ldc + col, room[GEMM_PANEL];
    const float *start = g->add || l ? NULL : start_of(g, col, cols, room);
    multiply_panel(c, g->ldc, cols, a->words, a->row, a->col, b, 0, rows, words_of(deep), start);
    if (g->finish && l + deep == g->k)
        g->finish->run(g->finish, c, g->ldc, row, rows, col, cols);
}

static void run_by_panels(const gemm *g, gemm_room *room, size_t row, size_t end, size_t first, size_t last)
{
    for (; first < last; first += PANELS)
        for (size_t l = 0; l < g->k; l += K_OF_WORD * DEPTH) {
            size_t n = size_least(last - first, PANELS), deep = size_least(g->k - l, K_OF_WORD * DEPTH);
            OP(gemm_panels)(room->panels, g, first, n, l, deep);
            for (size_t i = row; i < end; i += GROUP) {
                size_t rows = size_least(end - i, GROUP);
                lines a = OP(gemm_lines)(room->group, g, i, rows, l, deep);
                for (size_t p = 0; p < n; p++)
                    run_block_panel(g, &a, i, rows, first + p, room->panels + p * DEPTH * GEMM_PANEL, l, deep);
            }
        }
}

/* Whether B is packed in the words that are multiplied. */
static bool ready(const gemm *g)
{
    return g->panels && g->depth == K_OF_WORD;
}

/* A product among threads: rows in by_rows parts, columns in by_panels. */
typedef struct gemm_cut {
    const gemm *g;
    size_t panels, by_rows, by_panels;
} gemm_cut;

static void run_gemm_part(void *context, size_t part, size_t thread)
{
    const gemm_cut *c = context;
    const gemm *g = c->g;
    size_t row, end, first, last;
    cut(g->m, ROWS, part / c->by_panels, c->by_rows, &row, &end);
    cut(c->panels, 1, part % c->by_panels, c->by_panels, &first, &last);
    (ready(g) ? run_by_rows : run_by_panels)(g, room_of(g->room, thread), row, end, first, last);
}

void OP(gemm_run)(const gemm *g)
{
    if (!g->m || !g->n || !g->k)
        return;
    size_t panels = (g->n + GEMM_PANEL - 1) / GEMM_PANEL, groups = (g->m + ROWS - 1) / ROWS;
    size_t most = groups > panels ? groups : panels;
    size_t threads = threads_for_products(g->room, g->m * g->n * g->k, most);
    /* Packed panels are shared by all rows, so rows are cut; others are packed by whoever uses them, so columns are. */
    size_t by_rows = (ready(g) ? groups >= 4 * threads : panels < threads) ? threads : 1;
    threads_run(threads, threads, run_gemm_part, &(gemm_cut){ g, panels, by_rows, by_rows == 1 ? threads : 1 });
}
