/* Dense layers whose weights are int8.
 *
 * A row of x becomes numbers q of 0 .. 255 with x = low + step q; then
 *     y[j] = scale[j] (step sum_k q[k] w[j][k] + low sum_k w[j][k]) + bias[j]
 * where the first sum is an exact integer, the second one stands in the packed form. Every row by itself, so its bits
 * depend on nothing else. */
#include "base/size.h"
#include "ops/cpu/bytes.h"
#include "ops/cpu/gelu_int8.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"

#include <float.h>

#define ALIGNED __attribute__((aligned(64)))

enum {
    ROOM = 192 * 1024, /* bytes of rows of x at a time */
    INT8_PER_FLOAT = 4 /* products in the time of one in float32 */
};

/* ---- rows of x --------------------------------------------------------------------------------------------------- */

typedef struct int8_rows {
    float step, low;
} int8_rows;

/* The least and the greatest number so far, lane by lane, and a sum of zeros as long as all are finite. */
typedef struct extent {
    vec least, most, odd;
} extent;

INLINE extent widen_extent(extent e, vec v)
{
    return (extent){ min_vec(v, e.least), max_vec(v, e.most), fma_vec(v, splat(0.0f), e.odd) };
}

INLINE extent join_extents(extent a, extent b)
{
    return (extent){ min_vec(a.least, b.least), max_vec(a.most, b.most), a.odd + b.odd };
}

/* Four under way, so that none waits for another. */
static extent extent_of(const float *x, size_t in)
{
    extent e[4];
    for (int i = 0; i < 4; i++)
        e[i] = (extent){ splat(x[0]), splat(x[0]), splat(0.0f) };
    size_t k = 0;
    for (; k + 4 * LANES <= in; k += 4 * LANES)
        UNROLL for (int i = 0; i < 4; i++)
            e[i] = widen_extent(e[i], load(x + k + i * LANES));
    for (; k < in; k += LANES) {
        size_t lanes = lanes_at(k, in);
        e[0] = widen_extent(e[0], lanes == LANES ? load(x + k) : keep_lanes(load_part(x + k, lanes), lanes, x[0]));
    }
    return join_extents(join_extents(e[0], e[1]), join_extents(e[2], e[3]));
}

/* The numbers q of one row; a line of q is filled up to a multiple of LANES. Rows with numbers that are not finite get
 * a step that is none, so that all of y is NaN; of rows without any spread q is 0. */
static int8_rows quantise_row(quant *q, const float *x, size_t in)
{
    extent e = extent_of(x, in);
    float low = min_lanes(e.least), range = max_lanes(e.most) - low, inverse = 255 / range;
    int8_rows f = { range * (1.0f / 255), low };
    if (!(sum_lanes(e.odd) == 0 && range <= FLT_MAX)) {
        f = (int8_rows){ NAN, 0 };
        inverse = 0;
    } else if (range < 1e-30f) {
        f.step = inverse = 0;
    }
    /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. */
    vec lows = splat(low), inverses = splat(inverse), magic = splat(0x1.8p23f);
    size_t k = 0;
    UNROLL_DEPTH for (; k + LANES <= in; k += LANES)
        STORE_QUANTS(q + k, (vecu)fma_vec(load(x + k) - lows, inverses, magic));
    if (k < in)
        STORE_QUANTS(q + k, (vecu)fma_vec(load_part(x + k, in - k) - lows, inverses, magic));
    return f;
}

/* ---- tiles ------------------------------------------------------------------------------------------------------- */

/* One tile: rows of x times columns of a panel, to y (rows, cols; ldy). */
typedef struct tile_job {
    const quant *x; /* `line` apart */
    size_t line, words;
    const int8_rows *forms;
    const int8_t *panel, *near; /* near: what is to come into cache, `words` lines */
    const float *scale, *bias;  /* of the columns; bias: or NULL */
    const int32_t *sums;
    float *y;
    size_t ldy, cols;
} tile_job;

/* From sums to y. */
INLINE void int8_finish(const tile_job *t, veci sum[][SUMS], const int rows, const bool gelu)
{
    UNROLL for (int j = 0; j < TILE_COLUMNS; j += LANES)
        if ((size_t)j < t->cols) {
            size_t lanes = lanes_at((size_t)j, t->cols);
            vec scale = load(t->scale + j), bias = t->bias ? load_lanes(t->bias + j, lanes) : splat(0.0f);
            vec shift = scale * to_floats(*(const veci_unaligned *)(t->sums + j));
            UNROLL for (int i = 0; i < rows; i++) {
                vec v = splat(t->forms[i].step) * to_floats(lane_sums(&sum[i][j / COLUMNS_OF_SUM]));
                v = fma_vec(v, scale, fma_vec(splat(t->forms[i].low), shift, bias));
                store_lanes(t->y + (size_t)i * t->ldy + j, gelu ? gelu_int8_vec(v) : v, lanes);
            }
        }
}

INLINE void int8_tile(const tile_job *t, const int rows, const bool gelu)
{
    veci sum[X_ROWS][SUMS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int s = 0; s < SUMS; s++)
            sum[i][s] = splat_int(0);
    size_t line = t->line;
    const quant *upper = t->x, *lower = upper + HALF_X_ROWS * line;
    HIDE(lower);
    const int8_t *panel = t->panel, *near = t->near;
    UNROLL_DEPTH for (size_t l = t->words; l; l--) {
        veci w[SUMS];
        UNROLL for (int s = 0; s < SUMS; s++)
            w[s] = columns_at(panel + s * COLUMNS_OF_SUM * 4);
        __builtin_prefetch(near, 0, 2);
        UNROLL for (int i = 0; i < rows; i++) {
            four f = *(const four_there *)(i < HALF_X_ROWS ? upper + (size_t)i * line
                                                           : lower + (size_t)(i - HALF_X_ROWS) * line);
            UNROLL for (int s = 0; s < SUMS; s++)
                sum[i][s] = add_products(sum[i][s], f, w[s]);
        }
        upper += 4;
        lower += 4;
        panel += 4 * GEMM_PANEL;
        near += 64;
    }
    int8_finish(t, sum, rows, gelu);
}

#define INT8_TILE(rows)                      \
    static void linear_##rows(const tile_job *t) \
    {                                        \
        int8_tile(t, rows, false);           \
    }                                        \
    static void gelu_##rows(const tile_job *t) \
    {                                        \
        int8_tile(t, rows, true);            \
    }
X_HEIGHTS(INT8_TILE)

#define INT8_TILES_OF(rows) { linear_##rows, gelu_##rows },
static void (*const INT8_TILES[][2])(const tile_job *) = { { NULL, NULL }, X_HEIGHTS(INT8_TILES_OF) };

/* ---- a layer ----------------------------------------------------------------------------------------------------- */

/* What dense_forward was given; y is where the tiles write. */
typedef struct int8_job {
    float *y, *pre;
    size_t ldy;
    const float *x;
    size_t ldx;
    const dense *d;
    activation act;
    bool gelu; /* in the tiles; all other activations, and values that are kept before them, take a pass of their own */
} int8_job;

/* Numbers of a quantised row that stand between it and the next: at an odd multiple of a cache line, so that rows do
 * not share cache sets. */
static size_t int8_line(size_t in)
{
    size_t unit = 64 / sizeof(quant), units = (in + unit - 1) / unit;
    return (units | 1) * unit;
}

/* Rows of x, quantised, times one panel, to rows of y from `row` on. */
static void run_panel(const int8_job *g, const quant *q, const int8_rows *forms, size_t row, size_t rows, size_t panel,
                      size_t next)
{
    const struct dense_packed *packed = g->d->packed;
    size_t words = (g->d->in + 3) / 4, col = panel * GEMM_PANEL,
           cols = g->d->out - col < GEMM_PANEL ? g->d->out - col : GEMM_PANEL;
    const int8_t *panels = packed->panels;
    tile_job t = { .line = int8_line(g->d->in), .words = words, .near = panels + next * words * 4 * GEMM_PANEL,
                   .ldy = g->ldy };
    size_t groups = (rows + X_ROWS - 1) / X_ROWS;
    for (size_t i = 0, group = 0; group < groups; group++) {
        size_t height = (rows - i + groups - group - 1) / (groups - group);
        t.x = q + i * t.line;
        t.forms = forms + i;
        for (size_t j = 0; j < cols; j += TILE_COLUMNS) {
            t.cols = cols - j;
            t.panel = panels + (panel * words * GEMM_PANEL + j) * 4;
            t.scale = packed->scale + col + j;
            t.sums = packed->sums + col + j;
            t.bias = g->d->bias ? g->d->bias + col + j : NULL;
            t.y = g->y + (row + i) * g->ldy + col + j;
            INT8_TILES[height][g->gelu](&t);
        }
        if (group < 1) /* the next panel has two lines for each word's */
            t.near += words * 64;
        i += height;
    }
}

/* The activation of a block of y, where the tiles left it out. */
static void activate_block(const int8_job *g, size_t row, size_t rows, size_t col, size_t cols)
{
    for (size_t i = row; i < row + rows; i++) {
        float *y = g->y + i * g->ldy + col;
        if (g->pre)
            memcpy(g->pre + i * g->d->out + col, y, cols * sizeof *y);
        for (size_t j = 0; j < cols; j += LANES) {
            size_t lanes = lanes_at(j, cols);
            vec v = load_lanes(y + j, lanes);
            store_lanes(y + j, g->act == ACTIVATION_GELU ? gelu_int8_vec(v) : activate(v, g->act), lanes);
        }
    }
}

/* A thread's room: rows of x, quantised. */
typedef struct int8_room {
    quant q[ROOM / sizeof(quant)];
    int8_rows forms[ROOM / 64];
} int8_room;
_Static_assert(sizeof(int8_room) <= OPS_ROOM, "a thread's room");

/* Rows row .. end of y, panels first .. last, as many rows at a time as there is room for. */
static void int8_run_part(const int8_job *g, int8_room *room, size_t row, size_t end, size_t first, size_t last)
{
    size_t line = int8_line(g->d->in), most = ROOM / sizeof(quant) / line, left = end - row,
           blocks = (left + most - 1) / most;
    for (; blocks; blocks--) {
        size_t rows = (end - row + blocks - 1) / blocks;
        for (size_t i = 0; i < rows; i++)
            room->forms[i] = quantise_row(room->q + i * line, g->x + (row + i) * g->ldx, g->d->in);
        for (size_t p = first; p < last; p++)
            run_panel(g, room->q, room->forms, row, rows, p, p + 1 < last ? p + 1 : first);
        if (!g->gelu && (g->pre || g->act != ACTIVATION_NONE))
            activate_block(g, row, rows, first * GEMM_PANEL,
                           size_least(last * GEMM_PANEL, g->d->out) - first * GEMM_PANEL);
        row += rows;
    }
}

/* A layer among threads: rows in by_rows parts, columns in by_panels. */
typedef struct int8_cut {
    const int8_job *g;
    ops_room room;
    size_t n, panels, by_rows, by_panels;
} int8_cut;

static void run_cut(void *context, size_t part, size_t thread)
{
    const int8_cut *c = context;
    size_t row, end, first, last;
    cut(c->n, X_ROWS, part / c->by_panels, c->by_rows, &row, &end);
    cut(c->panels, 1, part % c->by_panels, c->by_panels, &first, &last);
    if (row < end && first < last)
        int8_run_part(c->g, room_of(c->room, thread), row, end, first, last);
}

void OP(dense_forward_int8)(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx, const dense *d,
                            activation act, size_t n)
{
    int8_job g = { y, pre, ldy, x, ldx, d, act, act == ACTIVATION_GELU && !pre };
    if (!n || !d->out)
        return;
    size_t panels = (d->out + GEMM_PANEL - 1) / GEMM_PANEL, groups = (n + X_ROWS - 1) / X_ROWS;
    size_t threads = threads_for_products(room, n * d->in * d->out / INT8_PER_FLOAT, groups > panels ? groups : panels);
    size_t by_rows = groups >= 4 * threads ? threads : 1;
    threads_run(threads, threads, run_cut, &(int8_cut){ &g, room, n, panels, by_rows, by_rows == 1 ? threads : 1 });
}
