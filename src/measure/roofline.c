/* Measuring what the machine could do. */
#include "measure/roofline.h"

#include "base/clock.h"
#include "base/threads.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A round is long beside what starting threads costs. */
static const double ROUND_SECONDS = 0.02;

enum { TURNS = 2 }; /* ours and oneDNN's: what else the machine does befalls both */

/* Memory is read in a buffer that no cache holds. */
/* BENIGN: as every byte a small number, int8, bf16 and fp32 alike */
enum { LEAST_BUFFER = 1 << 28, CACHES = 4, BENIGN = 0x3C };

/* ---- rates ------------------------------------------------------------------------------------------------------- */

typedef struct timed_round {
    void (*run)(void *own);
    void *const *own;
    size_t calls;
} timed_round;

static void run_calls(void *context, size_t part, size_t thread)
{
    const timed_round *r = context;
    (void)thread;
    size_t before = threads_allow(1); /* what it calls has one thread, also where that is the only one */
    for (size_t i = 0; i < r->calls; i++)
        r->run(r->own[part]);
    threads_allow(before);
}

static double time_round(void (*run)(void *own), void *const *own, size_t threads, size_t calls)
{
    double start = clock_seconds();
    threads_run(threads, threads, run_calls, &(timed_round){ run, own, calls });
    return clock_seconds() - start;
}

double roofline_rate(void (*run)(void *own), void *const *own, size_t threads, double seconds)
{
    double end = clock_seconds() + seconds, best = 0, spent = time_round(run, own, threads, 1);
    size_t calls = 1;
    while (spent < ROUND_SECONDS / 2 && calls < SIZE_MAX / 4)
        spent = time_round(run, own, threads, calls *= 2);
    do {
        double rate = (double)(calls * threads) / time_round(run, own, threads, calls);
        best = rate > best ? rate : best;
    } while (clock_seconds() < end);
    return best;
}

/* ---- products by our kernels ------------------------------------------------------------------------------------- */

/* One thread's. */
typedef struct own_product {
    const ops *ops;
    const dense *dense;
    float *x, *y; /* (ROOFLINE_ROWS, in), (ROOFLINE_ROWS, out) */
    ops_room room;
} own_product;

static void run_own(void *own)
{
    own_product *p = own;
    p->ops->dense_forward(p->room, p->y, p->dense->out, NULL, p->x, p->dense->in, p->dense, ACTIVATION_NONE,
                          ROOFLINE_ROWS);
}

static double rate_own(const bench *b, const dense *d, double seconds)
{
    double rate = 0, operations = 2.0 * ROOFLINE_ROWS * (double)d->in * (double)d->out;
    bool fine = true;
    own_product *all = calloc(b->threads, sizeof *all);
    void **own = calloc(b->threads, sizeof *own);
    for (size_t i = 0; all && own && i < b->threads; i++) {
        all[i] = (own_product){ b->session->encoder.ops,
                                d,
                                malloc(ROOFLINE_ROWS * d->in * sizeof(float)),
                                malloc(ROOFLINE_ROWS * d->out * sizeof(float)),
                                { aligned_alloc(64, OPS_ROOM), 1 } };
        own[i] = &all[i];
        fine = fine && all[i].x && all[i].y && all[i].room.bytes;
        for (size_t k = 0; all[i].x && k < ROOFLINE_ROWS * d->in; k++)
            all[i].x[k] = (float)(k % 17) - 8;
    }
    if (all && own && fine)
        rate = operations * roofline_rate(run_own, own, b->threads, seconds);
    for (size_t i = 0; all && i < b->threads; i++) {
        free(all[i].x);
        free(all[i].y);
        free(all[i].room.bytes);
    }
    free(all);
    free(own);
    return rate;
}

/* ---- products by oneDNN ------------------------------------------------------------------------------------------ */

static double rate_onednn(const bench *b, ops_precision precision, const dense *d, double seconds)
{
    double rate = 0, operations = 2.0 * ROOFLINE_ROWS * (double)d->in * (double)d->out;
    void **own = calloc(b->threads, sizeof *own);
    bool fine = own != NULL;
    for (size_t i = 0; fine && i < b->threads; i++)
        fine = (own[i] = onednn_product_create(precision, ROOFLINE_ROWS, d->in, d->out)) != NULL;
    if (fine)
        rate = operations * roofline_rate(onednn_product_run, own, b->threads, seconds);
    for (size_t i = 0; own && i < b->threads; i++)
        onednn_product_free(own[i]);
    free(own);
    return rate;
}

/* What oneDNN is asked for: the precision that the packed weights have. */
static ops_precision precision_of(const bench *b, const dense *d)
{
    if (d->packed)
        return d->packed->stored == STORED_INT8 ? OPS_INT8 : d->packed->stored == STORED_BF16 ? OPS_BF16 : OPS_FP32;
    return b->session->encoder.precision == OPS_BF16 ? OPS_BF16 : OPS_FP32;
}

static void measure_products(roofline *r, const bench *b)
{
    bench_product products[BENCH_PRODUCTS];
    double operations = 0, alone = 0, onednn = 0;
    onednn_name(r->library, sizeof r->library);
    r->n = bench_products(&b->session->encoder, 0, products);
    double seconds = b->options->seconds / (double)r->n;
    for (size_t i = 0; i < r->n; i++) {
        roofline_product *p = &r->products[i];
        const dense *d = products[i].dense;
        *p = (roofline_product){ .name = products[i].name, .in = d->in, .out = d->out };
        for (int turn = 0; turn < TURNS; turn++) {
            p->alone = fmax(p->alone, rate_own(b, d, seconds / TURNS));
            p->onednn = fmax(p->onednn, *r->library ? rate_onednn(b, precision_of(b, d), d, seconds / TURNS) : 0);
        }
        double work = (double)d->in * (double)d->out;
        operations += work;
        alone += p->alone > 0 ? work / p->alone : INFINITY;
        onednn += p->onednn > 0 ? work / p->onednn : INFINITY;
    }
    r->alone = operations / alone;
    r->onednn = operations / onednn;
    const bench_parts *parts = &b->many_parts;
    if (parts->seconds[PROFILE_PRODUCTS] > 0) {
        r->in_situ = parts->products * (double)parts->threads / parts->seconds[PROFILE_PRODUCTS];
        r->share = parts->seconds[PROFILE_PRODUCTS] / parts->all;
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef uint64_t lane __attribute__((vector_size(64)));

/* A thread's part of a buffer. */
typedef struct roofline_stretch {
    const lane *from;
    size_t n;
    lane sum; /* so that reading is not left out */
} roofline_stretch;

static void read_stretch(void *own)
{
    roofline_stretch *s = own;
    lane a = { 0 }, b = { 0 };
    for (size_t i = 0; i + 1 < s->n; i += 2) {
        a += s->from[i];
        b += s->from[i + 1];
    }
    s->sum += a + b;
}

/* Bytes a second that so many threads read of a buffer of so many bytes, each its part, again and again. */
static double rate_reading(size_t threads, size_t bytes, double seconds)
{
    size_t part = bytes / threads / sizeof(lane) / 2 * 2;
    lane *lanes = aligned_alloc(sizeof(lane), (part * threads + 2) * sizeof(lane));
    roofline_stretch *all = aligned_alloc(sizeof(lane), threads * sizeof *all);
    void **own = calloc(threads, sizeof *own);
    double rate = 0;
    if (lanes && all && own && part) {
        memset(lanes, BENIGN, part * threads * sizeof *lanes);
        for (size_t i = 0; i < threads; i++) {
            all[i] = (roofline_stretch){ .from = lanes + i * part, .n = part };
            own[i] = &all[i];
        }
        rate = (double)(part * sizeof(lane)) * roofline_rate(read_stretch, own, threads, seconds);
    }
    free(lanes);
    free(all);
    free(own);
    return rate;
}

static void measure_memory(roofline *r, const bench *b)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE), pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t bytes = cache > LEAST_BUFFER / CACHES ? (size_t)cache * CACHES : LEAST_BUFFER;
    double seconds = b->options->seconds / 2;
    r->weights = rate_reading(b->threads, b->memory.weights, seconds);
    if (pages <= 0 || page <= 0 || (double)pages * (double)page < 2 * (double)bytes) /* too little is free: not known */
        return;
    r->memory = rate_reading(b->threads, bytes, seconds);
    r->memory_one = b->threads > 1 ? rate_reading(1, bytes, seconds) : r->memory;
}

bert_status roofline_measure(roofline *r, const bench *b, bert_err *err)
{
    *r = (roofline){ 0 };
    measure_products(r, b);
    measure_memory(r, b);
    return r->alone > 0 ? BERT_OK : fail_memory(err, "products to measure");
}
