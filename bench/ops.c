/* How fast each operation is at the shapes of MiniLM and BERT-base, beside oneDNN's matrix product on the same machine
 * at the same moment.
 *
 *     bench_ops [threads]
 *
 * GFLOP/s (int8: 10^9 operations) for products and attention, GB/s (bytes read and written once) for the rest; the last
 * column is the share of oneDNN's rate. */
#include "onednn.h"

#include "base/clock.h"
#include "ops/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 960, TILE = 192, LENGTH = 30 }; /* of a batch in training; of a tile in inference; of a sequence */

static const ops *o;
static ops_precision precision; /* of o */

/* Seconds of one call: the least of all in a fifth of a second, so that what else the machine does is not measured. */
static double seconds(void (*call)(void *), void *context)
{
    double best = 1e9, end = clock_seconds() + 0.2;
    for (double start = 0; start < end;) {
        start = clock_seconds();
        call(context);
        double spent = clock_seconds() - start;
        best = spent < best ? spent : best;
    }
    return best;
}

static ops_room room; /* of the operations, made in main */

static float *numbers(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)(i * 2654435761u % 2001) / 1000.0f - 1.0f;
    return x;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

typedef struct product {
    dense d;
    activation act;
    size_t n;
    float *x, *y, *dweight;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[3];
    dnnl_stream_t stream;
} product;

static void forward(void *context)
{
    product *p = context;
    o->dense_forward(room, p->y, p->d.out, NULL, p->x, p->d.in, &p->d, p->act, p->n);
}

static void backward_input(void *context)
{
    product *p = context;
    o->dense_backward_input(room, p->x, p->d.in, p->y, p->d.out, &p->d, false, p->n);
}

static void backward_weight(void *context)
{
    product *p = context;
    o->dense_backward_weight(room, p->dweight, NULL, p->y, p->d.out, p->x, p->d.in, p->d.in, p->d.out, p->n);
}

static void onednn(void *context)
{
    product *p = context;
    dnnl_primitive_execute(p->primitive, p->stream, 3, p->args);
    dnnl_stream_wait(p->stream);
}

/* What oneDNN multiplies beside ours: with bf16 both factors are bf16 already, with int8 x is u8 and y the plain sums,
 * so that what ours does in the call besides, rounding x and making floats of the sums, is no part of it. The arrays
 * are large enough for any type. */
static dnnl_data_type_t type_of_x(void)
{
    return precision == OPS_BF16 ? dnnl_bf16 : precision == OPS_INT8 ? dnnl_u8 : dnnl_f32;
}

static dnnl_data_type_t type_of_weights(void)
{
    return precision == OPS_INT8 ? dnnl_s8 : type_of_x();
}

static dnnl_data_type_t type_of_y(void)
{
    return precision == OPS_INT8 ? dnnl_s32 : dnnl_f32;
}

#if DNNL_VERSION_MAJOR < 3
/* x (n, in) times weights in the layout that oneDNN likes best for them; their values do not matter here. */
static dnnl_status_t onednn_make(product *p, dnnl_engine_t engine)
{
    dnnl_dims_t x_dims = { (dnnl_dim_t)p->n, (dnnl_dim_t)p->d.in },
                w_dims = { (dnnl_dim_t)p->d.in, (dnnl_dim_t)p->d.out };
    dnnl_dims_t y_dims = { (dnnl_dim_t)p->n, (dnnl_dim_t)p->d.out };
    dnnl_memory_desc_t x, w, y;
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_desc_t desc;
    dnnl_memory_desc_init_by_tag(&x, 2, x_dims, type_of_x(), dnnl_ab);
    dnnl_memory_desc_init_by_tag(&w, 2, w_dims, type_of_weights(), dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&y, 2, y_dims, type_of_y(), dnnl_ab);
    dnnl_matmul_desc_init(&matmul, &x, &w, NULL, &y);
    dnnl_status_t s = dnnl_primitive_desc_create(&desc, &matmul, NULL, engine, NULL);
    if (s)
        return s;
    p->args[0].arg = DNNL_ARG_SRC;
    p->args[1].arg = DNNL_ARG_WEIGHTS;
    p->args[2].arg = DNNL_ARG_DST;
    dnnl_memory_create(&p->args[0].memory, &x, engine, p->x);
    dnnl_memory_create(&p->args[1].memory, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0), engine,
                       DNNL_MEMORY_ALLOCATE);
    dnnl_memory_create(&p->args[2].memory, &y, engine, p->y);
    s = dnnl_primitive_create(&p->primitive, desc);
    dnnl_primitive_desc_destroy(desc);
    return s;
}
#else
static dnnl_status_t onednn_make(product *p, dnnl_engine_t engine)
{
    dnnl_dims_t x_dims = { (dnnl_dim_t)p->n, (dnnl_dim_t)p->d.in },
                w_dims = { (dnnl_dim_t)p->d.in, (dnnl_dim_t)p->d.out };
    dnnl_dims_t y_dims = { (dnnl_dim_t)p->n, (dnnl_dim_t)p->d.out };
    dnnl_memory_desc_t x, w, y;
    dnnl_primitive_desc_t desc;
    dnnl_memory_desc_create_with_tag(&x, 2, x_dims, type_of_x(), dnnl_ab);
    dnnl_memory_desc_create_with_tag(&w, 2, w_dims, type_of_weights(), dnnl_format_tag_any);
    dnnl_memory_desc_create_with_tag(&y, 2, y_dims, type_of_y(), dnnl_ab);
    dnnl_status_t s = dnnl_matmul_primitive_desc_create(&desc, engine, x, w, NULL, y, NULL);
    if (s)
        return s;
    p->args[0].arg = DNNL_ARG_SRC;
    p->args[1].arg = DNNL_ARG_WEIGHTS;
    p->args[2].arg = DNNL_ARG_DST;
    dnnl_memory_create(&p->args[0].memory, x, engine, p->x);
    dnnl_memory_create(&p->args[1].memory, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0), engine,
                       DNNL_MEMORY_ALLOCATE);
    dnnl_memory_create(&p->args[2].memory, y, engine, p->y);
    s = dnnl_primitive_create(&p->primitive, desc);
    dnnl_primitive_desc_destroy(desc);
    return s;
}
#endif

static void print_product(product *p, const char *what, void (*call)(void *), double limit)
{
    double rate = 2e-9 * (double)p->n * (double)p->d.in * (double)p->d.out / seconds(call, p);
    printf("%-26s %4zu x %4zu, %4zu rows  %7.1f GFLOP/s  %4.2f\n", what, p->d.out, p->d.in, p->n, rate, rate / limit);
}

static void bench_product(size_t n, size_t in, size_t out, activation act, dnnl_engine_t engine, dnnl_stream_t stream)
{
    float *weight = numbers(in * out), *bias = numbers(out);
    product p = { .d = { .in = in, .out = out, .weight = weight, .bias = bias },
                  .act = act,
                  .n = n,
                  .stream = stream };
    p.x = numbers(n * in);
    p.y = numbers(n * out);
    p.dweight = numbers(in * out);
    if (onednn_make(&p, engine) != dnnl_success || dense_pack_as(&p.d, precision, NULL) != BERT_OK) {
        fprintf(stderr, "bench_ops: oneDNN or memory failed\n");
        exit(1);
    }
    double limit = 2e-9 * (double)n * (double)in * (double)out / seconds(onednn, &p);
    printf("%-26s %4zu x %4zu, %4zu rows  %7.1f GFLOP/s\n", "oneDNN matmul", out, in, n, limit);
    print_product(&p, act ? "forward, packed, gelu" : "forward, packed", forward, limit);
    dense_unpack(&p.d);
    if (n == TOKENS && (precision == OPS_FP32 || precision == OPS_BF16)) {
        print_product(&p, act ? "forward, plain, gelu" : "forward, plain", forward, limit);
        print_product(&p, "backward, dx", backward_input, limit);
        print_product(&p, "backward, dweight", backward_weight, limit);
    }
    for (int i = 0; i < 3; i++)
        dnnl_memory_destroy(p.args[i].memory);
    dnnl_primitive_destroy(p.primitive);
    free(weight);
    free(bias);
    free(p.x);
    free(p.y);
    free(p.dweight);
}

static void bench_products(dnnl_engine_t engine, dnnl_stream_t stream)
{
    static const size_t hidden[] = { 384, 768 }, n[] = { 1, 16, TILE, TOKENS };
    for (size_t h = 0; h < 2; h++)
        for (size_t i = 0; i < 4; i++) {
            size_t H = hidden[h];
            bench_product(n[i], H, 3 * H, ACTIVATION_NONE, engine, stream);
            bench_product(n[i], H, H, ACTIVATION_NONE, engine, stream);
            bench_product(n[i], H, 4 * H, ACTIVATION_GELU, engine, stream);
            bench_product(n[i], 4 * H, H, ACTIVATION_NONE, engine, stream);
        }
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

typedef struct attention {
    attention_input in;
    float *y, *lse, *dq, *dk, *dv;
} attention;

static void attention_forward(void *context)
{
    attention *a = context;
    o->attention_forward(room, a->y, a->lse, &a->in);
}

static void attention_backward(void *context)
{
    attention *a = context;
    o->attention_backward(room, a->dq, a->dk, a->dv, NULL, a->y, a->y, a->lse, &a->in);
}

static void bench_attention(size_t heads, size_t D, int32_t length, float rate)
{
    int32_t start[TOKENS + 1] = { 0 };
    size_t H = heads * D, n_seq = (size_t)(TOKENS / length);
    for (size_t s = 0; s < n_seq; s++)
        start[s + 1] = start[s] + length;
    size_t n = (size_t)start[n_seq];
    float *qkv = numbers(n * 3 * H), *dqkv = numbers(n * 3 * H);
    attention a = {
        .in = { .queries = { n_seq, start },
                .keys = { n_seq, start },
                .hidden = H,
                .heads = heads,
                .q = qkv,
                .k = qkv + H,
                .v = qkv + 2 * H,
                .ldq = 3 * H,
                .ldkv = 3 * H,
                .drop = { .seed = 1, .rate = rate } },
        .y = numbers(n * H),
        .lse = numbers(n * heads),
        .dq = dqkv,
        .dk = dqkv + H,
        .dv = dqkv + 2 * H,
    };
    double work = 4e-9 * (double)n * (double)length * (double)H, f = seconds(attention_forward, &a),
           b = seconds(attention_backward, &a);
    printf("attention, %2zu heads of %3zu, length %3d%s  forward %7.1f GFLOP/s (%.0f us), backward %7.1f GFLOP/s (%.0f "
           "us)\n",
           heads, D, length, rate > 0 ? ", dropout" : "         ", work / f, 1e6 * f, 2.5 * work / b, 1e6 * b);
    free(qkv);
    free(dqkv);
    free(a.y);
    free(a.lse);
}

/* ---- row by row -------------------------------------------------------------------------------------------------- */

typedef struct rows {
    size_t n, C;
    float rate;
    float *x, *y, *residual, *sum, *mean, *rstd, *gamma, *beta;
    int32_t *ids;
} rows;

static void norm_forward(void *context)
{
    rows *r = context;
    o->layer_norm_forward(r->y, r->sum, r->mean, r->rstd, r->x, r->residual, r->gamma, r->beta, 1e-12f,
                          (dropout){ .seed = 1, .rate = r->rate }, r->n, r->C);
}

static void norm_backward(void *context)
{
    rows *r = context;
    o->layer_norm_backward(r->y, r->rate > 0 ? r->residual : NULL, r->gamma, r->beta, r->x, r->sum, r->mean, r->rstd,
                           r->gamma, (dropout){ .seed = 1, .rate = r->rate }, r->n, r->C);
}

static void gelu_backward(void *context)
{
    rows *r = context;
    o->activation_backward(r->y, r->sum, r->x, ACTIVATION_GELU, r->n * r->C);
}

static void drop(void *context)
{
    rows *r = context;
    o->dropout_apply(r->y, r->x, (dropout){ .seed = 1, .rate = 0.1f }, 0, r->n * r->C);
}

static void adam(void *context)
{
    rows *r = context;
    o->adam_step(r->x, r->y, r->residual, r->sum, &(adam_coefficients){ 0, 0.9f, 0.999f, 1e-7f, 1, 1 }, r->n * r->C);
}

static void embed(void *context)
{
    rows *r = context;
    embedding_table x = { .rows = r->x }, residual = { .rows = r->residual };
    o->embed_forward(r->y, &(embedding_tables){ r->C, x, residual, residual }, r->ids, r->ids, r->ids, r->n);
}

static void print_rows(rows *r, const char *what, double arrays, void (*call)(void *))
{
    double s = seconds(call, r), count = (double)r->n * (double)r->C;
    printf("%-26s (%zu, %4zu)  %7.1f GB/s  %5.2f ns an element\n", what, r->n, r->C, 4e-9 * arrays * count / s,
           1e9 * s / count);
}

static void bench_rows(size_t C)
{
    rows r = { .n = TOKENS, .C = C };
    float **all[] = { &r.x, &r.y, &r.residual, &r.sum };
    for (size_t i = 0; i < 4; i++)
        *all[i] = numbers(r.n * C);
    r.mean = numbers(r.n);
    r.rstd = numbers(r.n);
    r.gamma = numbers(C);
    r.beta = numbers(C);
    r.ids = calloc(r.n, sizeof *r.ids);
    print_rows(&r, "layer norm", 4, norm_forward);
    print_rows(&r, "layer norm backward", 5, norm_backward);
    r.rate = 0.1f;
    print_rows(&r, "dropout + layer norm", 4, norm_forward);
    print_rows(&r, "the same backward", 6, norm_backward);
    print_rows(&r, "gelu backward", 3, gelu_backward);
    print_rows(&r, "dropout", 2, drop);
    for (size_t i = 0; i < r.n * C; i++)
        r.residual[i] = 1;
    print_rows(&r, "adam", 8, adam);
    print_rows(&r, "embeddings", 2, embed);
    void *freed[] = { r.x, r.y, r.residual, r.sum, r.mean, r.rstd, r.gamma, r.beta, r.ids };
    for (size_t i = 0; i < sizeof freed / sizeof *freed; i++)
        free(freed[i]);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        use_threads(strtoul(argv[1], NULL, 10));
    bert_err err;
    if (ops_select(&o, &err)) {
        fprintf(stderr, "bench_ops: %s\n", err.message);
        return 1;
    }
    arena memory = { 0 };
    room = ops_room_create(&memory);
    if (!room.bytes)
        return 1;
    if (strcmp(o->name, "avx2") == 0)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) || dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))
        return 1;
    printf("%s, %zu threads\n", o->name, threads_allowed());
    bench_products(engine, stream);
    for (float rate = 0; rate < 0.2f; rate += 0.1f)
        for (int32_t length = LENGTH; length <= 480; length *= 4) {
            bench_attention(12, 32, length, rate);
            bench_attention(12, 64, length, rate);
        }
    bench_rows(384);
    bench_rows(768);
    static const ops_precision others[] = { OPS_BF16, OPS_BF16_WIDENED, OPS_INT8 };
    static const char *const words[] = { "bf16", "bf16 widened", "int8" };
    for (size_t i = 0; i < 3; i++) {
        precision = others[i];
        if (ops_select_precision(precision, &o, &err)) {
            printf("%s\n", err.message);
            continue;
        }
        printf("%s: %s, %zu threads\n", words[i], o->name, threads_allowed());
        bench_products(engine, stream);
    }
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    arena_free(&memory);
    return 0;
}
