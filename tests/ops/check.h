/* What the tests of operations share: random tensors, comparison with a double-precision reference, comparison of bits,
 * and gradients of a reference by central differences. Every test runs for each instruction set that the machine
 * has. */
#pragma once

#include "base/random.h"
#include "base/threads.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define UNUSED __attribute__((unused))

/* for (each instruction set) with `o` its operations */
#define FOR_EACH_ISA(o)                                               \
    for (const char *const *name_ = ops_available(); *name_; name_++) \
        for (const ops *o = ops_named(*name_); o; o = NULL)

/* Room for eight threads that the calling thread wakes. */
UNUSED static ops_room any_room(void)
{
    static _Thread_local _Alignas(64) unsigned char bytes[8][OPS_ROOM];
    return (ops_room){ bytes[0], 8 };
}

/* Memory of exactly the size asked for, so that a sanitizer sees the first byte beyond it. */
UNUSED static void *room(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    assert_non_null(p);
    return p;
}

UNUSED static float *floats(size_t n)
{
    return room(n, sizeof(float));
}

UNUSED static double *doubles(size_t n)
{
    return room(n, sizeof(double));
}

/* n numbers, normal with deviation `spread` */
UNUSED static float *random_floats(random_stream *r, size_t n, float spread)
{
    float *x = floats(n);
    for (size_t i = 0; i < n; i++)
        x[i] = spread * random_normal(r);
    return x;
}

UNUSED static float *copy_floats(const float *x, size_t n)
{
    float *y = floats(n);
    memcpy(y, x, n * sizeof *x);
    return y;
}

UNUSED static double *to_doubles(const float *x, size_t n)
{
    double *y = doubles(n);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i];
    return y;
}

/* |got - want| <= tolerance * (1 + |want|), element by element */
UNUSED static void assert_close(const ops *o, const char *what, const float *got, const double *want, size_t n,
                                double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= tolerance * (1 + fabs(want[i]))))
            fail_msg("%s: %s[%zu] of %zu is %.9g, should be %.9g (tolerance %g)", o->name, what, i, n, (double)got[i],
                     want[i], tolerance);
}

UNUSED static void assert_same_bits(const ops *o, const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a))
            fail_msg("%s: %s[%zu] of %zu differs: %.9g and %.9g", o->name, what, i, n, (double)a[i], (double)b[i]);
}

/* gradient (n) is that of loss by x (n), which is changed and restored: central differences in double. */
UNUSED static void assert_gradient(const char *what, double (*loss)(void *), void *context, double *x,
                                   const double *gradient, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double kept = x[i], h = 1e-5 * (1 + fabs(kept));
        x[i] = kept + h;
        double above = loss(context);
        x[i] = kept - h;
        double below = loss(context);
        x[i] = kept;
        double slope = (above - below) / (2 * h);
        if (!(fabs(slope - gradient[i]) <= 1e-7 * (1 + fabs(slope))))
            fail_msg("%s[%zu]: the reference's gradient is %.12g, by differences %.12g", what, i, gradient[i], slope);
    }
}

/* The thread counts under which bits are compared. */
enum { MOST_THREADS = 4 };

/* All that operations make of a subject, one behind another: size floats. */
typedef float *results_function(const ops *o, const void *subject, size_t *size);

typedef struct inner_call {
    const ops *o;
    results_function *f;
    const void *subject;
    float *results[2]; /* one for each part */
} inner_call;

UNUSED static void run_inner(void *context, size_t part, size_t thread)
{
    inner_call *c = context;
    size_t size;
    (void)thread;
    c->results[part] = c->f(c->o, c->subject, &size);
}

/* The same bits on one thread, on more, and inside a part of what threads share. */
UNUSED static void assert_bits_of_threads(const ops *o, results_function *f, const void *subject)
{
    size_t size;
    threads_allow(1);
    float *one = f(o, subject, &size);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        threads_allow((size_t)threads);
        float *more = f(o, subject, &size);
        assert_same_bits(o, "on more threads", more, one, size);
        free(more);
    }
    inner_call inside = { o, f, subject, { NULL, NULL } };
    threads_run(2, 2, run_inner, &inside);
    for (int i = 0; i < 2; i++) {
        assert_same_bits(o, "inside a part", inside.results[i], one, size);
        free(inside.results[i]);
    }
    free(one);
}
