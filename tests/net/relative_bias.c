/* Buckets of distances: those of transformers' relative_position_bucket (32 buckets, 128 the furthest), pinned. */
#include "net/relative_bias.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WIDTH = 2 * RELATIVE_SPAN + 1, HEADS = 3 };

/* The first distance of each bucket from 8 on, as transformers 5.24 computes them in float32. */
static const size_t FIRST[] = { 8, 12, 16, 23, 32, 46, 64, 91 };

static void buckets_are_those_of_transformers(void **state)
{
    (void)state;
    for (size_t n = 0; n < 600; n++) {
        size_t expected = n < 8 ? n : 8;
        for (size_t k = 1; k < 8 && n >= 8; k++)
            expected += n >= FIRST[k];
        assert_int_equal(relative_bucket(-(ptrdiff_t)n), expected);
        if (n)
            assert_int_equal(relative_bucket((ptrdiff_t)n), 16 + expected);
    }
}

/* Further than the span all is as at its end. */
static void the_span_holds_every_bucket(void **state)
{
    (void)state;
    assert_int_equal(relative_bucket(RELATIVE_SPAN), relative_bucket(100000));
    assert_int_equal(relative_bucket(-RELATIVE_SPAN), relative_bucket(-100000));
}

/* sum dbias * spread(table) is sum backward(dbias) * table. */
static void backward_is_the_transpose_of_spreading(void **state)
{
    (void)state;
    static float table[RELATIVE_BUCKETS * HEADS], dtable[RELATIVE_BUCKETS * HEADS], bias[HEADS * WIDTH],
        dbias[HEADS * WIDTH];
    double forward = 0, backward = 0;
    for (size_t i = 0; i < RELATIVE_BUCKETS * HEADS; i++)
        table[i] = (float)(i * i % 17) / 16, dtable[i] = 1;
    for (size_t i = 0; i < HEADS * WIDTH; i++)
        dbias[i] = (float)(i * 7 % 13) / 8;
    relative_bias_spread(bias, table, HEADS);
    relative_bias_backward(dtable, dbias, HEADS);
    for (size_t i = 0; i < HEADS * WIDTH; i++)
        forward += (double)bias[i] * (double)dbias[i];
    for (size_t i = 0; i < RELATIVE_BUCKETS * HEADS; i++)
        backward += (double)table[i] * ((double)dtable[i] - 1); /* it adds */
    assert_true(forward > 1 && forward - backward < 1e-6 && backward - forward < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_those_of_transformers),
        cmocka_unit_test(the_span_holds_every_bucket),
        cmocka_unit_test(backward_is_the_transpose_of_spreading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
