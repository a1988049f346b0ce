/* Exports for transformers and sentence-transformers: what stands in the folder, that an import of it predicts the
 * same, and what is refused. What those programs themselves make of a folder is for tests/hf/check_hf.py. */
#include "exports/exported.h"

#include <dirent.h>

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

static void check_round_trip(bert_task id, int pooling, int64_t hidden, float tolerance)
{
    float scores[TEXTS * MOST_COLUMNS], again[TEXTS * MOST_COLUMNS];
    bert_model *m = model_of(id, pooling, hidden), *back = round_trip(m);
    size_t columns = predict(m, scores);
    assert_int_equal(bert_model_task(back), id);
    assert_int_equal(predict(back, again), columns);
    assert_near(again, scores, TEXTS * columns, tolerance);
    const char *const *labels, *const *expected;
    size_t n = bert_model_labels(m, &expected);
    assert_int_equal(bert_model_labels(back, &labels), n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(labels[i], expected[i]);
    bert_model_free(back);
    bert_model_free(m);
}

static void an_export_that_is_imported_again_predicts_the_same_bits(void **state)
{
    (void)state;
    check_round_trip(BERT_TASK_BINARY, BERT_POOLING_CLS, 0, 0);
    check_round_trip(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 0, 0);
    check_round_trip(BERT_TASK_MULTILABEL, BERT_POOLING_CLS, 0, 0);
}

static void the_scale_of_a_regression_goes_into_its_weights(void **state)
{
    (void)state;
    check_round_trip(BERT_TASK_REGRESSION, BERT_POOLING_CLS, 0, 2e-6f); /* values of some units, in float */
}

/* tanh leaves small numbers as they are; a hidden layer of the head becomes the pooler. */
static void the_first_tokens_own_vector_passes_through_the_pooler(void **state)
{
    (void)state;
    check_round_trip(BERT_TASK_BINARY, BERT_POOLING_CLS_RAW, 0, 2e-6f);
    check_round_trip(BERT_TASK_MULTICLASS, BERT_POOLING_CLS_RAW, 0, 2e-6f);
    check_round_trip(BERT_TASK_REGRESSION, BERT_POOLING_CLS_RAW, 0, 1e-5f);
    check_round_trip(BERT_TASK_MULTICLASS, BERT_POOLING_CLS_RAW, 8, 0);
    check_round_trip(BERT_TASK_MULTILABEL, BERT_POOLING_CLS_RAW, TOY_HIDDEN, 0);
}

static void tags_come_back_as_the_same_entities(void **state)
{
    (void)state;
    sample s = random_sample();
    bert_model *m = model_of(BERT_TASK_TOKENS, BERT_POOLING_AUTO, 0);
    /* the fewer words are outside, the more entities there are */
    weight_at(&m->layer->weights, HEAD_BIAS, 0)->tuned[0] -= 1;
    bert_model *back = round_trip(m);
    bert_session *a = open_session(m, 0, BERT_POOLING_AUTO, false),
                 *b = open_session(back, 0, BERT_POOLING_AUTO, false);
    const bert_entity *x, *y;
    size_t n, n_back;
    assert_works(bert_session_entities(a, s.texts, TEXTS, &x, &n, NULL, err));
    assert_works(bert_session_entities(b, s.texts, TEXTS, &y, &n_back, NULL, err));
    assert_true(n > 0);
    assert_int_equal(n_back, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(x[i].byte_start, y[i].byte_start);
        assert_int_equal(x[i].byte_end, y[i].byte_end);
        assert_string_equal(x[i].label, y[i].label);
        assert_true(x[i].score == y[i].score);
    }
    bert_session_free(b);
    bert_session_free(a);
    bert_model_free(back);
    bert_model_free(m);
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static const tensor *tensor_of(const tensor_set *set, const char *name, int64_t rows, int64_t cols)
{
    const tensor *t = tensors_find(set, name);
    assert_non_null(t);
    assert_int_equal(t->shape[0], rows);
    if (cols)
        assert_int_equal(t->shape[1], cols);
    return t;
}

static void assert_json(const char *file, const char *key, json_t *expected)
{
    json_t *json = read_json(file), *value = json_object_get(json, key);
    if (!json_equal(value, expected))
        fail_msg("%s: %s is %s", file, key, json_dumps(value, JSON_ENCODE_ANY));
    json_decref(expected);
    json_decref(json);
}

/* softmax(0, z) = (1 - sigmoid(z), sigmoid(z)) */
static void a_binary_head_becomes_two_rows_the_first_one_zero(void **state)
{
    (void)state;
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, 0);
    tensor_set set = { 0 };
    assert_works(export_to(m, "theirs", false, NULL, err));
    const char *settings = scratch("theirs/config.json");
    assert_json(settings, "architectures", json_pack("[s]", "BertForSequenceClassification"));
    assert_json(settings, "problem_type", json_string("single_label_classification"));
    assert_json(settings, "id2label", json_pack("{s:s, s:s}", "0", "a", "1", "b"));
    assert_json(settings, "label2id", json_pack("{s:i, s:i}", "a", 0, "b", 1));
    assert_works(safetensors_open(&set, scratch("theirs/model.safetensors"), NULL, err));
    const float *weight = tensor_of(&set, "classifier.weight", 2, TOY_HIDDEN)->data,
                *bias = tensor_of(&set, "classifier.bias", 2, 0)->data;
    const bert_param *own = weight_at(&m->layer->weights, HEAD_WEIGHT, 0);
    for (size_t i = 0; i < TOY_HIDDEN; i++)
        assert_true(weight[i] == 0 && weight[TOY_HIDDEN + i] == own->value[i]);
    assert_true(bias[0] == 0 && bias[1] == own[1].value[0]);
    tensor_of(&set, "bert.pooler.dense.weight", TOY_HIDDEN, TOY_HIDDEN);
    tensor_of(&set, "bert.encoder.layer.2.attention.self.query.weight", TOY_HIDDEN, TOY_HIDDEN);
    assert_int_equal(set.n, 5 + 3 * 16 + 2 + 2);
    tensors_close(&set);
    bert_model_free(m);
}

static void every_task_says_what_it_is(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        const char *architecture, *problem;
    } CASES[] = {
        { BERT_TASK_MULTICLASS, "BertForSequenceClassification", "single_label_classification" },
        { BERT_TASK_MULTILABEL, "BertForSequenceClassification", "multi_label_classification" },
        { BERT_TASK_REGRESSION, "BertForSequenceClassification", "regression" },
        { BERT_TASK_TOKENS, "BertForTokenClassification", NULL },
        { BERT_TASK_SIMILARITY, "BertModel", NULL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_model *m = model_of(CASES[i].id, BERT_POOLING_AUTO, 0);
        assert_works(export_to(m, "theirs", true, NULL, err));
        const char *settings = scratch("theirs/config.json");
        assert_json(settings, "architectures", json_pack("[s]", CASES[i].architecture));
        json_t *json = read_json(settings);
        const char *problem = json_string_value(json_object_get(json, "problem_type"));
        assert_true(problem ? CASES[i].problem && !strcmp(problem, CASES[i].problem) : !CASES[i].problem);
        json_decref(json);
        assert_json(scratch("theirs/tokenizer_config.json"), "model_max_length", json_integer(SEQ_LEN));
        assert_int_equal(file_exists(scratch("theirs/modules.json")), CASES[i].id == BERT_TASK_SIMILARITY);
        bert_model_free(m);
    }
}

static void assert_same_file(const char *a, const char *b)
{
    file_mapping m;
    assert_works(file_map(&m, a, err));
    bool same = file_holds(b, (const char *)m.data, m.size);
    file_unmap(&m);
    if (!same)
        fail_msg("%s is another than %s", b, a);
}

/* But for dropout, which only training needs. */
static void a_frozen_file_gives_the_same_folder_as_its_model(void **state)
{
    (void)state;
    static const char *const FILES[] = { "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json" };
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 0);
    assert_works(bert_model_freeze(m, scratch("frozen"), NULL, NULL, NULL, err));
    bert_model *frozen = load_model(scratch("frozen"));
    assert_works(export_to(m, "theirs", false, NULL, err));
    assert_works(export_to(frozen, "from-frozen", false, NULL, err));
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "theirs/%s", FILES[i]);
        snprintf(b, sizeof b, "from-frozen/%s", FILES[i]);
        assert_same_file(scratch(a), scratch(b));
    }
    bert_model_free(frozen);
    bert_model_free(m);
}

/* What int8 stands for is written in float32: the folder predicts as the frozen file, but for activations that are not
 * quantised. */
static void packed_weights_are_written_as_the_numbers_that_they_stand_for(void **state)
{
    (void)state;
    static const float TOLERANCES[] = { 1e-6f, 0.02f, 0.03f }; /* of probabilities */
    float scores[TEXTS * MOST_COLUMNS], again[TEXTS * MOST_COLUMNS];
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 0);
    for (int precision = 0; precision < 3; precision++) {
        bert_freeze_options options;
        bert_freeze_defaults(&options);
        options.precision = precision;
        assert_works(bert_model_freeze(m, scratch("frozen"), &options, NULL, NULL, err));
        bert_model *frozen = load_model(scratch("frozen")), *back = round_trip(frozen);
        predict(frozen, scores);
        predict(back, again);
        assert_near(again, scores, TEXTS * MOST_COLUMNS, TOLERANCES[precision]);
        bert_model_free(back);
        bert_model_free(frozen);
    }
    bert_model_free(m);
}

static void only_the_layers_that_are_used_are_written(void **state)
{
    (void)state;
    float scores[TEXTS * MOST_COLUMNS], again[TEXTS * MOST_COLUMNS];
    bert_layer_spec spec;
    bert_head_spec head = toy_head(BERT_TASK_MULTICLASS, WORDS, 3);
    bert_model *m = NULL;
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", (toy){ 0 });
    spec.pooling = BERT_POOLING_CLS;
    spec.seq_len = SEQ_LEN;
    spec.n_tune_layers = 0;
    spec.use_layers = 2;
    assert_works(bert_model_create(&spec, &head, 7, &m, err));
    bert_model *back = round_trip(m);
    assert_json(scratch("theirs/config.json"), "num_hidden_layers", json_integer(2));
    predict(m, scores);
    predict(back, again);
    assert_memory_equal(scores, again, sizeof scores);
    bert_model_free(back);
    bert_model_free(m);
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

static bert_model *similarity_of(int pooling)
{
    return model_of(BERT_TASK_SIMILARITY, pooling, 0);
}

static void a_model_of_vectors_comes_back_as_a_module_with_its_pooling(void **state)
{
    (void)state;
    static const int POOLINGS[] = { BERT_POOLING_MEAN, BERT_POOLING_CLS_RAW, BERT_POOLING_MAX, BERT_POOLING_SQRT_MEAN };
    float vectors[TEXTS * TOY_HIDDEN], again[TEXTS * TOY_HIDDEN];
    for (size_t i = 0; i < sizeof POOLINGS / sizeof *POOLINGS; i++) {
        bert_model *m = similarity_of(POOLINGS[i]), *back = round_trip(m);
        assert_int_equal(bert_model_task(back), BERT_TASK_AUTO);
        assert_int_equal(back->layer->spec.pooling, POOLINGS[i]);
        assert_int_equal(back->layer->spec.seq_len, SEQ_LEN);
        embed(m, vectors);
        embed(back, again);
        assert_memory_equal(vectors, again, sizeof vectors);
        bert_model_free(back);
        bert_model_free(m);
    }
}

/* sentence-transformers has no pooler, but dense layers. */
static void the_pooler_becomes_a_dense_layer_with_tanh(void **state)
{
    (void)state;
    bert_model *m = similarity_of(BERT_POOLING_CLS);
    const bert_param *pooler = weight_at(&m->layer->weights, POOLER_WEIGHT, 0);
    tensor_set set = { 0 };
    assert_works(export_to(m, "theirs", false, NULL, err));
    assert_json(scratch("theirs/1_Pooling/config.json"), "pooling_mode_cls_token", json_true());
    assert_json(scratch("theirs/2_Dense/config.json"), "activation_function",
                json_string("torch.nn.modules.activation.Tanh"));
    assert_works(safetensors_open(&set, scratch("theirs/2_Dense/model.safetensors"), NULL, err));
    const tensor *weight = tensor_of(&set, "linear.weight", TOY_HIDDEN, TOY_HIDDEN),
                 *bias = tensor_of(&set, "linear.bias", TOY_HIDDEN, 0);
    assert_memory_equal(weight->data, pooler[0].value, weight_size(&pooler[0]) * sizeof(float));
    assert_memory_equal(bias->data, pooler[1].value, weight_size(&pooler[1]) * sizeof(float));
    tensors_close(&set);
    bert_model_free(m);
}

static void a_module_keeps_its_pooler_and_its_normalisation(void **state)
{
    (void)state;
    float vectors[TEXTS * TOY_HIDDEN], again[TEXTS * TOY_HIDDEN];
    bert_model *m = similarity_of(BERT_POOLING_MEAN), *back = round_trip(m);
    bert_model_free(back);
    scratch_text("theirs/modules.json", "[{\"type\": \"a.Transformer\"}, {\"type\": \"a.Pooling\", \"path\": "
                                        "\"1_Pooling\"}, {\"type\": \"Normalize\"}]");
    assert_works(bert_import(scratch("theirs"), scratch("normal"), NULL, NULL, err));
    bert_model *normal = load_model(scratch("normal"));
    embed(normal, vectors);
    for (size_t i = 0; i < TEXTS; i++) {
        double squares = 0;
        for (size_t k = 0; k < TOY_HIDDEN; k++)
            squares += (double)vectors[i * TOY_HIDDEN + k] * vectors[i * TOY_HIDDEN + k];
        assert_true(fabs(squares - 1) < 1e-6);
    }
    back = round_trip(normal);
    assert_true(file_is_folder(scratch("theirs/2_Normalize")));
    embed(back, again);
    assert_memory_equal(vectors, again, sizeof vectors);
    /* who asks for a pooling gets that alone */
    bert_session *plain = open_session(normal, 0, BERT_POOLING_MEAN, false);
    sample s = random_sample();
    assert_works(bert_session_embed(plain, s.texts, NULL, TEXTS, again, NULL, NULL, err));
    bert_session_free(plain);
    embed(m, vectors);
    assert_memory_equal(vectors, again, sizeof vectors);
    bert_model_free(back);
    bert_model_free(normal);
    bert_model_free(m);
    bert_model *module = load_model(toy_module("bare", (toy){ 0 }));
    assert_works(export_to(module, "theirs", true, NULL, err));
    tensor_set set = { 0 };
    assert_works(safetensors_open(&set, scratch("theirs/model.safetensors"), NULL, err));
    tensor_of(&set, "pooler.dense.weight", TOY_HIDDEN, TOY_HIDDEN);
    tensors_close(&set);
    bert_model_free(module);
}

static void a_frozen_module_gives_vectors_of_length_1_as_well(void **state)
{
    (void)state;
    float vectors[TEXTS * TOY_HIDDEN], again[TEXTS * TOY_HIDDEN];
    bert_model *m = similarity_of(BERT_POOLING_MAX);
    assert_works(export_to(m, "theirs", false, NULL, err));
    scratch_text("theirs/modules.json", "[{\"type\": \"a.Transformer\"}, {\"type\": \"a.Pooling\", \"path\": "
                                        "\"1_Pooling\"}, {\"type\": \"Normalize\"}]");
    assert_works(bert_import(scratch("theirs"), scratch("normal"), NULL, NULL, err));
    bert_model *normal = load_model(scratch("normal"));
    assert_works(bert_model_freeze(normal, scratch("frozen"), NULL, NULL, NULL, err));
    bert_model *frozen = load_model(scratch("frozen"));
    embed(normal, vectors);
    embed(frozen, again);
    assert_memory_equal(vectors, again, sizeof vectors);
    bert_model_free(frozen);
    bert_model_free(normal);
    bert_model_free(m);
}

/* ---- notes and refusals ------------------------------------------------------------------------------------------ */

static void assert_note(const bert_model *m, const char *expected)
{
    char *note = NULL;
    assert_works(export_to(m, "theirs", true, &note, err));
    if (expected)
        assert_string_equal(note, expected);
    else
        assert_null(note);
    bert_free(note);
}

static void what_the_format_leaves_out_is_told(void **state)
{
    (void)state;
    const bert_tokenizer_options theirs = transformers_rules();
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, 0);
    set_rules(m, &theirs);
    assert_note(m, NULL);
    m->threshold = 0.25;
    assert_note(m, "the threshold of 0.25 is not part of the format: transformers decides at 0.5");
    bert_model_free(m);
    m = similarity_of(BERT_POOLING_MEAN);
    set_rules(m, &theirs);
    assert_note(
        m, "task similarity: the folder gives vectors, whose cosine is 0 where the model says 1 and 1 where it says 5");
    bert_model_free(m);
}

static void heads_that_transformers_has_not_are_refused(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        int pooling;
        int64_t hidden;
        const char *message;
    } CASES[] = {
        { BERT_TASK_BINARY, BERT_POOLING_MEAN, 0,
          "task binary, pooling mean: BertForSequenceClassification reads the first token alone, as pooling cls and "
          "cls_raw do; format onnx "
          "can" },
        { BERT_TASK_REGRESSION, BERT_POOLING_MAX, 0,
          "task regression, pooling max: BertForSequenceClassification reads the first token alone, as pooling cls and "
          "cls_raw do; format onnx "
          "can" },
        { BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 8,
          "task multiclass, pooling cls with a hidden layer in the head: BertForSequenceClassification has one dense "
          "layer behind the pooler, "
          "no "
          "second one; format onnx can" },
        { BERT_TASK_MULTICLASS, BERT_POOLING_CLS_RAW, TOY_HIDDEN + 1,
          "task multiclass, pooling cls_raw with a hidden layer in the head: BertForSequenceClassification's pooler is "
          "no wider than the "
          "encoder; "
          "format onnx can" },
        { BERT_TASK_TOKENS, BERT_POOLING_NONE, 8,
          "task tokens, pooling none with a hidden layer in the head: BertForTokenClassification has one dense layer "
          "alone; format onnx can" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_model *m = model_of(CASES[i].id, CASES[i].pooling, CASES[i].hidden);
        assert_fails(export_to(m, "theirs", false, NULL, err), BERT_ERR_UNSUPPORTED, CASES[i].message);
        assert_int_equal(scratch_entries(), 2); /* module and model: nothing half-written */
        bert_model_free(m);
    }
}

static void what_stands_there_is_kept_unless_it_is_an_export(void **state)
{
    (void)state;
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, 0);
    assert_works(folder_create(scratch("theirs"), err));
    scratch_text("theirs/diary", "precious");
    assert_fails(export_to(m, "theirs", false, NULL, err), BERT_ERR_ARGUMENT,
                 "theirs: a folder of other files stands there; give a new name or an empty folder");
    assert_fails(export_to(m, "theirs", true, NULL, err), BERT_ERR_ARGUMENT,
                 "theirs: a folder of other files stands there; give a new name or an empty folder");
    assert_true(file_holds(scratch("theirs/diary"), "precious", 8));
    assert_int_equal(unlink(scratch("theirs/diary")), 0);
    assert_works(export_to(m, "theirs", false, NULL, err));
    assert_works(export_to(m, "theirs", false, NULL, err));
    assert_fails(export_to(m, "theirs/vocab.txt/below", false, NULL, err), BERT_ERR_IO,
                 "theirs/vocab.txt: cannot make the folder: File exists");
    assert_int_equal(scratch_entries(), 3); /* module, model and the export */
    bert_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(an_export_that_is_imported_again_predicts_the_same_bits),
        in_a_folder(the_scale_of_a_regression_goes_into_its_weights),
        in_a_folder(the_first_tokens_own_vector_passes_through_the_pooler),
        in_a_folder(tags_come_back_as_the_same_entities),
        in_a_folder(a_binary_head_becomes_two_rows_the_first_one_zero),
        in_a_folder(every_task_says_what_it_is),
        in_a_folder(a_frozen_file_gives_the_same_folder_as_its_model),
        in_a_folder(packed_weights_are_written_as_the_numbers_that_they_stand_for),
        in_a_folder(only_the_layers_that_are_used_are_written),
        in_a_folder(a_model_of_vectors_comes_back_as_a_module_with_its_pooling),
        in_a_folder(the_pooler_becomes_a_dense_layer_with_tanh),
        in_a_folder(a_module_keeps_its_pooler_and_its_normalisation),
        in_a_folder(a_frozen_module_gives_vectors_of_length_1_as_well),
        in_a_folder(what_the_format_leaves_out_is_told),
        in_a_folder(heads_that_transformers_has_not_are_refused),
        in_a_folder(what_stands_there_is_kept_unless_it_is_an_export),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
