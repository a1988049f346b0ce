/* Losses: known values, extremes, and gradients by central differences. */
#include "ops/loss.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { N = 12, K = 3 };

/* A loss of one float among its logits, by central differences: wide steps, since logits are floats, with the cubic term taken out. */
#define ASSERT_SLOPE(logits, i, gradient, loss)                           \
    do {                                                                  \
        float kept_ = (logits)[i];                                        \
        double d_[2];                                                     \
        for (int k_ = 0; k_ < 2; k_++) {                                  \
            float h_ = k_ ? 0x1p-6f : 0x1p-5f;                            \
            (logits)[i] = kept_ + h_;                                     \
            float above_ = (logits)[i];                                   \
            double up_ = (loss);                                          \
            (logits)[i] = kept_ - h_;                                     \
            double down_ = (loss);                                        \
            d_[k_] = (up_ - down_) / ((double)above_ - (logits)[i]);      \
        }                                                                 \
        (logits)[i] = kept_;                                              \
        double slope_ = (4 * d_[1] - d_[0]) / 3;                          \
        assert_true(fabs((gradient)-slope_) < 1e-6 * (1 + fabs(slope_))); \
    } while (0)

static void fill(float *x, size_t n, uint64_t seed)
{
    random_stream r = { .seed = seed };
    for (size_t i = 0; i < n; i++)
        x[i] = 2 * random_normal(&r);
}

static void sigmoid_cross_entropy_has_known_values(void **state)
{
    (void)state;
    float z[3] = { 0, 100, -100 }, t[3] = { 1, 1, 1 }, d[3];
    assert_true(fabs(loss_sigmoid_cross_entropy(d, z, t, 2, 3) - (log(2) + 0 + 100)) < 1e-12);
    assert_true(d[0] == -1.0f && fabsf(d[1]) < 1e-30f && d[2] == -2.0f);
}

static void sigmoid_cross_entropys_gradient_is_that_of_differences(void **state)
{
    (void)state;
    float z[N], t[N], d[N];
    fill(z, N, 1);
    for (size_t i = 0; i < N; i++)
        t[i] = (float)(i % 3) / 2;
    loss_sigmoid_cross_entropy(d, z, t, 0.5f, N);
    for (size_t i = 0; i < N; i++)
        ASSERT_SLOPE(z, i, d[i], 0.5 * loss_sigmoid_cross_entropy(NULL, z, t, 1, N));
}

static void softmax_cross_entropy_has_known_values(void **state)
{
    (void)state;
    float z[2 * K] = { 5, 5, 5, 1000, 0, -1000 }, d[2 * K];
    int32_t t[2] = { 1, 1 };
    assert_true(fabs(loss_softmax_cross_entropy(d, z, t, 1, 2, K) - (log(3) + 1000)) < 1e-9);
    assert_true(fabsf(d[0] - 1.0f / 3) < 1e-7f && d[3] == 1.0f && d[4] == -1.0f && d[5] == 0.0f);
}

static void softmax_cross_entropys_gradient_is_that_of_differences(void **state)
{
    (void)state;
    float z[N * K], d[N * K];
    int32_t t[N];
    fill(z, N * K, 2);
    for (size_t i = 0; i < N; i++)
        t[i] = (int32_t)(i % K);
    loss_softmax_cross_entropy(d, z, t, 0.25f, N, K);
    for (size_t i = 0; i < N * K; i++)
        ASSERT_SLOPE(z, i, d[i], 0.25 * loss_softmax_cross_entropy(NULL, z, t, 1, N, K));
}

static void squared_error_and_its_gradient_are_right(void **state)
{
    (void)state;
    float z[N], t[N], d[N];
    fill(z, N, 3);
    fill(t, N, 4);
    loss_squared_error(d, z, t, 0.125f, N);
    for (size_t i = 0; i < N; i++)
        ASSERT_SLOPE(z, i, d[i], 0.125 * loss_squared_error(NULL, z, t, 1, N));
    z[0] = 3, t[0] = 1, z[1] = 0, t[1] = 5;
    assert_true(loss_squared_error(NULL, z, t, 1, 2) == 4 + 25);
}

static void sigmoid_and_softmax_stay_finite_and_sum_to_1(void **state)
{
    (void)state;
    float x[6] = { 0, 1, -1, 1000, -1000, 20 }, y[6];
    sigmoid(y, x, 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(fabs(y[i] - 1 / (1 + exp(-(double)x[i]))) < 1e-7);
    softmax(x, x, 2, 3);
    for (size_t i = 0; i < 2; i++)
        assert_true(fabsf(x[3 * i] + x[3 * i + 1] + x[3 * i + 2] - 1) < 1e-6f);
    assert_true(fabs(x[1] - exp(1) / (1 + exp(1) + exp(-1))) < 1e-7 && x[3] == 1.0f && x[4] == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigmoid_cross_entropy_has_known_values),   cmocka_unit_test(sigmoid_cross_entropys_gradient_is_that_of_differences),
        cmocka_unit_test(softmax_cross_entropy_has_known_values),   cmocka_unit_test(softmax_cross_entropys_gradient_is_that_of_differences),
        cmocka_unit_test(squared_error_and_its_gradient_are_right), cmocka_unit_test(sigmoid_and_softmax_stay_finite_and_sum_to_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
