/* The optimiser against Keras' formulas in double, and what it may be told. */
#include "base/scratch.h"

#include "base/random.h"
#include "each_isa.h"
#include "bert.h"

#include <math.h>

enum { N = 1003, STEPS = 50 }; /* no multiple of a vector's width */

/* w, m, v after one more step: Kingma and Ba with the bias correction in the step's length. */
static void reference_step(double *w, double *m, double *v, const float *g, const bert_optimizer_options *o, int step)
{
    double lr = o->learning_rate * sqrt(1 - pow(o->beta_2, step)) / (1 - pow(o->beta_1, step));
    for (int i = 0; i < N; i++) {
        m[i] = o->beta_1 * m[i] + (1 - o->beta_1) * g[i];
        v[i] = o->beta_2 * v[i] + (1 - o->beta_2) * (double)g[i] * g[i];
        w[i] -= lr * m[i] / (sqrt(v[i]) + o->epsilon);
    }
}

static bert_param tuned(float *w, float *g, size_t n)
{
    return (bert_param){ .name = "w", .group = "head", .rows = n, .cols = 1, .value = w, .tuned = w, .grad = g };
}

/* float32 rounds a weight of about 1 by 6e-8 a step and m and v by as much of themselves, so a step is off by some 1e-7 of lr and the weight by
 * STEPS roundings. */
static void steps_are_those_of_keras(void **state)
{
    (void)state;
    static const bert_optimizer_options OPTIONS[] = { { 1e-3, 0.9, 0.999, 1e-7 }, { 0.1, 0, 0, 1 }, { 1e-5, 0.5, 0.9, 0 } };
    for (size_t k = 0; k < sizeof OPTIONS / sizeof *OPTIONS; k++) {
        static float w[N], g[N], other[N], other_grad[N];
        static double W[N], M[N], V[N];
        random_stream r = { 1, k, 0 };
        memset(M, 0, sizeof M);
        memset(V, 0, sizeof V);
        for (int i = 0; i < N; i++)
            W[i] = w[i] = other[i] = random_normal(&r);
        const float frozen = 5;
        bert_param params[] = { tuned(w, g, N), { .name = "frozen", .rows = 1, .cols = 1, .value = &frozen }, tuned(other, other_grad, N) };
        bert_optimizer *o;
        assert_works(bert_optimizer_create(params, 3, &OPTIONS[k], &o, err));
        for (int step = 1; step <= STEPS; step++) {
            for (int i = 0; i < N; i++)
                g[i] = other_grad[i] = random_normal(&r) * (i % 3 ? 1e-4f : 10);
            reference_step(W, M, V, g, &OPTIONS[k], step);
            bert_optimizer_step(o);
            for (int i = 0; i < N; i++) {
                assert_true(g[i] == 0 && other_grad[i] == 0);
                double allowed = step * (1.2e-7 * fabs(W[i]) + 1.2e-7 + 3e-6 * OPTIONS[k].learning_rate);
                assert_true(fabs(w[i] - W[i]) <= allowed);
            }
        }
        assert_memory_equal(w, other, sizeof w); /* tensors do not know of each other */
        bert_optimizer_free(o);
    }
}

static void the_first_step_is_as_long_as_the_learning_rate(void **state)
{
    (void)state;
    float w[2] = { 0, 0 }, g[2] = { 3, -1e-3f };
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    assert_true(options.learning_rate == 1e-5 && options.beta_1 == 0.9 && options.beta_2 == 0.999 && options.epsilon == 1e-7);
    options.learning_rate = 0.5;
    bert_param param = tuned(w, g, 2);
    assert_works(bert_optimizer_create(&param, 1, &options, &o, err));
    bert_optimizer_step(o);
    assert_true(fabs(w[0] + 0.5) < 1e-5 && fabs(w[1] - 0.5) < 2e-3); /* epsilon shows beside a gradient of 1e-3 */
    bert_optimizer_free(o);
}

static void nothing_to_tune_is_fine(void **state)
{
    (void)state;
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    assert_works(bert_optimizer_create(NULL, 0, &options, &o, err));
    bert_optimizer_step(o);
    bert_optimizer_free(o);
    bert_optimizer_free(NULL);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        bert_optimizer_options options;
        const char *message;
    } CASES[] = {
        { { -1, 0.9, 0.999, 1e-7 }, "--learning-rate: -1 is out of range, at least 0" },
        { { 1, 1, 0.999, 1e-7 }, "--beta-1: 1 is out of range, 0 to 0.999999" },
        { { 1, 0.9, 1, 1e-7 }, "--beta-2: 1 is out of range, 0 to 0.999999" },
        { { 1, 0.9, 0.999, -1e-7 }, "--epsilon: -1e-07 is out of range, 0 to 1" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_optimizer *o = (bert_optimizer *)&o;
        assert_fails(bert_optimizer_create(NULL, 0, &CASES[i].options, &o, err), BERT_ERR_ARGUMENT, CASES[i].message);
        assert_null(o);
    }
    bert_optimizer_options not_a_number = { NAN, 0.9, 0.999, 1e-7 };
    bert_optimizer *o;
    bert_err found;
    assert_int_equal(bert_optimizer_create(NULL, 0, &not_a_number, &o, &found), BERT_ERR_ARGUMENT);
    assert_non_null(strstr(found.message, "--learning-rate: "));
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_keras),
        cmocka_unit_test(the_first_step_is_as_long_as_the_learning_rate),
        cmocka_unit_test(nothing_to_tune_is_fine),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(groups);
}
