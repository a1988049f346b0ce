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

/* A loss of one float among its logits, by central differences: wide steps, since logits are floats, with the cubic
 * term taken out. */
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
    float d;
    assert_true(fabs(loss_sigmoid_cross_entropy(&d, 0, 1, 2) - log(2)) < 1e-15 && d == -1.0f);
    assert_true(fabs(loss_sigmoid_cross_entropy(&d, 100, 1, 2)) < 1e-40 && fabsf(d) < 1e-30f);
    assert_true(fabs(loss_sigmoid_cross_entropy(&d, -100, 1, 2) - 100) < 1e-12 && d == -2.0f);
}

static void sigmoid_cross_entropys_gradient_is_that_of_differences(void **state)
{
    (void)state;
    float z[N], d[N];
    fill(z, N, 1);
    for (size_t i = 0; i < N; i++) {
        double target = (double)(i % 5) / 4;
        loss_sigmoid_cross_entropy(&d[i], z[i], target, 0.5);
        ASSERT_SLOPE(z, i, d[i], 0.5 * loss_sigmoid_cross_entropy(NULL, z[i], target, 1));
    }
}

static void softmax_cross_entropy_has_known_values(void **state)
{
    (void)state;
    float equal[K] = { 5, 5, 5 }, apart[K] = { 1000, 0, -1000 }, d[K];
    assert_true(fabs(loss_softmax_cross_entropy(d, equal, 1, 0, 1, K) - log(3)) < 1e-12);
    assert_true(fabsf(d[0] - 1.0f / 3) < 1e-7f && fabsf(d[1] + 2.0f / 3) < 1e-7f);
    assert_true(fabs(loss_softmax_cross_entropy(d, apart, 1, 0, 1, K) - 1000) < 1e-9);
    assert_true(d[0] == 1.0f && d[1] == -1.0f && d[2] == 0.0f);
    /* smoothed by 0.3 the targets are 0.1, 0.8, 0.1 */
    assert_true(fabs(loss_softmax_cross_entropy(d, apart, 1, 0.3, 1, K) - (0.8 * 1000 + 0.1 * 2000)) < 1e-9);
    assert_true(fabsf(d[0] - 0.9f) < 1e-7f && fabsf(d[1] + 0.8f) < 1e-7f && fabsf(d[2] + 0.1f) < 1e-7f);
}

static void softmax_cross_entropys_gradient_is_that_of_differences(void **state)
{
    (void)state;
    float z[N * K], d[K];
    fill(z, N * K, 2);
    for (size_t row = 0; row < N; row++) {
        double smoothing = row % 2 ? 0.2 : 0;
        float *x = z + row * K;
        loss_softmax_cross_entropy(d, x, row % K, smoothing, 0.25, K);
        for (size_t k = 0; k < K; k++)
            ASSERT_SLOPE(x, k, d[k], 0.25 * loss_softmax_cross_entropy(NULL, x, row % K, smoothing, 1, K));
    }
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
        cmocka_unit_test(sigmoid_cross_entropy_has_known_values),
        cmocka_unit_test(sigmoid_cross_entropys_gradient_is_that_of_differences),
        cmocka_unit_test(softmax_cross_entropy_has_known_values),
        cmocka_unit_test(softmax_cross_entropys_gradient_is_that_of_differences),
        cmocka_unit_test(squared_error_and_its_gradient_are_right),
        cmocka_unit_test(sigmoid_and_softmax_stay_finite_and_sum_to_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
