/* The layer through its public functions: outputs, gradients by central differences, what is tuned, every error. */
#include "model/toy.h"

#include "each_isa.h"
#include "model/layer.h"

#include <math.h>
#include <omp.h>

enum { S = 10, N = 3, MOST_OUTPUTS = 8 }; /* tokens of a row, rows, outputs of an experiment */

/* Rows with padding, and one with a hole in its mask. */
static const int32_t IDS[N * S] = { 2, 5, 16, 17, 18, 3, 0, 0, 0, 0, 2, 7, 7, 3, 9, 20, 21, 23, 10, 3, 2, 22, 6, 3, 11, 3, 0, 0, 0, 0 };
static const int32_t MASK[N * S] = { 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0 };
static const int32_t SEGMENTS[N * S] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0 };
static const bert_input MATRICES = { .n = N, .input_ids = IDS, .input_mask = MASK, .segment_ids = SEGMENTS };

static const bert_text TEXTS[N] = { { "the cats sat on the mat", 23 }, { "a b, c", 6 }, { "k", 1 } };
static const bert_text PAIRS[N] = { { "d e", 3 }, { "", 0 }, { "the mat. the mat. the mat.", 26 } };
static const bert_input SENTENCES = { .n = N, .texts = TEXTS, .pairs = PAIRS };

static bert_layer_spec spec_of(int pooling, const char *outputs)
{
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.seq_len = S;
    spec.pooling = pooling;
    spec.outputs = outputs;
    spec.do_preprocessing = false;
    return spec;
}

static bert_layer *layer_of(const bert_module *module, const bert_layer_spec *spec)
{
    bert_layer *layer = NULL;
    assert_works(bert_layer_create(module, spec, 7, &layer, NULL, err));
    return layer;
}

static bert_pass *forward_of(bert_layer *layer, const bert_input *input, bert_run run)
{
    bert_pass *pass = NULL;
    assert_works(bert_layer_forward(layer, input, &run, &pass, err));
    return pass;
}

static const float *output_of(const bert_pass *pass, const char *name, size_t *size)
{
    const float *x = bert_pass_output(pass, name, size);
    assert_non_null(x);
    return x;
}

/* ---- gradients ---------------------------------------------------------------------------------------------------------- */

/* A loss on a layer: the sum over its outputs of fixed random numbers times the output, in double. */
typedef struct experiment {
    bert_layer *layer;
    const bert_input *input;
    bert_run run;
    char names[MOST_OUTPUTS][32];
    float *by[MOST_OUTPUTS]; /* the fixed numbers, of each output's shape; at padding too, where they must not matter */
    size_t n;
    arena memory;
} experiment;

static void experiment_begin(experiment *x, bert_layer *layer, const bert_input *input, bert_run run)
{
    *x = (experiment){ .layer = layer, .input = input, .run = run };
    random_stream r = { 5, 0, 0 };
    bert_pass *pass = forward_of(layer, input, run);
    for (const char *p = layer->spec.outputs; *p; x->n++) {
        size_t size, length = strcspn(p, ",");
        snprintf(x->names[x->n], sizeof x->names[0], "%.*s", (int)length, p);
        p += length + (p[length] == ',');
        output_of(pass, x->names[x->n], &size);
        x->by[x->n] = arena_array(&x->memory, size, sizeof(float));
        for (size_t i = 0; i < size; i++)
            x->by[x->n][i] = random_normal(&r);
    }
    bert_pass_free(pass);
}

static double loss_of(const experiment *x)
{
    bert_pass *pass = forward_of(x->layer, x->input, x->run);
    double loss = 0;
    for (size_t o = 0; o < x->n; o++) {
        size_t size;
        const float *y = output_of(pass, x->names[o], &size);
        for (size_t i = 0; i < size; i++)
            loss += (double)x->by[o][i] * y[i];
    }
    bert_pass_free(pass);
    return loss;
}

static void backward_of(const experiment *x)
{
    bert_output_grad grads[MOST_OUTPUTS];
    for (size_t o = 0; o < x->n; o++)
        grads[o] = (bert_output_grad){ x->names[o], x->by[o] };
    bert_pass *pass = forward_of(x->layer, x->input, x->run);
    bert_layer_zero_grad(x->layer);
    assert_works(bert_pass_backward(pass, grads, x->n, err));
    bert_pass_free(pass);
}

/* What a difference may be off by, as a share of the whole gradient's length. The quotient's own error falls with h^4, and float32 rounds each
 * output by 1e-7 of its size, which the quotient divides by h: at 0.003 both together are 6e-5 at most for the smooth losses here (measured
 * over all tests below). Where ReLU or a maximum has kinks within h of the point, a smaller h is best: 4e-4. A wrong gradient is off by the
 * order of 1. */
typedef struct precision {
    double h, share;
} precision;
static const precision SMOOTH = { 0.003, 1.5e-4 }, KINKED = { 5e-4, 8e-4 };

/* The loss's derivative along v (n) at w, whose values are w0. */
static double derivative(double (*loss)(const void *), const void *context, float *w, const float *w0, const double *v, size_t n, double h)
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
static void check_gradients(const char *what, bert_layer *layer, double (*loss)(const void *), const void *context, precision allowed)
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
                print_error("%s: %s: by differences %.9g, by backward %.9g (the whole gradient is %.3g long)\n", what, params[k].name, found,
                            expected, sqrt(whole));
            assert_true(close);
        }
    }
    arena_free(&a);
}

static double experiment_loss(const void *context)
{
    return loss_of(context);
}

static void check_layer(const char *what, const bert_module *module, const bert_layer_spec *spec, bert_run run, precision allowed)
{
    experiment x;
    bert_layer *layer = layer_of(module, spec);
    experiment_begin(&x, layer, spec->do_preprocessing ? &SENTENCES : &MATRICES, run);
    backward_of(&x);
    check_gradients(what, layer, experiment_loss, &x, allowed);
    arena_free(&x.memory);
    bert_layer_free(layer);
}

static const bert_run KEEP = { .keep = true }, TRAIN = { .train = true, .seed = 3, .step = 4 },
                      TRAIN_ALL = { .train = true, .frozen_dropout = true, .seed = 3, .step = 4 };
static const char ALL_OUTPUTS[] = "output,pooled_output,sequence_output,token_output,embedding_output,layer_0,layer_1,layer_2";

static void every_pooling_has_the_gradients_of_its_differences(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
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
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    static const char *const OUTPUTS[] = { "output", ALL_OUTPUTS, "sequence_output,pooled_output", "layer_2,embedding_output,token_output" };
    for (size_t o = 0; o < sizeof OUTPUTS / sizeof *OUTPUTS; o++)
        for (int64_t tuned = 0; tuned <= 3; tuned++)
            for (int embeddings = 0; embeddings < 2; embeddings++) {
                char what[256];
                bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, OUTPUTS[o]);
                spec.n_tune_layers = tuned;
                spec.tune_embeddings = embeddings;
                if (!tuned && !embeddings && !strstr(OUTPUTS[o], "pooled"))
                    continue; /* nothing is tuned */
                snprintf(what, sizeof what, "%s, %d layers%s", OUTPUTS[o], (int)tuned, embeddings ? " and embeddings" : "");
                check_layer(what, module, &spec, KEEP, SMOOTH);
            }
    bert_module_free(module);
}

static void lower_layers_have_the_gradients_of_their_differences(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
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
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
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
        config c = toy_config();
        c.hidden_act = ACTIVATIONS[i];
        bert_module *module = toy_module(&c, true);
        assert_int_equal(module->config.hidden_act, ACTIVATIONS[i]);
        bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output,sequence_output");
        check_layer(config_activation_name(c.hidden_act), module, &spec, TRAIN, c.hidden_act == ACTIVATION_RELU ? KINKED : SMOOTH);
        bert_module_free(module);
    }
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
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
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

/* ---- outputs ------------------------------------------------------------------------------------------------------------ */

static void padding_is_zero_and_its_gradient_does_not_matter(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_NONE, "output,layer_0,embedding_output");
    spec.tune_embeddings = true;
    bert_layer *layer = layer_of(module, &spec);
    bert_pass *pass = forward_of(layer, &MATRICES, TRAIN_ALL);
    static const char *const NAMES[] = { "output", "layer_0", "embedding_output" };
    static float grad[N * S * 12];
    for (int o = 0; o < 3; o++) {
        size_t size;
        const float *y = output_of(pass, NAMES[o], &size);
        assert_int_equal(size, N * S * 12);
        for (size_t i = 0; i < size; i++)
            if (!MASK[i / 12]) {
                assert_true(y[i] == 0);
                grad[i] = NAN;
            }
    }
    const bert_output_grad grads[] = { { "output", grad }, { "layer_0", grad }, { "embedding_output", grad } };
    assert_works(bert_pass_backward(pass, grads, 3, err));
    for (size_t i = 0; i < layer->n_tuned; i++)
        assert_true(layer->grads[i] == 0);
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void texts_give_the_bits_of_their_matrices(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_features features = { 0 };
    assert_works(bert_encode(bert_module_tokenizer(module), TEXTS, PAIRS, N, S, &features, err));
    assert_int_equal(features.truncated, 2);
    bert_input matrices = { .n = N, .input_ids = features.input_ids, .input_mask = features.input_mask, .segment_ids = features.segment_ids };
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, ALL_OUTPUTS);
    bert_layer *by_matrices = layer_of(module, &spec);
    spec.do_preprocessing = true;
    bert_layer *by_texts = layer_of(module, &spec);
    bert_pass *a = forward_of(by_texts, &SENTENCES, TRAIN), *b = forward_of(by_matrices, &matrices, TRAIN);
    experiment names;
    experiment_begin(&names, by_texts, &SENTENCES, TRAIN);
    for (size_t o = 0; o < names.n; o++) {
        size_t n, m;
        const float *x = output_of(a, names.names[o], &n), *y = output_of(b, names.names[o], &m);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n * sizeof *x);
    }
    arena_free(&names.memory);
    bert_pass_free(a);
    bert_pass_free(b);
    bert_layer_free(by_texts);
    bert_layer_free(by_matrices);
    bert_features_free(&features);
    bert_module_free(module);
}

static void names_give_the_layers_that_the_signature_says(void **state)
{
    (void)state;
    config c = toy_config();
    bert_import_options options;
    bert_import_defaults(&options);
    options.seq_layer = -2;
    options.tok_layer = 0;
    assert_works(bert_import(toy_write("toy", &c, true), scratch("module"), &options, NULL, err));
    bert_module *module = toy_open(scratch("module"));
    bert_layer_spec spec = spec_of(BERT_POOLING_NONE, ALL_OUTPUTS);
    bert_layer *layer = layer_of(module, &spec);
    bert_pass *pass = forward_of(layer, &MATRICES, (bert_run){ 0 });
    size_t size;
    const float *layers[] = { output_of(pass, "layer_0", &size), output_of(pass, "layer_1", &size), output_of(pass, "layer_2", &size) };
    assert_memory_equal(output_of(pass, "sequence_output", &size), layers[1], size * sizeof(float));
    assert_memory_equal(output_of(pass, "output", &size), layers[1], size * sizeof(float));
    assert_memory_equal(output_of(pass, "token_output", &size), layers[0], size * sizeof(float));
    assert_memory_not_equal(layers[1], layers[2], size * sizeof(float));
    assert_null(bert_pass_output(pass, "layer_3", NULL));
    bert_pass_free(pass);
    bert_layer_free(layer);

    spec.use_layers = 3; /* asked for, the last layer kept is the one that is put out */
    layer = layer_of(module, &spec);
    pass = forward_of(layer, &MATRICES, (bert_run){ 0 });
    assert_memory_equal(output_of(pass, "sequence_output", &size), output_of(pass, "layer_2", NULL), size * sizeof(float));
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void dropout_is_off_without_train_and_in_frozen_layers_unless_asked_for(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "embedding_output,layer_0,layer_1,layer_2");
    spec.n_tune_layers = 1;
    bert_layer *layer = layer_of(module, &spec);
    const bert_run OTHER_STEP = { .train = true, .seed = 3, .step = 5 };
    bert_pass *plain = forward_of(layer, &MATRICES, (bert_run){ 0 }), *keep = forward_of(layer, &MATRICES, KEEP);
    bert_pass *train = forward_of(layer, &MATRICES, TRAIN), *again = forward_of(layer, &MATRICES, TRAIN);
    bert_pass *other = forward_of(layer, &MATRICES, OTHER_STEP), *all = forward_of(layer, &MATRICES, TRAIN_ALL);
    static const char *const NAMES[] = { "embedding_output", "layer_0", "layer_1", "layer_2" };
    for (int o = 0; o < 4; o++) {
        size_t size;
        const float *y = output_of(plain, NAMES[o], &size);
        size *= sizeof *y;
        assert_memory_equal(y, output_of(keep, NAMES[o], NULL), size);
        assert_memory_equal(output_of(train, NAMES[o], NULL), output_of(again, NAMES[o], NULL), size);
        assert_memory_not_equal(y, output_of(all, NAMES[o], NULL), size);
        if (o < 3)
            assert_memory_equal(y, output_of(train, NAMES[o], NULL), size);
        else {
            assert_memory_not_equal(y, output_of(train, NAMES[o], NULL), size);
            assert_memory_not_equal(output_of(other, NAMES[o], NULL), output_of(train, NAMES[o], NULL), size);
        }
    }
    bert_pass *const PASSES[] = { plain, keep, train, again, other, all };
    for (size_t i = 0; i < sizeof PASSES / sizeof *PASSES; i++)
        bert_pass_free(PASSES[i]);
    bert_layer_free(layer);
    bert_module_free(module);
}

/* One step of a siamese pair: its outputs and gradients, as bytes behind one another. */
static char *step_bits(const bert_module *module, size_t *n)
{
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output,sequence_output");
    spec.tune_embeddings = true;
    experiment x;
    bert_layer *layer = layer_of(module, &spec);
    experiment_begin(&x, layer, &MATRICES, TRAIN_ALL);
    backward_of(&x);
    bert_pass *pass = forward_of(layer, &MATRICES, TRAIN_ALL);
    size_t size;
    const float *y = output_of(pass, "sequence_output", &size);
    *n = (size + layer->n_tuned) * sizeof(float);
    char *bits = malloc(*n);
    memcpy(bits, y, size * sizeof(float));
    memcpy(bits + size * sizeof(float), layer->grads, layer->n_tuned * sizeof(float));
    bert_pass_free(pass);
    arena_free(&x.memory);
    bert_layer_free(layer);
    return bits;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    size_t n, m;
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    char *one = step_bits(module, &n);
    for (int threads = 2; threads <= 4; threads++) {
        omp_set_num_threads(threads);
        char *many = step_bits(module, &m);
        assert_int_equal(n, m);
        assert_memory_equal(one, many, n);
        free(many);
    }
    omp_set_num_threads(before);
    free(one);
    bert_module_free(module);
}

/* After the first steps, passes live in memory that earlier ones have left: the same few places come back for ever. */
static void passes_use_the_memory_of_those_that_were_freed(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    bert_layer *layer = layer_of(module, &spec);
    const float *places[2] = { NULL, NULL };
    for (int step = 0; step < 20; step++) {
        bert_pass *pass[2] = { forward_of(layer, &MATRICES, TRAIN), forward_of(layer, &MATRICES, TRAIN) };
        const float *y[2] = { output_of(pass[0], "output", NULL), output_of(pass[1], "output", NULL) };
        for (int side = 0; side < 2; side++) {
            bert_output_grad grad = { "output", y[side] };
            assert_works(bert_pass_backward(pass[side], &grad, 1, err));
        }
        if (step > 3)
            assert_true((y[0] == places[0] && y[1] == places[1]) || (y[0] == places[1] && y[1] == places[0]));
        places[0] = y[0], places[1] = y[1];
        bert_pass_free(pass[0]);
        bert_pass_free(pass[1]);
    }
    bert_layer_free(layer);
    bert_module_free(module);
}

static void no_rows_give_no_outputs(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    for (int texts = 0; texts < 2; texts++) {
        bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, ALL_OUTPUTS);
        spec.do_preprocessing = texts;
        bert_layer *layer = layer_of(module, &spec);
        bert_pass *pass = forward_of(layer, &(bert_input){ 0 }, TRAIN);
        size_t size = 1;
        const float *y = output_of(pass, "output", &size);
        assert_int_equal(size, 0);
        assert_works(bert_pass_backward(pass, &(bert_output_grad){ "output", y }, 1, err));
        bert_pass_free(pass);
        bert_layer_free(layer);
    }
    bert_module_free(module);
}

/* ---- what is tuned ------------------------------------------------------------------------------------------------------ */

static void only_what_is_tuned_has_a_gradient_and_memory_of_its_own(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    for (int64_t tuned = 0; tuned <= 3; tuned++) {
        bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
        spec.n_tune_layers = tuned;
        bert_layer *layer = layer_of(module, &spec);
        size_t n, elements = 0;
        const bert_param *p = bert_layer_params(layer, &n);
        assert_int_equal(n, 5 + 3 * 16 + 2);
        for (size_t i = 0; i < n; i++) {
            int number = strncmp(p[i].group, "layer ", 6) ? -1 : atoi(p[i].group + 6);
            bool expected = !strcmp(p[i].group, "pooler") || (number >= 0 && number >= 3 - tuned);
            assert_int_equal(p[i].grad != NULL, expected);
            assert_ptr_equal(p[i].tuned, expected ? p[i].value : NULL);
            assert_int_equal(p[i].value == module->weights.items[i].value, !expected);
            assert_memory_equal(p[i].value, module->weights.items[i].value, p[i].rows * p[i].cols * sizeof(float));
            assert_string_equal(p[i].name, module->weights.items[i].name);
            elements += expected ? p[i].rows * p[i].cols : 0;
        }
        assert_string_equal(p[0].name, "embeddings.word_embeddings.weight");
        assert_string_equal(p[0].group, "embeddings");
        assert_int_equal(elements, tuned * (4 * 12 * 12 + 2 * 12 * 20 + 20 + 9 * 12) + 12 * 12 + 12);
        assert_int_equal(elements, layer->n_tuned);
        bert_layer_free(layer);
    }
    bert_module_free(module);
}

static void a_layer_tells_what_is_tuned(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    spec.n_tune_layers = 1;
    bert_layer *layer = layer_of(module, &spec);
    char *text = bert_layer_describe(layer);
    assert_string_equal(text, "embeddings            528 parameters  frozen\n"
                              "layer 0              1184 parameters  frozen\n"
                              "layer 1              1184 parameters  frozen\n"
                              "layer 2              1184 parameters  tuned\n"
                              "pooler                156 parameters  tuned\n"
                              "all                  4236 parameters, of which 1340 are tuned\n");
    bert_free(text);
    assert_int_equal(bert_layer_hidden(layer), 12);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void gradients_go_back_to_zero(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    experiment x;
    bert_layer *layer = layer_of(module, &spec);
    experiment_begin(&x, layer, &MATRICES, KEEP);
    backward_of(&x);
    size_t n;
    const bert_param *p = bert_layer_params(layer, &n);
    double sum = 0;
    bert_layer_zero_grad(layer);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; p[i].grad && k < p[i].rows * p[i].cols; k++)
            sum += fabs(p[i].grad[k]);
    assert_true(sum == 0);
    arena_free(&x.memory);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void a_module_without_a_pooler_starts_one_from_the_seed(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, false);
    bert_layer_spec spec = spec_of(BERT_POOLING_AUTO, "output");
    bool new_pooler = true;
    bert_layer *layers[3] = { NULL };
    assert_works(bert_layer_create(module, &spec, 1, &layers[0], &new_pooler, err));
    assert_false(new_pooler);
    assert_int_equal(layers[0]->spec.pooling, BERT_POOLING_MEAN);
    bert_layer_free(layers[0]);
    spec.pooling = BERT_POOLING_CLS;
    for (int i = 0; i < 3; i++) {
        assert_works(bert_layer_create(module, &spec, i < 2 ? 1 : 2, &layers[i], &new_pooler, err));
        assert_true(new_pooler);
    }
    const float *w[3];
    double squares = 0;
    for (int i = 0; i < 3; i++)
        w[i] = weight_at(&layers[i]->weights, POOLER_WEIGHT, 0)->value;
    assert_memory_equal(w[0], w[1], 144 * sizeof(float));
    assert_memory_not_equal(w[0], w[2], 144 * sizeof(float));
    for (int i = 0; i < 144; i++)
        squares += (double)w[0][i] * w[0][i];
    assert_true(sqrt(squares / 144) > 0.015 && sqrt(squares / 144) < 0.025); /* initializer_range is 0.02 */
    for (int i = 0; i < 12; i++)
        assert_true(weight_at(&layers[0]->weights, POOLER_BIAS, 0)->value[i] == 0);
    check_layer("a new pooler", module, &spec, KEEP, SMOOTH);
    for (int i = 0; i < 3; i++)
        bert_layer_free(layers[i]);
    bert_module_free(module);

    module = toy_module(&c, true);
    assert_works(bert_layer_create(module, &spec, 1, &layers[0], &new_pooler, err));
    assert_false(new_pooler);
    bert_layer_free(layers[0]);
    bert_module_free(module);
}

static void a_saved_layer_gives_the_same_bits_as_a_module(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output,sequence_output");
    spec.use_layers = 2;
    spec.n_tune_layers = 1;
    bert_layer *layer = layer_of(module, &spec);
    for (size_t i = 0; i < layer->n_tuned; i++)
        layer->values[i] += 0.25f;
    assert_works(bert_layer_save(layer, scratch("saved"), err));
    bert_module *saved = toy_open(scratch("saved"));
    assert_int_equal(saved->config.num_hidden_layers, 2);
    assert_int_equal(saved->seq_layer, 1);
    spec.use_layers = 0;
    bert_layer *again = layer_of(saved, &spec);
    bert_pass *a = forward_of(layer, &MATRICES, (bert_run){ 0 }), *b = forward_of(again, &MATRICES, (bert_run){ 0 });
    for (size_t o = 0; o < 2; o++) {
        size_t n;
        const char *name = o ? "sequence_output" : "output";
        const float *y = output_of(a, name, &n);
        assert_memory_equal(y, output_of(b, name, NULL), n * sizeof *y);
    }
    bert_pass_free(a);
    bert_pass_free(b);
    bert_layer_free(again);
    bert_layer_free(layer);
    bert_module_free(saved);
    bert_module_free(module);
}

/* What the layer puts out is what the module's signature then says. */
static void a_saved_layer_keeps_its_sequence_layer(void **state)
{
    (void)state;
    config c = toy_config();
    bert_import_options options;
    bert_import_defaults(&options);
    options.seq_layer = 0;
    assert_works(bert_import(toy_write("toy", &c, true), scratch("module"), &options, NULL, err));
    bert_module *module = toy_open(scratch("module"));
    for (int64_t use = 0; use <= 3; use++) {
        bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output,layer_0");
        spec.n_tune_layers = 0;
        spec.use_layers = use;
        bert_layer *layer = layer_of(module, &spec);
        assert_works(bert_layer_save(layer, scratch("saved"), err));
        bert_module *saved = toy_open(scratch("saved"));
        assert_int_equal(saved->seq_layer, use ? use - 1 : 0);
        bert_module_free(saved);
        bert_layer_free(layer);
    }
    bert_module_free(module);
}

/* A layer that does not use the pooler hands it on as it was. */
static void a_saved_layer_keeps_the_pooler(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output");
    bert_layer *layer = layer_of(module, &spec);
    assert_works(bert_layer_save(layer, scratch("saved"), err));
    bert_module *saved = toy_open(scratch("saved"));
    assert_true(saved->weights.pooler);
    assert_memory_equal(weight_at(&saved->weights, POOLER_WEIGHT, 0)->value, weight_at(&module->weights, POOLER_WEIGHT, 0)->value,
                        144 * sizeof(float));
    bert_module_free(saved);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void a_layer_without_layers_is_not_saved(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "embedding_output");
    spec.n_tune_layers = 0;
    bert_layer *layer = layer_of(module, &spec);
    assert_fails(bert_layer_save(layer, scratch("saved"), err), BERT_ERR_ARGUMENT, "saved: a layer that uses no transformer layer is no module");
    assert_false(file_exists(scratch("saved")));
    bert_layer_free(layer);
    bert_module_free(module);
}

static void a_frozen_file_without_a_pooler_starts_none(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, false);
    module->frozen = true;
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    bert_layer *layer;
    char message[128];
    snprintf(message, sizeof message, "pooling cls: %s has no pooler", scratch("module"));
    assert_fails(bert_layer_create(module, &spec, 0, &layer, NULL, err), BERT_ERR_ARGUMENT, message);
    spec.pooling = BERT_POOLING_MEAN;
    layer = layer_of(module, &spec);
    assert_int_equal(layer->n_tuned, 0);
    bert_layer_free(layer);
    bert_module_free(module);
}

/* ---- errors ------------------------------------------------------------------------------------------------------------- */

#define OUTPUT_NAMES "output, pooled_output, sequence_output, token_output, embedding_output, layer_0 to layer_2"

static void a_spec_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    static const struct {
        int64_t seq_len, tune, use;
        int pooling;
        const char *outputs, *message;
    } CASES[] = {
        { 17, 1, 0, 2, "output", "seq_len 17: the module has 16 positions" },
        { 2, 1, 0, 2, "output", "--seq-len: 2 is out of range, 3 to 65536" },
        { 10, 4, 0, 2, "output", "n_tune_layers 4: 3 layers are used" },
        { 10, 2, 1, 2, "output", "n_tune_layers 2: 1 layers are used" },
        { 10, 2, 0, 4, "layer_0", "n_tune_layers 2: the outputs need 1 layers" },
        { 10, 1, 4, 2, "output", "use_layers 4: the module has 3 layers" },
        { 10, -1, 0, 2, "output", "--n-tune-layers: -1 is out of range, 0 to 1024" },
        { 10, 1, 0, 7, "output", "--pooling: \"7\" is not one of auto, none, cls, cls_raw, mean, sqrt_mean, max" },
        { 10, 1, 0, 2, "", "outputs: none is named" },
        { 10, 1, 0, 2, "output,,layer_0", "outputs: \"\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "outputs", "outputs: \"outputs\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "layer_", "outputs: \"layer_\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "layer_-1", "outputs: \"layer_-1\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "layer_1x", "outputs: \"layer_1x\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "layer_3", "outputs: layer_3 is of layer 3, the layers that are used are 0 to 2" },
        { 10, 1, 2, 2, "output,layer_2", "outputs: layer_2 is of layer 2, the layers that are used are 0 to 1" },
        { 10, 1, 0, 2, "layer_4294967295", "outputs: \"layer_4294967295\" is none of " OUTPUT_NAMES },
        { 10, 1, 0, 2, "layer_99999999999999999999", "outputs: \"layer_99999999999999999999\" is none of " OUTPUT_NAMES },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_layer_spec spec = spec_of(CASES[i].pooling, CASES[i].outputs);
        spec.seq_len = CASES[i].seq_len;
        spec.n_tune_layers = CASES[i].tune;
        spec.use_layers = CASES[i].use;
        bert_layer *layer = (bert_layer *)&spec;
        assert_fails(bert_layer_create(module, &spec, 0, &layer, NULL, err), BERT_ERR_ARGUMENT, CASES[i].message);
        assert_null(layer);
    }
    bert_module_free(module);
}

static void input_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output");
    bert_layer *by_matrices = layer_of(module, &spec);
    spec.do_preprocessing = true;
    bert_layer *by_texts = layer_of(module, &spec);
    int32_t ids[N * S], mask[N * S] = { 0 }, segments[N * S];
    memcpy(ids, IDS, sizeof ids);
    memcpy(segments, SEGMENTS, sizeof segments);
    ids[12] = TOY_WORDS;
    segments[21] = 2;
    memset(mask + S, 0, S * sizeof *mask);
    const struct {
        bert_layer *layer;
        bert_input input;
        const char *message;
    } CASES[] = {
        { by_texts, MATRICES, "the layer does its preprocessing: it reads texts, and none are given" },
        { by_matrices, SENTENCES, "the layer does no preprocessing: it reads input_ids, input_mask and segment_ids, and not all are given" },
        { by_matrices, { N, NULL, NULL, ids, MASK, SEGMENTS }, "input_ids: 24 in row 1, column 2; the vocabulary has 24 ids" },
        { by_matrices, { N, NULL, NULL, IDS, MASK, segments }, "segment_ids: 2 in row 2, column 1; there are 2 segments" },
        { by_matrices, { N, NULL, NULL, IDS, mask, SEGMENTS }, "input_mask: no 1 in row 0" },
        { by_matrices, { N, NULL, NULL, IDS, IDS, SEGMENTS }, "input_mask: 2 in row 0, column 0; 0 or 1 expected" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_pass *pass = (bert_pass *)&spec;
        assert_fails(bert_layer_forward(CASES[i].layer, &CASES[i].input, &KEEP, &pass, err), BERT_ERR_ARGUMENT, CASES[i].message);
        assert_null(pass);
    }
    bert_layer_free(by_matrices);
    bert_layer_free(by_texts);
    bert_module_free(module);
}

static void a_backward_pass_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    config c = toy_config();
    bert_module *module = toy_module(&c, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output,layer_1");
    bert_layer *layer = layer_of(module, &spec);
    static const char NOTHING[] = "a pass that was run without train or keep, or went backward already, has nothing to go backward with";
    static const float grad[N * S * 12];
    const bert_output_grad good = { "output", grad }, unknown = { "layer_2", grad }, twice[] = { good, { "layer_1", grad }, good },
                           none = { "output", NULL };
    bert_pass *pass = forward_of(layer, &MATRICES, (bert_run){ 0 });
    assert_fails(bert_pass_backward(pass, &good, 1, err), BERT_ERR_ARGUMENT, NOTHING);
    bert_pass_free(pass);
    pass = forward_of(layer, &MATRICES, KEEP);
    assert_fails(bert_pass_backward(pass, &unknown, 1, err), BERT_ERR_ARGUMENT, "\"layer_2\" is not among the layer's outputs (output,layer_1)");
    assert_fails(bert_pass_backward(pass, twice, 3, err), BERT_ERR_ARGUMENT, "output \"output\" is given two gradients");
    assert_fails(bert_pass_backward(pass, &none, 1, err), BERT_ERR_ARGUMENT, "output \"output\" is given no gradient (NULL)");
    assert_works(bert_pass_backward(pass, twice, 2, err)); /* what was refused has used nothing up */
    assert_fails(bert_pass_backward(pass, &good, 1, err), BERT_ERR_ARGUMENT, NOTHING);
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static int groups(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        TEST(every_pooling_has_the_gradients_of_its_differences),
        TEST(whatever_is_tuned_has_the_gradients_of_its_differences),
        TEST(lower_layers_have_the_gradients_of_their_differences),
        TEST(with_dropout_the_gradients_are_those_of_the_same_masks),
        TEST(every_activation_has_the_gradients_of_its_differences),
        TEST(two_passes_alive_at_once_add_their_gradients),
        TEST(padding_is_zero_and_its_gradient_does_not_matter),
        TEST(texts_give_the_bits_of_their_matrices),
        TEST(names_give_the_layers_that_the_signature_says),
        TEST(dropout_is_off_without_train_and_in_frozen_layers_unless_asked_for),
        TEST(any_number_of_threads_gives_the_same_bits),
        TEST(passes_use_the_memory_of_those_that_were_freed),
        TEST(no_rows_give_no_outputs),
        TEST(only_what_is_tuned_has_a_gradient_and_memory_of_its_own),
        TEST(a_layer_tells_what_is_tuned),
        TEST(gradients_go_back_to_zero),
        TEST(a_module_without_a_pooler_starts_one_from_the_seed),
        TEST(a_saved_layer_gives_the_same_bits_as_a_module),
        TEST(a_saved_layer_keeps_the_pooler),
        TEST(a_saved_layer_keeps_its_sequence_layer),
        TEST(a_layer_without_layers_is_not_saved),
        TEST(a_frozen_file_without_a_pooler_starts_none),
        TEST(a_spec_that_does_not_fit_is_refused),
        TEST(input_that_does_not_fit_is_refused),
        TEST(a_backward_pass_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(groups);
}
