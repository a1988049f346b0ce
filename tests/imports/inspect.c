/* bert_inspect: what it tells of every kind of thing, for machines and for people. */
#include "toy_model.h"

#include "formats/json.h"

#include <sys/stat.h>

static json_t *inspected(const char *path)
{
    bert_err err;
    char *text;
    json_t *json;
    check(bert_inspect(path, true, &text, &err), &err);
    check(json_read_bytes(&json, text, strlen(text), "inspect", &err), &err);
    bert_free(text);
    assert_string_equal(json_string_value(json_object_get(json, "path")), path);
    return json;
}

/* A member by its path, "parameters.layer 0"; the test fails where there is none. */
static const json_t *member(const json_t *json, const char *path)
{
    char *rest = arena_string(&golden_memory, path);
    for (char *key; json && (key = strsep(&rest, "."));)
        json = json_object_get(json, key);
    if (!json)
        fail_msg("there is no %s", path);
    return json;
}

static void assert_number(const json_t *json, const char *path, json_int_t expected)
{
    const json_t *value = member(json, path);
    if (!json_is_integer(value) || json_integer_value(value) != expected)
        fail_msg("%s is %lld, expected %lld", path, (long long)json_integer_value(value), (long long)expected);
}

static void assert_word(const json_t *json, const char *path, const char *expected)
{
    assert_string_equal(json_string_value(member(json, path)), expected);
}

static size_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

/* Sizes of the toy: H 40, I 72, V 57, P 48. */
enum {
    EMBEDDINGS = (57 + 48 + 2) * 40 + 2 * 40,
    A_LAYER = 4 * (40 * 40 + 40) + 2 * 40 * 72 + 72 + 40 + 4 * 40,
    POOLER = 40 * 40 + 40,
    HEAD = 41
};

static void a_module_tells_its_signatures_and_parameters(void **state)
{
    (void)state;
    json_t *json = inspected(toy_module("module", (toy){ .seq_layer = 2 }));
    assert_word(json, "kind", "libbert module");
    assert_number(json, "version", 2);
    assert_number(json, "configuration.hidden_size", 40);
    assert_number(json, "configuration.num_attention_heads", 5);
    assert_number(json, "parameters.embeddings", EMBEDDINGS);
    assert_number(json, "parameters.layer 2", A_LAYER);
    assert_number(json, "parameters.pooler", POOLER);
    assert_number(json, "parameters.all", EMBEDDINGS + 3 * A_LAYER + POOLER);
    assert_null(json_object_get(member(json, "parameters"), "other"));
    assert_number(json, "signatures.tokens.seq_layer", 1);
    assert_word(json, "signatures.tokenization_info.vocab_file", "vocab.txt");
    assert_int_equal(json_array_size(member(json, "tags")), 2);
    assert_int_equal(json_array_size(member(json, "tensors")), 5 + 3 * 16 + 2);
    assert_number(json, "tokenizer.tokens", 57);
    assert_true(json_is_true(member(json, "tokenizer.do_lower_case")));
    const json_t *weights = json_object_get(member(json, "files"), "model.safetensors");
    assert_int_equal(strlen(json_string_value(member(weights, "sha256"))), 64);
    json_decref(json);
}

static void a_model_tells_its_layer_head_and_what_is_tuned(void **state)
{
    (void)state;
    bert_err err;
    const char *folder = scratch("model");
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 16);
    check(bert_model_save(model, folder, false, &err), &err);
    bert_model_free(model);
    json_t *json = inspected(folder);
    assert_word(json, "kind", "libbert model");
    assert_word(json, "layer.pooling", "cls");
    assert_number(json, "layer.seq_len", 16);
    assert_word(json, "task", "binary");
    assert_number(json, "head.outputs", 1);
    assert_string_equal(json_string_value(json_array_get(member(json, "labels"), 1)), "1");
    assert_number(json, "parameters.all", EMBEDDINGS + 3 * A_LAYER + POOLER);
    assert_number(json, "tuned_parameters.layer 2", A_LAYER);
    assert_number(json, "tuned_parameters.pooler", POOLER);
    assert_number(json, "tuned_parameters.head", HEAD);
    assert_number(json, "tuned_parameters.all", A_LAYER + POOLER + HEAD);
    assert_int_equal(json_array_size(member(json, "tensors")), 16 + 2 + 2);
    json_decref(json);
}

static void a_head_tells_its_hidden_layer_scale_and_threshold(void **state)
{
    (void)state;
    bert_err err;
    const char *file = scratch("model.bert");
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    head.head_hidden = 8;
    bert_model *model = toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 16, &head);
    model->threshold = 0.625;
    check(bert_model_freeze(model, file, NULL, NULL, NULL, &err), &err);
    bert_model_free(model);
    json_t *json = inspected(file);
    assert_word(json, "head.type", "dense-tanh-dense");
    assert_number(json, "head.hidden", 8);
    assert_true(json_real_value(member(json, "head.threshold")) == 0.625);
    assert_null(json_object_get(member(json, "head"), "label_min"));
    assert_number(json, "parameters.head", 8 * 40 + 8 + 8 + 1);
    assert_null(json_object_get(member(json, "parameters"), "other"));
    json_decref(json);

    head = toy_head(BERT_TASK_SIMILARITY, NULL, 0);
    head.label_min = -1;
    head.label_max = 5;
    model = toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, 16, &head);
    check(bert_model_save(model, scratch("model"), false, &err), &err);
    bert_model_free(model);
    json = inspected(scratch("model"));
    assert_word(json, "task", "similarity");
    assert_word(json, "layer.pooling", "mean");
    assert_word(json, "head.type", "cosine");
    assert_number(json, "head.outputs", 0);
    assert_true(json_real_value(member(json, "head.label_min")) == -1 &&
                json_real_value(member(json, "head.label_max")) == 5);
    assert_null(json_object_get(member(json, "head"), "threshold"));
    assert_int_equal(json_array_size(member(json, "labels")), 0);
    json_decref(json);
}

static void a_frozen_file_tells_what_it_gives(void **state)
{
    (void)state;
    bert_err err;
    const char *file = scratch("model.bert");
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 16);
    check(bert_model_freeze(model, file, NULL, NULL, NULL, &err), &err);
    bert_model_free(model);
    json_t *json = inspected(file);
    assert_word(json, "kind", "libbert frozen model");
    assert_word(json, "task", "binary");
    assert_word(json, "layer.pooling", "mean");
    assert_number(json, "parameters.head", HEAD);
    assert_number(json, "parameters.all", EMBEDDINGS + 3 * A_LAYER + HEAD);
    assert_number(json, "tokenizer.tokens", 57);
    assert_string_equal(json_string_value(json_array_get(member(json, "signatures.tokens.outputs"), 0)), "scores");
    assert_word(json, "precision", "fp32");
    assert_number(json, "file_size", (json_int_t)size_of(file));
    double bytes = json_real_value(member(json, "bytes_per_weight"));
    assert_true(fabs(bytes * (EMBEDDINGS + 3 * A_LAYER + HEAD) - (double)size_of(file)) < 1e-3);
    assert_int_equal(strlen(json_string_value(member(json, "data_sha256"))), 64);
    /* query, key and value are one matrix, in the last layer two; the vocabulary and its trie are tensors, too */
    assert_int_equal(json_array_size(member(json, "tensors")), 5 + 2 * 14 + 15 + 2 + 2);
    json_decref(json);
}

static void a_frozen_file_of_fewer_bits_counts_its_weights_and_not_its_scales(void **state)
{
    (void)state;
    static const char *const WORDS[] = { "fp32", "bf16", "int8" };
    for (int precision = 0; precision < 3; precision++) {
        bert_err err;
        const char *file = scratch("model.bert");
        bert_freeze_options options;
        bert_freeze_defaults(&options);
        options.precision = precision;
        bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 16);
        check(bert_model_freeze(model, file, &options, NULL, NULL, &err), &err);
        bert_model_free(model);
        json_t *json = inspected(file);
        assert_word(json, "precision", WORDS[precision]);
        assert_number(json, "parameters.layer 1", A_LAYER);
        assert_number(json, "parameters.all", EMBEDDINGS + 3 * A_LAYER + POOLER + HEAD);
        json_decref(json);
    }
}

static void a_hugging_face_folder_is_told_before_it_is_imported(void **state)
{
    (void)state;
    json_t *json = inspected("tests/files/toy");
    assert_word(json, "kind", "Hugging Face folder (safetensors)");
    assert_number(json, "configuration.hidden_size", 8);
    assert_number(json, "parameters.all", 2880);
    assert_word(json, "tokenizer.file", "tests/files/toy/vocab.txt");
    assert_int_equal(json_array_size(member(json, "tensors")), 55);
    assert_word(json_array_get(member(json, "tensors"), 0), "name", "embeddings.LayerNorm.bias");
    assert_word(json_array_get(member(json, "tensors"), 0), "type", "F32");
    json_decref(json);
}

static void a_tensorflow_checkpoint_is_told_also_by_its_index_alone(void **state)
{
    (void)state;
    char *toy_bundle = shared_path("data/checkpoints/tf-toy"),
         *index = shared_path("data/checkpoints/tf-index-L8-H512");
    need(toy_bundle);
    need(index);
    json_t *json = inspected(toy_bundle);
    assert_word(json, "kind", "TensorFlow checkpoint");
    assert_number(json, "parameters.layer 1", 244);
    assert_number(json, "parameters.all", 2104);
    assert_number(json, "parameters.other", 1456); /* Adam's slots among them */
    assert_int_equal(json_array_size(member(json, "tensors")), 139);
    json_decref(json);
    json = inspected(index);
    assert_number(json, "configuration.num_hidden_layers", 8);
    assert_number(json, "parameters.embeddings", (30522 + 512 + 2 + 2) * 512);
    assert_number(json, "parameters.layer 7", 3152384);
    assert_int_equal(json_array_size(member(json, "tensors")), 142);
    json_decref(json);
}

static void a_tf_hub_module_tells_the_layers_of_its_signature(void **state)
{
    (void)state;
    char *hub = shared_path("data/checkpoints/tf-hub-toy");
    need(hub);
    json_t *json = inspected(hub);
    assert_word(json, "kind", "TF1 Hub module");
    assert_number(json, "signatures.tokens.seq_layer", 2);
    assert_number(json, "configuration.num_attention_heads", 3);
    assert_number(json, "parameters.all", 4128);
    json_decref(json);
}

static void for_people_it_is_lines(void **state)
{
    (void)state;
    bert_err err;
    char *text;
    check(bert_inspect("tests/files/toy", false, &text, &err), &err);
    static const char *const LINES[] = {
        "kind                           Hugging Face folder (safetensors)\n",
        "parameters                     \n  embeddings                   1008\n",
        "  hidden_size                  8\n",
        "tensors                        55\n",
        "  embeddings.word_embeddings.weight                        F32   [58, 8]\n",
    };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        if (!strstr(text, LINES[i]))
            fail_msg("there is no line \"%s\" in\n%s", LINES[i], text);
    assert_int_equal(text[strlen(text) - 1], '\n');
    bert_free(text);
}

static void what_is_not_there_or_not_known_is_said(void **state)
{
    (void)state;
    char *text, words[512];
    assert_fails(bert_inspect("tests/files/nowhere", true, &text, err), BERT_ERR_IO,
                 "tests/files/nowhere: no such file or folder");
    assert_null(text);
    assert_fails(bert_inspect("tests/files/toy/vocab.txt", false, &text, err), BERT_ERR_UNSUPPORTED,
                 "tests/files/toy/vocab.txt: not a checkpoint that is known by its name (.safetensors, .bin, .pt, "
                 ".index, saved_model.pb)");
    assert_null(text);
    snprintf(words, sizeof words,
             "%s: no checkpoint that is known (model.safetensors, pytorch_model.bin, saved_model.pb, *.index)",
             scratch_folder);
    assert_fails(bert_inspect(scratch_folder, true, &text, err), BERT_ERR_FORMAT, words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_module_tells_its_signatures_and_parameters),
        in_a_folder(a_model_tells_its_layer_head_and_what_is_tuned),
        in_a_folder(a_head_tells_its_hidden_layer_scale_and_threshold),
        in_a_folder(a_frozen_file_tells_what_it_gives),
        in_a_folder(a_frozen_file_of_fewer_bits_counts_its_weights_and_not_its_scales),
        cmocka_unit_test(a_hugging_face_folder_is_told_before_it_is_imported),
        cmocka_unit_test(a_tensorflow_checkpoint_is_told_also_by_its_index_alone),
        cmocka_unit_test(a_tf_hub_module_tells_the_layers_of_its_signature),
        cmocka_unit_test(for_people_it_is_lines),
        in_a_folder(what_is_not_there_or_not_known_is_said),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
