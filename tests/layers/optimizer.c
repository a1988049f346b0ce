/* The optimiser against Keras' formulas in double and PyTorch's numbers, and what it may be told. */
#include "base/scratch.h"

#include "base/random.h"
#include "each_isa.h"
#include "layers/optimizer.h"

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

/* float32 rounds a weight of about 1 by 6e-8 a step and m and v by as much of themselves, so a step is off by some 1e-7
 * of lr and the weight by STEPS roundings. */
static void steps_are_those_of_keras(void **state)
{
    (void)state;
    static const bert_optimizer_options OPTIONS[] = {
        { .learning_rate = 1e-3, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, .layer_decay = 1 },
        { .learning_rate = 0.1, .epsilon = 1, .layer_decay = 1 },
        { .learning_rate = 1e-5, .beta_1 = 0.5, .beta_2 = 0.9, .layer_decay = 1 },
    };
    for (size_t k = 0; k < sizeof OPTIONS / sizeof *OPTIONS; k++) {
        static float w[N], g[N], other[N], other_grad[N];
        static double W[N], M[N], V[N];
        random_stream r = { 1, k, 0 };
        memset(M, 0, sizeof M);
        memset(V, 0, sizeof V);
        for (int i = 0; i < N; i++)
            W[i] = w[i] = other[i] = random_normal(&r);
        const float frozen = 5;
        bert_param params[] = { tuned(w, g, N),
                                { .name = "frozen", .group = "embeddings", .rows = 1, .cols = 1, .value = &frozen },
                                tuned(other, other_grad, N) };
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
    assert_true(options.learning_rate == 1e-5 && options.beta_1 == 0.9 && options.beta_2 == 0.999 &&
                options.epsilon == 1e-7);
    options.learning_rate = 0.5;
    bert_param param = tuned(w, g, 2);
    assert_works(bert_optimizer_create(&param, 1, &options, &o, err));
    bert_optimizer_step(o);
    assert_true(fabs(w[0] + 0.5) < 1e-5 && fabs(w[1] - 0.5) < 2e-3); /* epsilon shows beside a gradient of 1e-3 */
    bert_optimizer_free(o);
}

/* ---- AdamW ------------------------------------------------------------------------------------------------------- */

/* Four tensors of two to four numbers, each kind that is treated apart. */
enum { KINDS = 4, MOST = 4, LAYER_TENSOR = 2 };

typedef struct golden_run {
    bert_optimizer_options options;
    double norms[2];              /* before clipping */
    double after[2][KINDS][MOST]; /* the weights after one and two steps */
} golden_run;

/* torch.optim.AdamW 2.15 in float64 with a group of parameters for each tensor: no decay for bias and norm, the layer's
 * rate is layer_decay times the head's; gradients scaled by clip / norm where the norm is larger. */
static const golden_run GOLDEN[] = {
    { { BERT_OPTIMIZER_ADAMW, 0.01, 0.9, 0.999, 1e-8, 0.1, 0, 1 },
      { 0, 0 },
      { { { 0.489500001, -1.2387500005, 1.98800000003, 0.0212197499 },
          { 0.7599999998, -0.5099999996 },
          { 1.488500005, -0.239750000025 },
          { 0.990000000333, 0.909999999857 } },
        { { 0.493952399111, -1.23281656911, 1.97669020368, 0.0248593339256 },
          { 0.764694681383, -0.519651819614 },
          { 1.47930840158, -0.234815568329 },
          { 0.985997814793, 0.914397280258 } } } },
    { { BERT_OPTIMIZER_ADAMW, 0.01, 0.9, 0.999, 1e-6, 0.5, 1, 0.25 },
      { 5.093417321406131, 1.976897832463782 },
      { { { 0.487500509316, -1.23375025466, 1.98000001698, 0.0215784061708 },
          { 0.759999898133, -0.509999796267 },
          { 1.49562563652, -0.247187503183 },
          { 0.990000169778, 0.909999927237 } },
        { { 0.491583562828, -1.22598020238, 1.96011327674, 0.0274182173464 },
          { 0.761601228238, -0.518580874729 },
          { 1.49187000619, -0.246478182035 },
          { 0.989767655225, 0.910982243236 } } } },
};

static void two_steps_of_adamw_are_those_of_pytorch(void **state)
{
    (void)state;
    static const float START[KINDS][MOST] = {
        { 0.5f, -1.25f, 2.0f, 0.03125f }, { 0.75f, -0.5f }, { 1.5f, -0.25f }, { 1.0f, 0.9f }
    };
    static const float GRADIENTS[2][KINDS][MOST] = {
        { { 0.1f, -0.2f, 3.0f, 1e-4f }, { -0.5f, 0.25f }, { 0.02f, -4.0f }, { 0.3f, -0.7f } },
        { { -0.3f, 0.05f, 1.5f, -2e-4f }, { 0.125f, 0.5f }, { 0.5f, 1.0f }, { -0.1f, 0.2f } },
    };
    static const struct {
        size_t rows, cols;
        int64_t layer;
        bool no_decay;
    } TENSORS[KINDS] = {
        { 2, 2, 0, false }, { 2, 1, 0, true }, { 1, 2, 2, false }, { 2, 1, 3, true }
    }; /* head, layers 1 and 2 */
    for (size_t k = 0; k < sizeof GOLDEN / sizeof *GOLDEN; k++) {
        float w[KINDS][MOST], g[KINDS][MOST];
        bert_param params[KINDS];
        memcpy(w, START, sizeof w);
        for (size_t i = 0; i < KINDS; i++)
            params[i] = (bert_param){ "w",  NULL, TENSORS[i].rows,  TENSORS[i].cols,    w[i],
                                      w[i], g[i], TENSORS[i].layer, TENSORS[i].no_decay };
        bert_optimizer *o;
        assert_works(bert_optimizer_create(params, KINDS, &GOLDEN[k].options, &o, err));
        for (int step = 0; step < 2; step++) {
            memcpy(g, GRADIENTS[step], sizeof g);
            double norm = bert_optimizer_step(o);
            assert_true(fabs(norm - GOLDEN[k].norms[step]) < 1e-6);
            for (size_t i = 0; i < KINDS; i++)
                for (size_t j = 0; j < TENSORS[i].rows * TENSORS[i].cols; j++)
                    assert_true(fabs(w[i][j] - GOLDEN[k].after[step][i][j]) < 3e-7);
        }
        bert_optimizer_free(o);
    }
}

/* ---- what training asks besides ---------------------------------------------------------------------------------- */

static void the_rate_of_a_layer_falls_with_its_depth(void **state)
{
    (void)state;
    static const struct {
        int64_t layer;
        double share;
    } GROUPS[] = {
        { -1, 0.125 }, { 1, 0.25 }, { 2, 0.5 }, { 3, 1 }, { 0, 1 }
    }; /* embeddings, three layers, what stands on them */
    enum { N_GROUPS = 5 };
    float w[N_GROUPS] = { 0 }, g[N_GROUPS];
    bert_param params[N_GROUPS];
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    options.learning_rate = 0.5;
    options.layer_decay = 0.5;
    for (size_t i = 0; i < N_GROUPS; i++) {
        g[i] = 1;
        params[i] = (bert_param){ "w", NULL, 1, 1, &w[i], &w[i], &g[i], GROUPS[i].layer, false };
    }
    assert_works(bert_optimizer_create(params, N_GROUPS, &options, &o, err));
    bert_optimizer_step(o);
    for (size_t i = 0; i < N_GROUPS; i++)
        assert_true(fabs(w[i] + 0.5 * GROUPS[i].share) < 1e-5);
    bert_optimizer_free(o);
}

static void layers_below_the_lowest_are_left_alone_and_count_no_steps(void **state)
{
    (void)state;
    float w[3] = { 1, 1, 1 }, g[3] = { 1, 1, 1 };
    bert_param params[] = { { "a", NULL, 1, 1, &w[0], &w[0], &g[0], -1, false },
                            { "b", NULL, 1, 1, &w[1], &w[1], &g[1], 1, false },
                            { "c", NULL, 1, 1, &w[2], &w[2], &g[2], 2, false } };
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    options.learning_rate = 0.5;
    options.clip_norm = 100;
    assert_works(bert_optimizer_create(params, 3, &options, &o, err));
    optimizer_set_lowest(o, 1);
    assert_true(bert_optimizer_step(o) == 1); /* the norm of the one that is stepped */
    assert_true(w[0] == 1 && w[1] == 1 && fabs(w[2] - 0.5) < 1e-5 && g[0] == 1 && g[1] == 1 && g[2] == 0);
    assert_true(o->slots[0].steps == 0 && o->slots[1].steps == 0 && o->slots[2].steps == 1);
    optimizer_set_lowest(o, -1);
    bert_optimizer_step(o);
    assert_true(fabs(w[0] - 0.5) < 1e-5 && fabs(w[1] - 0.5) < 1e-5); /* a first step, as long as the rate */
    assert_true(o->slots[0].steps == 1 && o->slots[2].steps == 2);
    bert_optimizer_free(o);
}

static void the_rate_may_change_and_gradients_may_be_scaled(void **state)
{
    (void)state;
    float w[2] = { 0, 0 }, g[2];
    bert_param params[] = { tuned(&w[0], &g[0], 1), tuned(&w[1], &g[1], 1) };
    bert_optimizer_options options;
    bert_optimizer *a, *b;
    bert_optimizer_defaults(&options);
    options.epsilon = 0.5; /* so that the length of a gradient shows */
    assert_works(bert_optimizer_create(&params[0], 1, &options, &a, err));
    assert_works(bert_optimizer_create(&params[1], 1, &options, &b, err));
    bert_optimizer_set_rate(a, 0.25);
    bert_optimizer_set_rate(b, 0.25);
    g[0] = 3;
    g[1] = 12;
    bert_optimizer_step(a);
    optimizer_step(b, 0.25);
    assert_true(w[0] == w[1] && fabs(w[0]) > 0.01 && fabs(w[0]) < 0.25);
    bert_optimizer_free(a);
    bert_optimizer_free(b);
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
        { { .learning_rate = -1 }, "--learning-rate: -1 is out of range, at least 0" },
        { { .beta_1 = 1 }, "--beta-1: 1 is out of range, 0 to 0.999999" },
        { { .beta_2 = 1 }, "--beta-2: 1 is out of range, 0 to 0.999999" },
        { { .epsilon = -1e-7 }, "--epsilon: -1e-07 is out of range, 0 to 1" },
        { { .weight_decay = 2 }, "--weight-decay: 2 is out of range, 0 to 1" },
        { { .clip_norm = -1 }, "--clip-norm: -1 is out of range, at least 0" },
        { { .layer_decay = 1.5 }, "--layer-decay: 1.5 is out of range, 0 to 1" },
        { { .optimizer = 2 }, "--optimizer: \"2\" is not one of adam, adamw" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_optimizer *o = (bert_optimizer *)&o;
        assert_fails(bert_optimizer_create(NULL, 0, &CASES[i].options, &o, err), BERT_ERR_ARGUMENT, CASES[i].message);
        assert_null(o);
    }
    bert_optimizer_options not_a_number = { .learning_rate = NAN };
    bert_optimizer *o;
    bert_err found;
    assert_int_equal(bert_optimizer_create(NULL, 0, &not_a_number, &o, &found), BERT_ERR_ARGUMENT);
    assert_non_null(strstr(found.message, "--learning-rate: "));
}

/* A caller's own parameters need neither a name nor a group. */
static void parameters_without_a_name_or_a_group_have_the_full_rate(void **state)
{
    (void)state;
    float named[] = { 1, 1 }, plain[] = { 1, 1 }, g[] = { 1, -1 }, h[] = { 1, -1 };
    const bert_param params[] = {
        { .name = "weight", .group = "head", .rows = 2, .cols = 1, .value = named, .tuned = named, .grad = g },
        { .rows = 2, .cols = 1, .value = plain, .tuned = plain, .grad = h }
    };
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    options.optimizer = BERT_OPTIMIZER_ADAMW;
    options.layer_decay = 0.5;
    options.learning_rate = 0.1;
    assert_works(bert_optimizer_create(params, 2, &options, &o, err));
    bert_optimizer_step(o);
    assert_true(plain[0] != 1 && plain[0] == named[0] && plain[1] == named[1]);
    bert_optimizer_free(o);
}

static void a_tuned_parameter_without_a_gradient_is_refused(void **state)
{
    (void)state;
    float w[] = { 1 };
    bert_param params[] = { { .name = "mine", .rows = 1, .cols = 1, .value = w, .tuned = w } };
    bert_optimizer_options options;
    bert_optimizer *o;
    bert_optimizer_defaults(&options);
    assert_fails(bert_optimizer_create(params, 1, &options, &o, err), BERT_ERR_ARGUMENT,
                 "parameter mine is tuned, and has no gradient");
    params[0].name = NULL;
    assert_fails(bert_optimizer_create(params, 1, &options, &o, err), BERT_ERR_ARGUMENT,
                 "parameter without a name is tuned, and has no gradient");
    assert_null(o);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_keras),
        cmocka_unit_test(the_first_step_is_as_long_as_the_learning_rate),
        cmocka_unit_test(two_steps_of_adamw_are_those_of_pytorch),
        cmocka_unit_test(the_rate_of_a_layer_falls_with_its_depth),
        cmocka_unit_test(layers_below_the_lowest_are_left_alone_and_count_no_steps),
        cmocka_unit_test(the_rate_may_change_and_gradients_may_be_scaled),
        cmocka_unit_test(nothing_to_tune_is_fine),
        cmocka_unit_test(parameters_without_a_name_or_a_group_have_the_full_rate),
        cmocka_unit_test(a_tuned_parameter_without_a_gradient_is_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(groups);
}
