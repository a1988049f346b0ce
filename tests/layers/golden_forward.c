/* Golden: every layer, output and pooling of tf-toy, rand-toy and MiniLM within what golden/README.md allows. */
#include "golden.h"

#include "each_isa.h"
#include "base/threads.h"
#include "layers/layer.h"

/* What float32 may differ by, absolute: the README's table. */
typedef struct allowed {
    double sequence, pooled, mean_l2, mean, cls_raw, sqrt_mean, max;
} allowed;

static const allowed TF_TOY = { 2e-6, 2e-6, 2e-6, 2e-6, 2e-6, 2e-6, 2e-6 };
static const allowed RAND_TOY = { 5e-5, 5e-5, 5e-5, 5e-5, 5e-5, 5e-5, 5e-5 };
static const allowed MINILM = { 3e-5, 2e-6, 2e-6, 1e-5, 1e-5, 4e-5, 3e-5 };

/* One input of a golden file. */
typedef struct golden_input {
    char name[16];
    int32_t *ids, *mask, *segments;
    size_t n;
} golden_input;

static size_t inputs_of(const tensor_set *set, golden_input *inputs, size_t most, const char *pattern)
{
    size_t n = 0;
    for (int i = 0; n < most; i++) {
        golden_input *in = &inputs[n];
        snprintf(in->name, sizeof in->name, pattern, i);
        if (!has_golden(set, "%s.input_ids", in->name))
            break;
        const tensor *ids = golden(set, "%s.input_ids", in->name);
        in->n = ids->n;
        in->ids = golden_ints(ids);
        in->segments = golden_ints(golden(set, "%s.segment_ids", in->name));
        in->mask = golden_ints(golden(set, "%s.input_mask", in->name));
        n++;
    }
    return n;
}

/* The columns of matrices that hold each of them: at least as many as a layer takes. */
static size_t longest(const golden_input *inputs, size_t n)
{
    size_t most = 3;
    for (size_t i = 0; i < n; i++)
        most = inputs[i].n > most ? inputs[i].n : most;
    return most;
}

/* Token outputs: rows where the mask is 1 are compared, the others must be zero. */
static void compare_rows(const float *got, const float *expected, const golden_input *in, size_t H, double most,
                         const char *what)
{
    for (size_t r = 0; r < in->n; r++) {
        if (!in->mask[r]) {
            for (size_t c = 0; c < H; c++)
                assert_true(got[r * H + c] == 0);
            continue;
        }
        double d = largest_difference(got + r * H, expected + r * H, H);
        if (!(d <= most))
            fail_msg("%s.%s row %zu: differs by %g, allowed %g", in->name, what, r, d, most);
    }
}

static void compare_vector(const float *got, const float *expected, const golden_input *in, size_t H, double most,
                           const char *what)
{
    double d = largest_difference(got, expected, H);
    if (!(d <= most))
        fail_msg("%s.%s: differs by %g, allowed %g", in->name, what, d, most);
}

/* A layer that is fed with matrices of so many columns. */
static bert_layer *make_layer(const bert_module *module, size_t seq_len, int pooling, const char *outputs)
{
    bert_err err;
    bert_layer *layer;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.seq_len = (int64_t)seq_len;
    spec.pooling = pooling;
    spec.outputs = outputs;
    spec.do_preprocessing = false;
    spec.n_tune_layers = 0;
    check(bert_layer_create(module, &spec, 0, &layer, NULL, &err), &err);
    return layer;
}

/* Runs one input, padded to the layer's seq_len. */
static bert_pass *run(bert_layer *layer, const golden_input *in, bert_run how)
{
    bert_err err;
    bert_pass *pass;
    int32_t m[3][512] = { { 0 } };
    const int32_t *from[] = { in->ids, in->mask, in->segments };
    assert_true(layer->spec.seq_len <= 512);
    for (int k = 0; k < 3; k++)
        memcpy(m[k], from[k], in->n * sizeof(int32_t));
    bert_input input = { .n = 1, .input_ids = m[0], .input_mask = m[1], .segment_ids = m[2] };
    check(bert_layer_forward(layer, &input, &how, &pass, &err), &err);
    return pass;
}

static const float *output(const bert_pass *pass, const char *name)
{
    const float *x = bert_pass_output(pass, name, NULL);
    assert_non_null(x);
    return x;
}

/* All that the golden file has of one input's tokens' vectors. */
static void check_tokens(bert_layer *layer, const tensor_set *set, const golden_input *in, const allowed *most)
{
    const bert_module *module = layer->module;
    size_t H = (size_t)module->config.hidden_size;
    char name[32];
    bert_pass *pass = run(layer, in, (bert_run){ 0 });
    if (has_golden(set, "%s.sequence_output", in->name))
        compare_rows(output(pass, "sequence_output"), golden_floats(golden(set, "%s.sequence_output", in->name)), in, H,
                     most->sequence, "sequence_output");
    if (has_golden(set, "%s.embedding_output", in->name))
        compare_rows(output(pass, "embedding_output"), golden_floats(golden(set, "%s.embedding_output", in->name)), in,
                     H, most->sequence, "embedding_output");
    for (int i = 0; i < module->config.num_hidden_layers; i++) {
        snprintf(name, sizeof name, "layer_%d", i);
        if (has_golden(set, "%s.%s", in->name, name))
            compare_rows(output(pass, name), golden_floats(golden(set, "%s.%s", in->name, name)), in, H, most->sequence,
                         name);
    }
    compare_vector(output(pass, "pooled_output"), golden_floats(golden(set, "%s.pooled_output", in->name)), in, H,
                   most->pooled, "pooled_output");
    bert_pass_free(pass);
}

static void check_all_tokens(const bert_module *module, const tensor_set *set, const golden_input *inputs, size_t n,
                             const allowed *most)
{
    char names[1024] = "embedding_output,sequence_output,pooled_output", name[32];
    for (int i = 0; i < module->config.num_hidden_layers; i++) {
        snprintf(name, sizeof name, ",layer_%d", i);
        strcat(names, name);
    }
    bert_layer *layer = make_layer(module, longest(inputs, n), BERT_POOLING_NONE, names);
    for (size_t i = 0; i < n; i++)
        check_tokens(layer, set, &inputs[i], most);
    bert_layer_free(layer);
}

/* The mean, made as long as 1. */
static void check_unit_mean(const float *mean, const tensor_set *set, const golden_input *in, size_t H, double most)
{
    double squares = 0;
    float *unit = arena_alloc(&golden_memory, H * sizeof *unit);
    for (size_t c = 0; c < H; c++)
        squares += (double)mean[c] * mean[c];
    for (size_t c = 0; c < H; c++)
        unit[c] = (float)(mean[c] / sqrt(squares));
    compare_vector(unit, golden_floats(golden(set, "%s.pool_mean_l2", in->name)), in, H, most, "pool_mean_l2");
}

/* Each pooling by itself: with cls and cls_raw the last layer runs for the first rows alone. */
static void check_poolings(const bert_module *module, const tensor_set *set, const golden_input *inputs, size_t n,
                           const allowed *most)
{
    const struct {
        int pooling;
        const char *name;
        double most;
    } POOLINGS[] = { { BERT_POOLING_CLS, "pooled_output", most->pooled },
                     { BERT_POOLING_CLS_RAW, "pool_cls_raw", most->cls_raw },
                     { BERT_POOLING_MEAN, "pool_mean", most->mean },
                     { BERT_POOLING_SQRT_MEAN, "pool_sqrt_mean", most->sqrt_mean },
                     { BERT_POOLING_MAX, "pool_max", most->max } };
    size_t H = (size_t)module->config.hidden_size;
    for (size_t k = 0; k < sizeof POOLINGS / sizeof *POOLINGS; k++) {
        bert_layer *layer = make_layer(module, longest(inputs, n), POOLINGS[k].pooling, "output");
        for (size_t i = 0; i < 2 * n; i++) {
            const golden_input *in = &inputs[i / 2];
            bert_pass *pass = run(layer, in, (bert_run){ .keep = i % 2 });
            const float *got = output(pass, "output");
            compare_vector(got, golden_floats(golden(set, "%s.%s", in->name, POOLINGS[k].name)), in, H,
                           POOLINGS[k].most, POOLINGS[k].name);
            if (POOLINGS[k].pooling == BERT_POOLING_MEAN)
                check_unit_mean(got, set, in, H, most->mean_l2);
            bert_pass_free(pass);
        }
        bert_layer_free(layer);
    }
}

static void check_model(const char *source, const char *file, const char *pattern, const allowed *most)
{
    bert_err err;
    tensor_set set = { 0 };
    golden_input inputs[32];
    need(source);
    char *path = shared_path(file);
    need(path);
    check(safetensors_open(&set, path, NULL, &err), &err);
    size_t n = inputs_of(&set, inputs, 32, pattern);
    assert_true(n >= 8);
    char *folder = import_golden(source, NULL, true);
    bert_module *module;
    check(bert_module_open(folder, &module, &err), &err);
    check_all_tokens(module, &set, inputs, n, most);
    check_poolings(module, &set, inputs, n, most);
    bert_module_free(module);
    remove_golden(folder);

    folder = import_golden(source, "gelu_new", true);
    check(bert_module_open(folder, &module, &err), &err);
    bert_layer *layer = make_layer(module, longest(inputs, n), BERT_POOLING_CLS, "pooled_output,sequence_output");
    for (size_t i = 0; i < n; i++) {
        bert_pass *pass = run(layer, &inputs[i], (bert_run){ 0 });
        size_t H = (size_t)module->config.hidden_size;
        compare_vector(output(pass, "pooled_output"),
                       golden_floats(golden(&set, "%s.gelu_tanh.pooled_output", inputs[i].name)), &inputs[i], H,
                       most->pooled, "gelu_tanh.pooled_output");
        if (has_golden(&set, "%s.gelu_tanh.sequence_output", inputs[i].name))
            compare_rows(output(pass, "sequence_output"),
                         golden_floats(golden(&set, "%s.gelu_tanh.sequence_output", inputs[i].name)), &inputs[i], H,
                         most->sequence, "gelu_tanh.sequence_output");
        bert_pass_free(pass);
    }
    bert_layer_free(layer);
    bert_module_free(module);
    remove_golden(folder);
    tensors_close(&set);
}

static void golden_tf_toy_from_a_tensorflow_bundle(void **state)
{
    (void)state;
    check_model(shared_path("data/checkpoints/tf-toy"), "golden/forward/tf-toy.safetensors", "in%d", &TF_TOY);
}

static void golden_rand_toy_from_a_tensorflow_bundle(void **state)
{
    (void)state;
    check_model(shared_path("golden/rand-toy/tf"), "golden/forward/rand-toy.safetensors", "in%d", &RAND_TOY);
}

static void golden_rand_toy_from_a_hugging_face_folder(void **state)
{
    (void)state;
    check_model(shared_path("golden/rand-toy/hf"), "golden/forward/rand-toy.safetensors", "in%d", &RAND_TOY);
}

static void golden_rand_toy_from_a_tf_hub_module(void **state)
{
    (void)state;
    check_model(shared_path("data/checkpoints/tf-hub-toy"), "golden/forward/rand-toy.safetensors", "in%d", &RAND_TOY);
}

static void golden_minilm(void **state)
{
    (void)state;
    check_model(real_model(), "golden/forward/minilm.safetensors", "t%02d", &MINILM);
}

/* Vectors of all golden texts, one call or many, any number of threads: the same bits. */
static void a_row_has_the_same_bits_in_any_batch_and_for_any_number_of_threads(void **state)
{
    (void)state;
    bert_err err;
    tensor_set set = { 0 };
    golden_input inputs[32];
    char *path = shared_path("golden/forward/minilm.safetensors"), *model = real_model();
    need(path);
    need(model);
    check(safetensors_open(&set, path, NULL, &err), &err);
    size_t n = inputs_of(&set, inputs, 32, "t%02d"), S = 512;
    char *folder = import_golden(model, NULL, true);
    bert_module *module;
    check(bert_module_open(folder, &module, &err), &err);
    size_t H = (size_t)module->config.hidden_size;
    bert_layer *layer = make_layer(module, S, BERT_POOLING_MEAN, "output,pooled_output");
    int32_t *m[3];
    for (int k = 0; k < 3; k++)
        m[k] = arena_alloc(&golden_memory, n * S * sizeof(int32_t));
    for (size_t i = 0; i < n; i++) {
        memcpy(m[0] + i * S, inputs[i].ids, inputs[i].n * sizeof(int32_t));
        memcpy(m[1] + i * S, inputs[i].mask, inputs[i].n * sizeof(int32_t));
        memcpy(m[2] + i * S, inputs[i].segments, inputs[i].n * sizeof(int32_t));
    }
    float *alone = arena_alloc(&golden_memory, 2 * n * H * sizeof *alone);
    bert_run how = { 0 };
    for (size_t i = 0; i < n; i++) {
        bert_input one = { .n = 1, .input_ids = m[0] + i * S, .input_mask = m[1] + i * S, .segment_ids = m[2] + i * S };
        bert_pass *pass;
        check(bert_layer_forward(layer, &one, &how, &pass, &err), &err);
        memcpy(alone + i * H, output(pass, "output"), H * sizeof *alone);
        memcpy(alone + (n + i) * H, output(pass, "pooled_output"), H * sizeof *alone);
        bert_pass_free(pass);
    }
    for (int threads = 1; threads <= 4; threads++) {
        threads_allow((size_t)threads);
        bert_input all = { .n = n, .input_ids = m[0], .input_mask = m[1], .segment_ids = m[2] };
        bert_pass *pass;
        check(bert_layer_forward(layer, &all, &how, &pass, &err), &err);
        assert_memory_equal(alone, output(pass, "output"), n * H * sizeof *alone);
        assert_memory_equal(alone + n * H, output(pass, "pooled_output"), n * H * sizeof *alone);
        bert_pass_free(pass);
    }
    bert_layer_free(layer);
    bert_module_free(module);
    remove_golden(folder);
    tensors_close(&set);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_tf_toy_from_a_tensorflow_bundle),
        cmocka_unit_test(golden_rand_toy_from_a_tensorflow_bundle),
        cmocka_unit_test(golden_rand_toy_from_a_hugging_face_folder),
        cmocka_unit_test(golden_rand_toy_from_a_tf_hub_module),
        cmocka_unit_test(golden_minilm),
        cmocka_unit_test(a_row_has_the_same_bits_in_any_batch_and_for_any_number_of_threads),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
