/* Dense layers: the three products of forward and backward, bias and activation. */
#include "ops/cpu/activate.h"
#include "ops/cpu/gemm.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The activation, on the way from the sums to y. */
typedef struct epilogue {
    gemm_finish finish; /* first, so that its address is that of the whole */
    float *y, *pre; /* pre: or NULL */
    size_t ldy, out;
} epilogue;

INLINE void finish_block(const epilogue *e, const float *sums, size_t ld, size_t row, size_t rows, size_t col,
                         size_t cols, activation act)
{
    float *y = e->y + row * e->ldy + col, *pre = e->pre ? e->pre + row * e->out + col : NULL;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j += LANES) {
            size_t lanes = lanes_at(j, cols);
            vec v = load_lanes(sums + i * ld + j, lanes);
            if (pre)
                store_lanes(pre + i * e->out + j, v, lanes);
            store_lanes(y + i * e->ldy + j, activate(v, act), lanes);
        }
}

/* One loop per activation, so that none has to choose inside. */
#define FINISH(name, act) \
    static void name(const gemm_finish *f, const float *sums, size_t ld, size_t row, size_t rows, size_t col, \
                     size_t cols) \
    { \
        finish_block((const epilogue *)f, sums, ld, row, rows, col, cols, act); \
    }
FINISH(finish_none, ACTIVATION_NONE)
FINISH(finish_gelu, ACTIVATION_GELU)
FINISH(finish_gelu_tanh, ACTIVATION_GELU_TANH)
FINISH(finish_relu, ACTIVATION_RELU)
FINISH(finish_silu, ACTIVATION_SILU)
FINISH(finish_tanh, ACTIVATION_TANH)

void OP(dense_forward_words)(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx,
                             const dense *d, activation act, size_t n)
{
    static void (*const FINISHES[])(const gemm_finish *, const float *, size_t, size_t, size_t, size_t, size_t) = {
        [ACTIVATION_NONE] = finish_none, [ACTIVATION_GELU] = finish_gelu, [ACTIVATION_GELU_TANH] = finish_gelu_tanh,
        [ACTIVATION_RELU] = finish_relu, [ACTIVATION_SILU] = finish_silu, [ACTIVATION_TANH] = finish_tanh,
    };
    epilogue e = { .finish.run = FINISHES[act], .y = y, .pre = pre, .ldy = ldy, .out = d->out };
    bool plain = !pre && act == ACTIVATION_NONE;
    OP(gemm_run)(&(gemm){
        .room = room, .c = y, .ldc = ldy, .a = x, .a_row = ldx, .a_col = 1,
        .b = d->weight, .b_row = 1, .b_col = d->in, .panels = d->packed ? d->packed->panels : NULL,
        .depth = d->packed && d->packed->stored != STORED_FP32 ? 2 : 1, .bias = d->bias,
        .m = n, .n = d->out, .k = d->in, .finish = plain ? NULL : &e.finish,
    });
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

void OP(dense_backward_input)(ops_room room, float *dx, size_t lddx, const float *dy, size_t lddy, const dense *d,
                              bool add, size_t n)
{
    OP(gemm_run)(&(gemm){
        .room = room, .c = dx, .ldc = lddx, .a = dy, .a_row = lddy, .a_col = 1, .b = d->weight, .b_row = d->in,
        .b_col = 1, .m = n, .n = d->in, .k = d->out, .add = add,
    });
}

/* So many vectors of columns at a time: a row's stretch of them is long enough for the processor to see it coming. */
enum { STRIP_COLUMNS = 64, STRIP = STRIP_COLUMNS / LANES };

/* What the columns of a bias's gradient are summed from: dbias (out) += the column sums of dy (n, out). */
typedef struct bias_job {
    float *dbias;
    const float *dy;
    size_t lddy, n;
} bias_job;

/* For columns col .. col + STRIP_COLUMNS. */
static void add_strip_sums(const bias_job *b, size_t col)
{
    vec sum[STRIP];
    UNROLL for (int s = 0; s < STRIP; s++)
        sum[s] = load(b->dbias + col + s * LANES);
    const float *dy = b->dy + col;
    for (size_t i = 0; i < b->n; i++, dy += b->lddy)
        UNROLL for (int s = 0; s < STRIP; s++)
            sum[s] += load(dy + s * LANES);
    UNROLL for (int s = 0; s < STRIP; s++)
        store(b->dbias + col + s * LANES, sum[s]);
}

/* For columns col .. col + lanes. */
static void add_column_sums(const bias_job *b, size_t col, size_t lanes)
{
    vec sum = load_lanes(b->dbias + col, lanes);
    for (size_t i = 0; i < b->n; i++)
        sum += load_lanes(b->dy + i * b->lddy + col, lanes);
    store_lanes(b->dbias + col, sum, lanes);
}

static void add_bias_columns(const void *job, size_t begin, size_t end)
{
    size_t j = begin;
    for (; j + STRIP_COLUMNS <= end; j += STRIP_COLUMNS)
        add_strip_sums(job, j);
    for (; j < end; j += LANES)
        add_column_sums(job, j, lanes_at(j, end));
}

void OP(dense_backward_weight)(ops_room room, float *dweight, float *dbias, const float *dy, size_t lddy,
                               const float *x, size_t ldx, size_t in, size_t out, size_t n)
{
    if (dweight)
        OP(gemm_run)(&(gemm){
            .room = room, .c = dweight, .ldc = in, .a = dy, .a_row = 1, .a_col = lddy, .b = x, .b_row = ldx, .b_col = 1,
            .m = out, .n = in, .k = n, .add = true,
        });
    if (dbias)
        share(threads_for(n * out, (out + LANES - 1) / LANES), out, LANES, add_bias_columns,
              &(bias_job){ dbias, dy, lddy, n });
}

/* ---- activations alone ------------------------------------------------------------------------------------------- */

/* dy: backward's, whose y is dx */
typedef struct activation_job {
    float *y;
    const float *x, *dy;
    activation act;
} activation_job;

static size_t activation_threads(size_t n)
{
    return threads_for(n, n / LANES);
}

INLINE void activate_loop(float *y, const float *x, activation act, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = lanes_at(i, n);
        store_lanes(y + i, activate(load_lanes(x + i, lanes), act), lanes);
    }
}

static void activate_stretch(const void *job, size_t begin, size_t end)
{
    const activation_job *j = job;
    float *y = j->y + begin;
    const float *x = j->x + begin;
    size_t n = end - begin;
    switch (j->act) {
    case ACTIVATION_NONE:
        activate_loop(y, x, ACTIVATION_NONE, n);
        break;
    case ACTIVATION_GELU:
        activate_loop(y, x, ACTIVATION_GELU, n);
        break;
    case ACTIVATION_GELU_TANH:
        activate_loop(y, x, ACTIVATION_GELU_TANH, n);
        break;
    case ACTIVATION_RELU:
        activate_loop(y, x, ACTIVATION_RELU, n);
        break;
    case ACTIVATION_SILU:
        activate_loop(y, x, ACTIVATION_SILU, n);
        break;
    case ACTIVATION_TANH:
        activate_loop(y, x, ACTIVATION_TANH, n);
        break;
    }
}

void OP(activation_forward)(float *y, const float *x, activation act, size_t n)
{
    share(activation_threads(n), n, LANES, activate_stretch, &(activation_job){ y, x, NULL, act });
}

INLINE void backward_loop(float *dx, const float *dy, const float *x, activation act, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = lanes_at(i, n);
        store_lanes(dx + i, load_lanes(dy + i, lanes) * slope(load_lanes(x + i, lanes), act), lanes);
    }
}

static void backward_stretch(const void *job, size_t begin, size_t end)
{
    const activation_job *j = job;
    float *dx = j->y + begin;
    const float *dy = j->dy + begin, *x = j->x + begin;
    size_t n = end - begin;
    switch (j->act) {
    case ACTIVATION_NONE:
        if (dx != dy)
            memcpy(dx, dy, n * sizeof *dx);
        break;
    case ACTIVATION_GELU:
        backward_loop(dx, dy, x, ACTIVATION_GELU, n);
        break;
    case ACTIVATION_GELU_TANH:
        backward_loop(dx, dy, x, ACTIVATION_GELU_TANH, n);
        break;
    case ACTIVATION_RELU:
        backward_loop(dx, dy, x, ACTIVATION_RELU, n);
        break;
    case ACTIVATION_SILU:
        backward_loop(dx, dy, x, ACTIVATION_SILU, n);
        break;
    case ACTIVATION_TANH:
        backward_loop(dx, dy, x, ACTIVATION_TANH, n);
        break;
    }
}

void OP(activation_backward)(float *dx, const float *dy, const float *x, activation act, size_t n)
{
    share(activation_threads(n), n, LANES, backward_stretch, &(activation_job){ dx, x, dy, act });
}
