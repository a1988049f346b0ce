/* Gradients of the whole layer through its public functions, by differences. */
#include "each_isa.h"
#include "layers/toy_layer.h"

#include <math.h>

/* What a difference may be off by, as a share of the whole gradient's length. The quotient's own error falls with h^4,
 * and float32 rounds each output by 1e-7 of its size, which the quotient divides by h: at 0.003 both together are 6e-5
 * at most for the smooth losses here (measured over all tests below). Where ReLU or a maximum has kinks within h of the
 * point, a smaller h is best: 4e-4. A wrong gradient is off by the order of 1. */
typedef struct precision {
    double h, share;
} precision;
static const precision SMOOTH = { 0.003, 1.5e-4 }, KINKED = { 5e-4, 8e-4 };

/* The loss's derivative along v (n) at w, whose values are w0. */
static double derivative(double (*loss)(const void *), const void *context, float *w, const float *w0, const double *v,
                         size_t n, double h)
{
    static const double steps[] = { -2, -1, 1, 2 }, factors[] = { 1, -8, 8, -1 };
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            w[i] = (float)(w0[i] + steps[k] * h * v[i]);
        sum += factors[k] * loss(context);
    }
    memcpy(w, w0, n * sizeof *w);
    return sum / (12 * h);
}

/* A direction of length 1: that of the gradient, or where it is NULL a random one. */
static void direction(double *v, const float *gradient, size_t n, random_stream *r)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        v[i] = gradient ? gradient[i] : random_normal(r);
        squares += v[i] * v[i];
    }
    for (size_t i = 0; i < n; i++)
        v[i] /= squares > 0 ? sqrt(squares) : 1;
}

/* Compares every tuned tensor's grad with the loss's differences, along the gradient and along a random direction. */
static void check_gradients(const char *what, bert_layer *layer, double (*loss)(const void *), const void *context,
                            precision allowed)
{
    size_t n;
    const bert_param *params = bert_layer_params(layer, &n);
    random_stream r = { 11, 0, 0 };
    arena a = { 0 };
    double whole = 0;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; params[k].grad && i < params[k].rows * params[k].cols; i++)
            whole += (double)params[k].grad[i] * params[k].grad[i];
    assert_true(whole > 0);
    for (size_t k = 0; k < n; k++) {
        size_t size = params[k].rows * params[k].cols;
        for (int random = 0; params[k].tuned && random < 2; random++) {
            double *v = arena_array(&a, size, sizeof *v), expected = 0;
            float *w0 = arena_array(&a, size, sizeof *w0);
            memcpy(w0, params[k].tuned, size * sizeof *w0);
            direction(v, random ? NULL : params[k].grad, size, &r);
            for (size_t i = 0; i < size; i++)
                expected += v[i] * params[k].grad[i];
            double found = derivative(loss, context, params[k].tuned, w0, v, size, allowed.h);
            bool close = fabs(found - expected) <= allowed.share * sqrt(whole);
            if (!close)
                print_error("%s: %s: by differences %.9g, by backward %.9g (the whole gradient is %.3g long)\n", what,
                            params[k].name, found, expected, sqrt(whole));
            assert_true(close);
        }
    }
    arena_free(&a);
}

static double experiment_loss(const void *context)
{
    return loss_of(context);
}

static void check_layer(const char *what, const bert_module *module, const bert_layer_spec *spec, bert_run run,
                        precision allowed)
{
    experiment x;
    bert_layer *layer = layer_of(module, spec);
    experiment_begin(&x, layer, spec->do_preprocessing ? &SENTENCES : &MATRICES, run);
    backward_of(&x);
    check_gradients(what, layer, experiment_loss, &x, allowed);
    arena_free(&x.memory);
    bert_layer_free(layer);
}

static void every_pooling_has_the_gradients_of_its_differences(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    for (int pooling = BERT_POOLING_NONE; pooling <= BERT_POOLING_MAX; pooling++)
        for (int texts = 0; texts < 2; texts++) {
            bert_layer_spec spec = spec_of(pooling, "output");
            spec.do_preprocessing = texts;
            spec.tune_embeddings = true;
            check_layer(POOLING_WORDS[pooling], module, &spec, KEEP, pooling == BERT_POOLING_MAX ? KINKED : SMOOTH);
        }
    bert_module_free(module);
}

static void whatever_is_tuned_has_the_gradients_of_its_differences(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    static const char *const OUTPUTS[] = { "output", ALL_OUTPUTS, "sequence_output,pooled_output",
                                           "layer_2,embedding_output,token_output" };
    for (size_t o = 0; o < sizeof OUTPUTS / sizeof *OUTPUTS; o++)
        for (int64_t tuned = 0; tuned <= 3; tuned++)
            for (int embeddings = 0; embeddings < 2; embeddings++) {
                char what[256];
                bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, OUTPUTS[o]);
                spec.n_tune_layers = tuned;
                spec.tune_embeddings = embeddings;
                if (!tuned && !embeddings && !strstr(OUTPUTS[o], "pooled"))
                    continue; /* nothing is tuned */
                snprintf(what, sizeof what, "%s, %d layers%s", OUTPUTS[o], (int)tuned,
                         embeddings ? " and embeddings" : "");
                check_layer(what, module, &spec, KEEP, SMOOTH);
            }
    bert_module_free(module);
}

static void lower_layers_have_the_gradients_of_their_differences(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    static const struct {
        const char *outputs;
        int64_t use_layers, tuned;
    } CASES[] = { { "output", 1, 1 },
                  { "output,sequence_output", 2, 2 },
                  { "layer_0", 0, 1 },
                  { "layer_1,token_output", 0, 1 },
                  { "embedding_output", 0, 0 } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MEAN; pooling++) {
            bert_layer_spec spec = spec_of(pooling, CASES[i].outputs);
            spec.use_layers = CASES[i].use_layers;
            spec.n_tune_layers = CASES[i].tuned;
            spec.tune_embeddings = true;
            check_layer(CASES[i].outputs, module, &spec, KEEP, SMOOTH);
        }
    bert_module_free(module);
}

static void with_dropout_the_gradients_are_those_of_the_same_masks(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    const bert_run RUNS[] = { TRAIN, TRAIN_ALL };
    for (int run = 0; run < 2; run++)
        for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MEAN; pooling++)
            for (int64_t tuned = 0; tuned <= 3; tuned++) {
                bert_layer_spec spec = spec_of(pooling, "output,pooled_output,layer_0");
                spec.n_tune_layers = tuned;
                spec.tune_embeddings = tuned % 2;
                check_layer("dropout", module, &spec, RUNS[run], SMOOTH);
            }
    bert_module_free(module);
}

static void every_activation_has_the_gradients_of_its_differences(void **state)
{
    (void)state;
    static const activation ACTIVATIONS[] = { ACTIVATION_GELU, ACTIVATION_GELU_TANH, ACTIVATION_SILU, ACTIVATION_RELU };
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        config c = words_config();
        c.hidden_act = ACTIVATIONS[i];
        bert_module *module = words_module(&c, true);
        assert_int_equal(module->config.hidden_act, ACTIVATIONS[i]);
        bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output,sequence_output");
        check_layer(config_activation_name(c.hidden_act), module, &spec, TRAIN,
                    c.hidden_act == ACTIVATION_RELU ? KINKED : SMOOTH);
        bert_module_free(module);
    }
}

static void a_new_pooler_has_the_gradients_of_its_differences(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, false);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    check_layer("a new pooler", module, &spec, KEEP, SMOOTH);
    bert_module_free(module);
}

/* A siamese pair: the loss is the sum of the rows' dot products, so each side's gradient is the other side. */
typedef struct siamese {
    bert_layer *layer;
    bert_input a, b;
} siamese;

static void siamese_forward(const siamese *x, bert_pass *pass[2])
{
    pass[0] = forward_of(x->layer, &x->a, TRAIN);
    pass[1] = forward_of(x->layer, &x->b, (bert_run){ .train = true, .seed = 3, .step = 5 });
}

static double siamese_loss(const void *context)
{
    bert_pass *pass[2];
    size_t size;
    siamese_forward(context, pass);
    const float *u = output_of(pass[0], "output", &size), *v = output_of(pass[1], "output", &size);
    double loss = 0;
    for (size_t i = 0; i < size; i++)
        loss += (double)u[i] * v[i];
    bert_pass_free(pass[0]);
    bert_pass_free(pass[1]);
    return loss;
}

static void two_passes_alive_at_once_add_their_gradients(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MEAN; pooling++) {
        bert_layer_spec spec = spec_of(pooling, "output");
        spec.do_preprocessing = true;
        spec.tune_embeddings = true;
        siamese x = { layer_of(module, &spec), { .n = N, .texts = TEXTS }, { .n = N, .texts = PAIRS } };
        bert_pass *pass[2];
        siamese_forward(&x, pass);
        for (int side = 1; side >= 0; side--) {
            bert_output_grad grad = { "output", output_of(pass[1 - side], "output", NULL) };
            assert_works(bert_pass_backward(pass[side], &grad, 1, err));
        }
        bert_pass_free(pass[0]);
        bert_pass_free(pass[1]);
        check_gradients("siamese", x.layer, siamese_loss, &x, SMOOTH);
        bert_layer_free(x.layer);
    }
    bert_module_free(module);
}

static int groups(void)
{
#define TEST(name) in_a_folder(name)
    const struct CMUnitTest tests[] = {
        TEST(every_pooling_has_the_gradients_of_its_differences),
        TEST(whatever_is_tuned_has_the_gradients_of_its_differences),
        TEST(lower_layers_have_the_gradients_of_their_differences),
        TEST(with_dropout_the_gradients_are_those_of_the_same_masks),
        TEST(every_activation_has_the_gradients_of_its_differences),
        TEST(a_new_pooler_has_the_gradients_of_its_differences),
        TEST(two_passes_alive_at_once_add_their_gradients),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(groups);
}
