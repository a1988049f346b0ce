/* Products of bf16 numbers against plain loops in double. That a row's bits depend on nothing else is tested with all
 * others, in dense.c. */
#include "dense_layer.h"

#include "ops/select.h"

static const ops *o; /* or NULL, and then why */
static bert_err reason;

#define SKIP_WITHOUT_BF16()                    \
    if (!o) {                                  \
        print_message("%s\n", reason.message); \
        skip();                                \
    }

/* The nearest bf16, of two as near the even one. */
static float rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float *rounded_floats(const float *x, size_t n)
{
    float *y = floats(n);
    for (size_t i = 0; i < n; i++)
        y[i] = rounded(x[i]);
    return y;
}

/* c (m, n; ldc) += A B in double, and size += |A| |B| where it is not NULL;  A[i][l] = a[i * a_row + l * a_col] and so
 * on */
static void multiply(double *c, double *size, const float *a, size_t a_row, size_t a_col, const float *b, size_t b_row,
                     size_t b_col, size_t m, size_t n, size_t k)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t l = 0; l < k; l++) {
                double product = (double)a[i * a_row + l * a_col] * b[l * b_row + j * b_col];
                c[i * n + j] += product;
                size[i * n + j] += fabs(product);
            }
}

/* got (m, n; ld) against want: off by at most `share` of the sum of the products' sizes, and a float's rounding of each
 * of the k sums. */
static void assert_within(const char *what, const float *got, size_t ld, const double *want, const double *size,
                          size_t m, size_t n, size_t k, double share)
{
    for (size_t i = 0; i < m * n; i++) {
        double value = got[i / n * ld + i % n], allowed = size[i] * (share + 0x1p-23 * (2 + sqrt((double)k)));
        if (!(fabs(value - want[i]) <= allowed))
            fail_msg("%s[%zu] of %zu x %zu, %zu deep, is %.9g, should be %.9g within %g", what, i, m, n, k, value,
                     want[i], allowed);
    }
}

/* Of the three products of a layer: the numbers that are multiplied, and how far from exact the result may be. */
typedef struct reading {
    const float *x, *dy, *weight;
    double share;
} reading;

static void check_forward(const layer *l, const reading *r)
{
    size_t in = l->d.in, out = l->d.out, n = l->n;
    double *want = doubles(n * out), *size = doubles(n * out);
    float *y = floats(n * l->ldy);
    multiply(want, size, r->x, l->ldx, 1, r->weight, 1, in, n, out, in);
    dense d = l->d;
    d.bias = NULL;
    o->dense_forward(any_room(), y, l->ldy, NULL, l->x, l->ldx, &d, ACTIVATION_NONE, n);
    assert_within("y", y, l->ldy, want, size, n, out, in, r->share);
    free(want);
    free(size);
    free(y);
}

static void check_backward(const layer *l, const reading *r)
{
    size_t in = l->d.in, out = l->d.out, n = l->n;
    double *dx = doubles(n * in), *dx_size = doubles(n * in), *dweight = to_doubles(l->weight, in * out),
           *dweight_size = doubles(in * out);
    float *got = floats(n * in), *got_weight = copy_floats(l->weight, in * out);
    for (size_t i = 0; i < in * out; i++)
        dweight_size[i] = fabs(dweight[i]);
    multiply(dx, dx_size, r->dy, l->ldy, 1, r->weight, in, 1, n, in, out);
    multiply(dweight, dweight_size, r->dy, 1, l->ldy, r->x, l->ldx, 1, out, in, n);
    o->dense_backward_input(any_room(), got, in, l->dy, l->ldy, &l->d, false, n);
    assert_within("dx", got, in, dx, dx_size, n, in, out, r->share);
    float *twice = copy_floats(got, n * in);
    o->dense_backward_input(any_room(), twice, in, l->dy, l->ldy, &l->d, true, n);
    for (size_t i = 0; i < n * in; i++) {
        dx[i] *= 2;
        dx_size[i] *= 2;
    }
    assert_within("dx added", twice, in, dx, dx_size, n, in, out, r->share);
    o->dense_backward_weight(any_room(), got_weight, NULL, l->dy, l->ldy, l->x, l->ldx, in, out, n);
    assert_within("dweight", got_weight, in, dweight, dweight_size, out, in, n, r->share);
    void *all[] = { dx, dx_size, dweight, dweight_size, got, got_weight, twice };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void check_products(layer *l, const reading *r)
{
    check_forward(l, r);
    check_backward(l, r);
    assert_int_equal(dense_pack_as(&l->d, OPS_BF16, NULL), BERT_OK);
    check_forward(l, r);
}

static void products_are_those_of_rounded_factors(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], false, s);
        float *x = rounded_floats(l.x, l.n * l.ldx), *dy = rounded_floats(l.dy, l.n * l.ldy),
              *w = rounded_floats(l.weight, l.d.in * l.d.out);
        check_products(&l, &(reading){ x, dy, w, 0 });
        free(x);
        free(dy);
        free(w);
        layer_free(&l);
    }
}

/* A bf16 has eight binary digits, so it is off by at most 2^-8 of itself, and a product of two by little more than
 * 2^-7. */
static void products_are_within_the_rounding_of_the_factors(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], false, s);
        check_products(&l, &(reading){ l.x, l.dy, l.weight, 0x1p-7 + 0x1p-16 });
        layer_free(&l);
    }
}

/* y = x w for one number */
static float times(float x, float w)
{
    float y;
    dense d = { .in = 1, .out = 1, .weight = &w };
    o->dense_forward(any_room(), &y, 1, NULL, &x, 1, &d, ACTIVATION_NONE, 1);
    return y;
}

static void factors_are_rounded_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    static const float numbers[][2] = { { 1, 1 },
                                        { 1 + 0x1p-8f, 1 },
                                        { 1 + 0x1p-8f + 0x1p-23f, 1 + 0x1p-7f },
                                        { 1 + 3 * 0x1p-8f, 1 + 0x1p-6f },
                                        { -1 - 0x1p-8f, -1 },
                                        { 0x1p-126f, 0x1p-126f },
                                        { 0x1p-127f, 0 } /* denormal */ };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(times(numbers[i][0], 1) == numbers[i][1]);
        assert_true(times(1, numbers[i][0]) == numbers[i][1]);
    }
    assert_true(isnan(times(NAN, 1)));
    assert_true(isinf(times(INFINITY, 1)));
}

/* 2^30 + 1 - 2^30: the one is lost, or, in another order of pairs, it is not. */
static void pairs_are_summed_in_order(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    enum { MOST = 2100 };
    float w[MOST], y;
    for (size_t k = 0; k < MOST; k++)
        w[k] = 1;
    for (size_t in = 6; in <= MOST; in += in < 600 ? 17 : 500)
        for (size_t one = 2; one < in - 2; one += 7) {
            float *x = floats(in);
            x[0] = 0x1p30f;
            x[one] = 1;
            x[in - 1] = -0x1p30f;
            dense d = { .in = in, .out = 1, .weight = w };
            o->dense_forward(any_room(), &y, 1, NULL, x, in, &d, ACTIVATION_NONE, 1);
            if (y != 0)
                fail_msg("%g with the one at %zu of %zu", (double)y, one, in);
            free(x);
        }
}

static void only_the_products_and_attention_forward_differ_from_fp32(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    const ops *fp32;
    assert_int_equal(ops_select(&fp32, NULL), BERT_OK);
    assert_ptr_not_equal(o->dense_forward, fp32->dense_forward);
    assert_ptr_not_equal(o->dense_backward_input, fp32->dense_backward_input);
    assert_ptr_not_equal(o->dense_backward_weight, fp32->dense_backward_weight);
    ops same = *o;
    same.name = fp32->name;
    same.dense_forward = fp32->dense_forward;
    same.attention_forward = fp32->attention_forward;
    same.dense_backward_input = fp32->dense_backward_input;
    same.dense_backward_weight = fp32->dense_backward_weight;
    assert_memory_equal(&same, fp32, sizeof same);
}

#if !defined(OPS_GENERIC)
/* Where vdpbf16ps is slow its products are formed of floats: the same bits, denormal numbers and odd sizes included. */
static void both_ways_to_multiply_give_the_same_bits(void **state)
{
    (void)state;
    SKIP_WITHOUT_BF16()
    const ops *ways[] = { &ops_avx512_bf16, &ops_avx512_bf16_fma };
    for (size_t s = 0; s < N_SIZES; s++)
        for (int packed = 0; packed < 2; packed++) {
            layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
            for (size_t i = 0; i < l.n * l.ldx; i++)
                l.x[i] *= i % 7 ? 1 : i % 2 ? 1e-39f : 1e-25f;
            for (size_t i = 0; i < l.n * l.ldy; i++)
                l.dy[i] *= i % 5 ? 1 : 1e-25f;
            if (packed)
                assert_int_equal(dense_pack_as(&l.d, OPS_BF16, NULL), BERT_OK);
            float *y[2], *dx[2], *dw[2];
            for (int w = 0; w < 2; w++) {
                y[w] = floats(l.n * l.d.out);
                dx[w] = floats(l.n * l.d.in);
                dw[w] = floats(l.d.in * l.d.out);
                ways[w]->dense_forward(any_room(), y[w], l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_GELU, l.n);
                ways[w]->dense_backward_input(any_room(), dx[w], l.d.in, l.dy, l.ldy, &l.d, false, l.n);
                ways[w]->dense_backward_weight(any_room(), dw[w], NULL, l.dy, l.ldy, l.x, l.ldx, l.d.in, l.d.out, l.n);
            }
            assert_memory_equal(y[0], y[1], l.n * l.d.out * sizeof(float));
            assert_memory_equal(dx[0], dx[1], l.n * l.d.in * sizeof(float));
            assert_memory_equal(dw[0], dw[1], l.d.in * l.d.out * sizeof(float));
            for (int w = 0; w < 2; w++) {
                free(y[w]);
                free(dx[w]);
                free(dw[w]);
            }
            layer_free(&l);
        }
}
#endif

int main(void)
{
    if (ops_select_precision(OPS_BF16, &o, &reason))
        o = NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_rounded_factors),
        cmocka_unit_test(products_are_within_the_rounding_of_the_factors),
        cmocka_unit_test(factors_are_rounded_to_nearest_and_ties_to_even),
        cmocka_unit_test(pairs_are_summed_in_order),
        cmocka_unit_test(only_the_products_and_attention_forward_differ_from_fp32),
#if !defined(OPS_GENERIC)
        cmocka_unit_test(both_ways_to_multiply_give_the_same_bits),
#endif
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed ? failed : o ? 0 : 77;
}
