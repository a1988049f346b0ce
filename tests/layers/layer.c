/* The layer through its public functions: outputs, what is tuned, every error. Its gradients: gradients.c. */
#include "each_isa.h"
#include "base/threads.h"
#include "layers/toy_layer.h"

#include <math.h>

/* ---- outputs ----------------------------------------------------------------------------------------------------- */

static void padding_is_zero_and_its_gradient_does_not_matter(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, true);
    bert_features features = { 0 };
    assert_works(bert_encode(bert_module_tokenizer(module), TEXTS, PAIRS, N, S, &features, err));
    assert_int_equal(features.truncated, 2);
    bert_input matrices = {
        .n = N, .input_ids = features.input_ids, .input_mask = features.input_mask, .segment_ids = features.segment_ids
    };
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
    bert_import_options options;
    bert_import_defaults(&options);
    options.seq_layer = -2;
    options.tok_layer = 0;
    assert_works(module_import(words_checkpoint("toy", NULL, true), scratch("module"), &options, NULL, err));
    bert_module *module = open_module(scratch("module"));
    bert_layer_spec spec = spec_of(BERT_POOLING_NONE, ALL_OUTPUTS);
    bert_layer *layer = layer_of(module, &spec);
    bert_pass *pass = forward_of(layer, &MATRICES, (bert_run){ 0 });
    size_t size;
    const float *layers[] = { output_of(pass, "layer_0", &size), output_of(pass, "layer_1", &size),
                              output_of(pass, "layer_2", &size) };
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
    assert_memory_equal(output_of(pass, "sequence_output", &size), output_of(pass, "layer_2", NULL),
                        size * sizeof(float));
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void dropout_is_off_without_train_and_in_frozen_layers_unless_asked_for(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, true);
    size_t n, m;
    size_t before = threads_allow(1);
    char *one = step_bits(module, &n);
    for (int threads = 2; threads <= 4; threads++) {
        threads_allow((size_t)threads);
        char *many = step_bits(module, &m);
        assert_int_equal(n, m);
        assert_memory_equal(one, many, n);
        free(many);
    }
    threads_allow(before);
    free(one);
    bert_module_free(module);
}

/* After the first steps, passes live in memory that earlier ones have left: the same few places come back for ever. */
static void passes_use_the_memory_of_those_that_were_freed(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, true);
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

/* ---- what is tuned ----------------------------------------------------------------------------------------------- */

static void only_what_is_tuned_has_a_gradient_and_memory_of_its_own(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, true);
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
    bert_module *module = words_module(NULL, false);
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
    for (int i = 0; i < 3; i++)
        bert_layer_free(layers[i]);
    bert_module_free(module);

    module = words_module(NULL, true);
    assert_works(bert_layer_create(module, &spec, 1, &layers[0], &new_pooler, err));
    assert_false(new_pooler);
    bert_layer_free(layers[0]);
    bert_module_free(module);
}

static void a_saved_layer_gives_the_same_bits_as_a_module(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output,sequence_output");
    spec.use_layers = 2;
    spec.n_tune_layers = 1;
    bert_layer *layer = layer_of(module, &spec);
    for (size_t i = 0; i < layer->n_tuned; i++)
        layer->values[i] += 0.25f;
    assert_works(bert_layer_save(layer, scratch("saved"), err));
    bert_module *saved = open_module(scratch("saved"));
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
    bert_import_options options;
    bert_import_defaults(&options);
    options.seq_layer = 0;
    assert_works(module_import(words_checkpoint("toy", NULL, true), scratch("module"), &options, NULL, err));
    bert_module *module = open_module(scratch("module"));
    for (int64_t use = 0; use <= 3; use++) {
        bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output,layer_0");
        spec.n_tune_layers = 0;
        spec.use_layers = use;
        bert_layer *layer = layer_of(module, &spec);
        assert_works(bert_layer_save(layer, scratch("saved"), err));
        bert_module *saved = open_module(scratch("saved"));
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
    bert_module *module = words_module(NULL, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output");
    bert_layer *layer = layer_of(module, &spec);
    assert_works(bert_layer_save(layer, scratch("saved"), err));
    bert_module *saved = open_module(scratch("saved"));
    assert_true(saved->weights.pooler);
    assert_memory_equal(weight_at(&saved->weights, POOLER_WEIGHT, 0)->value,
                        weight_at(&module->weights, POOLER_WEIGHT, 0)->value, 144 * sizeof(float));
    bert_module_free(saved);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void a_layer_without_layers_is_not_saved(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "embedding_output");
    spec.n_tune_layers = 0;
    bert_layer *layer = layer_of(module, &spec);
    assert_fails(bert_layer_save(layer, scratch("saved"), err), BERT_ERR_ARGUMENT,
                 "saved: a layer that uses no transformer layer is no module");
    assert_false(file_exists(scratch("saved")));
    bert_layer_free(layer);
    bert_module_free(module);
}

static void a_frozen_file_without_a_pooler_starts_none(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, false);
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

/* ---- errors ------------------------------------------------------------------------------------------------------ */

#define OUTPUT_NAMES "output, pooled_output, sequence_output, token_output, embedding_output, layer_0 to layer_2"

static void a_spec_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    static const struct {
        int64_t seq_len, tune, use;
        int pooling;
        const char *outputs, *message;
    } CASES[] = {
        { 17, 1, 0, 2, "output", "seq_len 17: from 3 to the module's 16 positions" },
        { 2, 1, 0, 2, "output", "seq_len 2: from 3 to the module's 16 positions" },
        { 10, 4, 0, 2, "output", "n_tune_layers 4: 3 layers are used" },
        { 10, 2, 1, 2, "output", "n_tune_layers 2: 1 layers are used" },
        { 10, 2, 0, 4, "layer_0", "n_tune_layers 2: the outputs need 1 layers" },
        { 10, 1, 4, 2, "output", "use_layers 4: the module has 3 layers" },
        { 10, -2, 0, 2, "output", "--n-tune-layers: -2 is out of range, -1 to 1024" },
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
        { 10, 1, 0, 2, "layer_99999999999999999999",
          "outputs: \"layer_99999999999999999999\" is none of " OUTPUT_NAMES },
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

/* Three, or as many as there are: used, or needed by the outputs. */
static void by_default_no_more_layers_are_tuned_than_there_are(void **state)
{
    (void)state;
    static const struct {
        int64_t use;
        const char *outputs;
        int64_t tuned;
    } CASES[] = {
        { 0, "output", 3 }, { 2, "output", 2 }, { 1, "output", 1 }, { 0, "layer_0", 1 }, { 0, "embedding_output", 0 }
    };
    bert_module *module = words_module(NULL, true);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_layer_spec spec, defaults;
        bert_layer *layer;
        bert_layer_defaults(&defaults);
        spec = spec_of(BERT_POOLING_MEAN, CASES[i].outputs);
        spec.n_tune_layers = defaults.n_tune_layers;
        spec.use_layers = CASES[i].use;
        assert_works(bert_layer_create(module, &spec, 0, &layer, NULL, err));
        assert_int_equal(layer->spec.n_tune_layers, CASES[i].tuned);
        bert_layer_free(layer);
    }
    bert_module_free(module);
}

static void input_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
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
        { by_matrices, SENTENCES,
          "the layer does no preprocessing: it reads input_ids, input_mask and segment_ids, and not all are given" },
        { by_matrices,
          { N, NULL, NULL, ids, MASK, SEGMENTS },
          "input_ids: 24 in row 1, column 2; the vocabulary has 24 ids" },
        { by_matrices,
          { N, NULL, NULL, IDS, MASK, segments },
          "segment_ids: 2 in row 2, column 1; there are 2 segments" },
        { by_matrices, { N, NULL, NULL, IDS, mask, SEGMENTS }, "input_mask: no 1 in row 0" },
        { by_matrices, { N, NULL, NULL, IDS, IDS, SEGMENTS }, "input_mask: 2 in row 0, column 0; 0 or 1 expected" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_pass *pass = (bert_pass *)&spec;
        assert_fails(bert_layer_forward(CASES[i].layer, &CASES[i].input, &KEEP, &pass, err), BERT_ERR_ARGUMENT,
                     CASES[i].message);
        assert_null(pass);
    }
    bert_layer_free(by_matrices);
    bert_layer_free(by_texts);
    bert_module_free(module);
}

static void a_backward_pass_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output,layer_1");
    bert_layer *layer = layer_of(module, &spec);
    static const char NOTHING[] =
        "a pass that was run without train or keep, or went backward already, has nothing to go backward with";
    static const float grad[N * S * 12];
    const bert_output_grad good = { "output", grad }, unknown = { "layer_2", grad },
                           twice[] = { good, { "layer_1", grad }, good }, none = { "output", NULL };
    bert_pass *pass = forward_of(layer, &MATRICES, (bert_run){ 0 });
    assert_fails(bert_pass_backward(pass, &good, 1, err), BERT_ERR_ARGUMENT, NOTHING);
    bert_pass_free(pass);
    pass = forward_of(layer, &MATRICES, KEEP);
    assert_fails(bert_pass_backward(pass, &unknown, 1, err), BERT_ERR_ARGUMENT,
                 "\"layer_2\" is not among the layer's outputs (output,layer_1)");
    assert_fails(bert_pass_backward(pass, twice, 3, err), BERT_ERR_ARGUMENT,
                 "output \"output\" is given two gradients");
    assert_fails(bert_pass_backward(pass, &none, 1, err), BERT_ERR_ARGUMENT,
                 "output \"output\" is given no gradient (NULL)");
    assert_works(bert_pass_backward(pass, twice, 2, err)); /* what was refused has used nothing up */
    assert_fails(bert_pass_backward(pass, &good, 1, err), BERT_ERR_ARGUMENT, NOTHING);
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static int groups(void)
{
#define TEST(name) in_a_folder(name)
    const struct CMUnitTest tests[] = {
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
        TEST(by_default_no_more_layers_are_tuned_than_there_are),
        TEST(input_that_does_not_fit_is_refused),
        TEST(a_backward_pass_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(groups);
}
