/* Models: architecture as JSON, folders, weights; what was moved, changed or is of another kind. */
#include "toy_module.h"

#include "base/sha.h"
#include "models/model.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static const char *const LABELS[] = { "no", "yes", "perhaps: \"maybe\" \xe4\xb8\xad" };
static const head_spec HEAD = {
    .task = BERT_TASK_MULTICLASS, .outputs = 3, .labels = LABELS, .n_labels = 3, .threshold = 0.5
};

static bert_layer_spec spec_on(const char *module)
{
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.seq_len = 12;
    spec.n_tune_layers = 2;
    return spec;
}

static bert_model *model_on(const char *module, const bert_layer_spec *spec)
{
    bert_model *m = NULL;
    assert_works(model_create(open_module(module), spec, &HEAD, 9, &m, err));
    return m;
}

/* A toy module in the scratch folder, and a model on it whose tuned weights are not the module's. */
static bert_model *toy_model(void)
{
    bert_module_free(words_module(NULL, true));
    bert_layer_spec spec = spec_on(scratch("module"));
    bert_model *m = model_on(scratch("module"), &spec);
    random_stream r = { 3, 0, 0 };
    for (size_t i = 0; i < m->layer->n_tuned; i++)
        m->layer->values[i] += random_normal(&r);
    return m;
}

static bert_model *open_folder(const char *folder)
{
    bert_model *m = NULL;
    assert_works(model_open_folder(folder, &m, err));
    return m;
}

static void assert_same_weights(const bert_model *a, const bert_model *b)
{
    const weight_list *x = &a->layer->weights, *y = &b->layer->weights;
    assert_int_equal(x->n, y->n);
    for (size_t i = 0; i < x->n; i++) {
        assert_string_equal(x->items[i].name, y->items[i].name);
        assert_int_equal(!x->items[i].tuned, !y->items[i].tuned);
        assert_memory_equal(x->items[i].value, y->items[i].value, weight_size(&x->items[i]) * sizeof(float));
    }
}

static void assert_same_head(const bert_model *a, const bert_model *b)
{
    const char *const *x, *const *y;
    size_t n = bert_model_labels(a, &x);
    assert_int_equal(bert_model_labels(b, &y), n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(x[i], y[i]);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->outputs, b->outputs);
}

static json_t *read_json(const char *path)
{
    json_t *json = NULL;
    assert_works(json_read_file(&json, path, err));
    return json;
}

static const char *module_path(const json_t *model)
{
    const char *path = json_string_value(json_object_get(json_object_get(model, "layer"), "module"));
    assert_non_null(path);
    return path;
}

/* ---- architecture ------------------------------------------------------------------------------------------------ */

static void an_architecture_goes_through_json_unchanged(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    bert_layer_spec spec = spec_on(scratch("module"));
    spec.pooling = BERT_POOLING_SQRT_MEAN;
    spec.tune_embeddings = true;
    spec.use_layers = 2;
    spec.n_tune_layers = 1;
    spec.outputs = "output,layer_0";
    spec.do_preprocessing = false;
    bert_model *m = model_on(scratch("module"), &spec), *again = NULL;
    char *json, *second;
    assert_works(bert_model_to_json(m, scratch_folder, &json, err));
    assert_works(bert_model_from_json(json, scratch_folder, &again, err));
    assert_works(bert_model_to_json(again, scratch_folder, &second, err));
    assert_string_equal(json, second);
    const bert_layer_spec *s = &again->layer->spec;
    assert_int_equal(s->seq_len, 12);
    assert_int_equal(s->pooling, BERT_POOLING_SQRT_MEAN);
    assert_int_equal(s->n_tune_layers, 1);
    assert_true(s->tune_embeddings);
    assert_int_equal(s->use_layers, 2);
    assert_string_equal(s->outputs, "output,layer_0");
    assert_false(s->do_preprocessing);
    assert_same_head(m, again);
    json_t *parsed = json_loads(json, 0, NULL);
    assert_string_equal(module_path(parsed), "module"); /* as seen from the folder */
    assert_string_equal(json_string_value(json_array_get(json_object_get(parsed, "labels"), 2)), LABELS[2]);
    json_decref(parsed);
    bert_free(json);
    bert_free(second);
    bert_model_free(m);
    bert_model_free(again);
}

static void the_module_path_is_relative_to_the_folder_or_as_given(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    assert_works(folder_create(scratch("a/b"), err));
    const struct {
        const char *folder, *expected;
    } CASES[] = { { scratch("a/b"), "../../module" },
                  { scratch("a"), "../module" },
                  { scratch("module"), "." },
                  { NULL, scratch("module") } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *json;
        assert_works(bert_model_to_json(m, CASES[i].folder, &json, err));
        json_t *parsed = json_loads(json, 0, NULL);
        assert_string_equal(module_path(parsed), CASES[i].expected);
        bert_model *again = NULL;
        assert_works(bert_model_from_json(json, CASES[i].folder, &again, err));
        bert_model_free(again);
        json_decref(parsed);
        bert_free(json);
    }
    char *json;
    bert_err found;
    assert_int_equal(bert_model_to_json(m, scratch("none"), &json, &found), BERT_ERR_IO);
    assert_non_null(strstr(found.message, "module: cannot find the way from "));
    assert_true(path_ends(found.message, ": No such file or directory"));
    assert_null(json);
    bert_model_free(m);
}

static void an_address_is_kept_as_it_is(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    bert_layer_spec spec = spec_on("https://example.org/toy.tar.gz");
    bert_model *m = model_on(scratch("module"), &spec);
    assert_works(bert_model_save(m, scratch("model"), false, err));
    json_t *json = read_json(scratch("model/model.json"));
    assert_string_equal(module_path(json), "https://example.org/toy.tar.gz");
    json_decref(json);
    bert_model_free(m);
}

/* The default gives way to a module of fewer positions, and says so; what is asked for is not changed. */
static void a_default_length_is_no_longer_than_the_module(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    bert_layer_spec spec = spec_on(scratch("module"));
    spec.seq_len = 0;
    bert_model *m = model_on(scratch("module"), &spec);
    assert_int_equal(m->layer->spec.seq_len, 16);
    assert_string_equal(bert_model_note(m),
                        "the module has 16 positions: a text is read up to so many tokens (seq_len)");
    bert_model_free(m);
    bert_module_free(words_module(NULL, true));
    spec.seq_len = 16;
    m = model_on(scratch("module"), &spec);
    assert_null(bert_model_note(m));
    bert_model_free(m);
}

static void a_new_model_has_the_same_weights_for_the_same_seed(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, false));
    bert_layer_spec spec = spec_on(scratch("module"));
    bert_model *a = model_on(scratch("module"), &spec), *b = model_on(scratch("module"), &spec);
    assert_same_weights(a, b);
    assert_string_equal(bert_model_note(a), "the module has no pooler: pooling `cls` starts a new one");
    const bert_param *head = weight_at(&a->layer->weights, HEAD_WEIGHT, 0);
    double limit = sqrt(6.0 / (12 + 3)), largest = 0; /* Glorot and Bengio 2010 */
    assert_string_equal(head->name, "classifier.weight");
    for (size_t i = 0; i < weight_size(head); i++)
        largest = fmax(largest, fabs(head->value[i]));
    assert_true(largest <= limit && largest > limit / 2);
    for (int i = 0; i < 3; i++)
        assert_true(head[1].value[i] == 0);
    bert_model_free(a);
    bert_model_free(b);
    bert_module_free(words_module(NULL, true));
    a = model_on(scratch("module"), &spec);
    assert_null(bert_model_note(a));
    bert_model_free(a);
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static bert_model *model_of_head(const head_spec *head)
{
    bert_model *m = NULL;
    bert_layer_spec spec = spec_on(scratch("module"));
    assert_works(model_create(open_module(scratch("module")), &spec, head, 9, &m, err));
    return m;
}

static void a_hidden_head_has_two_layers_of_its_own(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    head_spec two = HEAD;
    two.hidden = 7;
    bert_model *m = model_of_head(&two), *plain = model_of_head(&HEAD);
    const weight_list *w = &m->layer->weights;
    static const struct {
        const char *name;
        size_t rows, cols;
    } EXPECTED[] = { { "pooler.dense.weight", 12, 12 },    { "pooler.dense.bias", 12, 1 },
                     { "classifier.dense.weight", 7, 12 }, { "classifier.dense.bias", 7, 1 },
                     { "classifier.weight", 3, 7 },        { "classifier.bias", 3, 1 } };
    assert_int_equal(w->n, 5 + 3 * 16 + 6);
    for (size_t i = 0; i < 6; i++) {
        const bert_param *p = &w->items[5 + 3 * 16 + i];
        assert_string_equal(p->name, EXPECTED[i].name);
        assert_string_equal(p->group, i < 2 ? "pooler" : "head");
        assert_int_equal(p->rows, EXPECTED[i].rows);
        assert_int_equal(p->cols, EXPECTED[i].cols);
        assert_ptr_equal(p, weight_at(w, (weight_id)(POOLER_WEIGHT + i), 0));
        assert_int_equal(weight_kind_of(w, 5 + 3 * 16 + i) == WEIGHT_BIAS, i % 2);
        assert_non_null(p->grad);
    }
    const float *first = weight_at(w, HEAD_HIDDEN_WEIGHT, 0)->value, *last = weight_at(w, HEAD_WEIGHT, 0)->value;
    float limit = sqrtf(6.0f / 19), largest = 0;
    for (size_t i = 0; i < 84; i++)
        largest = fmaxf(largest, fabsf(first[i]));
    assert_true(largest <= limit && largest > 0.8f * limit);
    assert_true(fabs(first[0] / limit - last[0] / sqrtf(6.0f / 10)) > 1e-3); /* other random numbers */
    assert_null(weight_at(&plain->layer->weights, HEAD_HIDDEN_WEIGHT, 0));
    assert_null(weight_at(&plain->layer->weights, HEAD_HIDDEN_BIAS, 0));
    assert_string_equal(weight_at(&plain->layer->weights, HEAD_WEIGHT, 0)->name, "classifier.weight");
    assert_int_equal(weight_at(&plain->layer->weights, HEAD_WEIGHT, 0)->cols, 12);
    bert_model_free(m);
    bert_model_free(plain);
}

static void every_head_comes_back_from_its_folder(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    static const head_spec HEADS[] = {
        { .task = BERT_TASK_BINARY, .outputs = 1, .labels = LABELS, .n_labels = 2, .threshold = 0.123456789 },
        { .task = BERT_TASK_MULTILABEL, .outputs = 3, .hidden = 5, .labels = LABELS, .n_labels = 3, .threshold = 0.5 },
        { .task = BERT_TASK_REGRESSION, .outputs = 1, .label_min = -1.25, .label_max = 1e10 / 3 },
        { .task = BERT_TASK_SIMILARITY, .label_max = 5 },
    };
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        bert_model *m = model_of_head(&HEADS[i]);
        assert_int_equal(m->outputs > 0, weight_at(&m->layer->weights, HEAD_WEIGHT, 0) != NULL);
        assert_int_equal(m->layer->weights.layers, 3); /* a cosine reads the pooled vectors, too */
        assert_works(bert_model_save(m, scratch("model"), false, err));
        bert_model *again = open_folder(scratch("model"));
        assert_same_weights(m, again);
        assert_same_head(m, again);
        assert_int_equal(again->head_hidden, HEADS[i].hidden);
        assert_true(again->label_min == m->label_min && again->label_max == m->label_max &&
                    again->threshold == m->threshold);
        assert_true(fabs(again->label_max - HEADS[i].label_max) <= 1e-8 * HEADS[i].label_max);
        assert_true(bert_model_threshold(again) == (HEADS[i].threshold > 0 ? HEADS[i].threshold : 0.5));
        bert_model_free(m);
        bert_model_free(again);
    }
}

/* What libbert wrote before heads had more than a type and outputs. */
static void a_head_of_an_older_file_has_the_defaults(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    assert_works(bert_model_save(m, scratch("model"), false, err));
    json_t *json = read_json(scratch("model/model.json"));
    json_object_set_new(json, "head", json_pack("{s:s, s:i}", "type", "dense", "outputs", 3));
    assert_works(json_write_file(json, scratch("model/model.json"), err));
    json_decref(json);
    bert_model *again = open_folder(scratch("model"));
    assert_same_weights(m, again);
    assert_int_equal(again->head_hidden, 0);
    assert_true(again->label_min == 0 && again->label_max == 0);
    assert_true(bert_model_threshold(again) == 0.5);
    bert_model_free(m);
    bert_model_free(again);
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static void a_saved_model_comes_back_bit_for_bit(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    assert_works(bert_model_save(m, scratch("model"), false, err));
    assert_works(bert_model_save(m, scratch("model"), false, err)); /* once more, over the first */
    bert_model *again = open_folder(scratch("model"));
    assert_same_weights(m, again);
    assert_same_head(m, again);
    tensor_set set = { 0 };
    json_t *metadata;
    assert_works(safetensors_open(&set, scratch("model/weights.safetensors"), &metadata, err));
    assert_int_equal(set.n, 2 * 16 + 2 + 2); /* the tuned tensors alone */
    assert_null(tensors_find(&set, "embeddings.word_embeddings.weight"));
    json_decref(metadata);
    tensors_close(&set);
    bert_model_free(m);
    bert_model_free(again);
}

static void shift_weights(bert_model *m)
{
    for (size_t i = 0; i < m->layer->n_tuned; i++)
        m->layer->values[i] += 1;
}

static void copy_as(const char *from, const char *to)
{
    assert_works(file_copy(scratch(from), scratch(to), err));
}

static void assert_holds_model(const bert_model *m)
{
    tensor_set set = { 0 };
    bert_model *found = open_folder(scratch("model"));
    assert_same_weights(m, found);
    assert_true(found->threshold == m->threshold);
    assert_works(model_open_weights(scratch("model"), &set, err));
    tensors_close(&set);
    bert_model_free(found);
}

/* A save that writes nothing: a disk without room. */
static void save_in_vain(bert_model *m)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){ 100, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    bert_status s = bert_model_save(m, scratch("model"), false, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(s, BERT_ERR_IO);
}

/* The steps of a save, as a kill leaves them: old or new, never the one's labels with the other's weights. */
static void whenever_a_save_ends_one_whole_model_is_there(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *old = NULL;
    assert_works(bert_model_save(m, scratch("model"), false, err));
    old = open_folder(scratch("model"));
    shift_weights(m);
    m->threshold = 0.25;
    assert_works(bert_model_save(m, scratch("new"), false, err));

    copy_as("new/weights.safetensors", "model/weights.next.safetensors");
    assert_holds_model(old);
    copy_as("new/model.json", "model/model.json");
    assert_holds_model(m);
    save_in_vain(old); /* the next save settles the one that was ended first */
    assert_holds_model(m);
    assert_false(file_exists(scratch("model/weights.next.safetensors")));
    assert_works(bert_model_save(old, scratch("model"), false, err));
    assert_holds_model(old);

    /* a first save */
    assert_int_equal(rename(scratch("new/weights.safetensors"), scratch("new/weights.next.safetensors")), 0);
    assert_int_equal(rename(scratch("new"), scratch("model.new")) || rename(scratch("model"), scratch("model.old")) ||
                         rename(scratch("model.new"), scratch("model")),
                     0);
    assert_holds_model(m);
    bert_model_free(m);
    bert_model_free(old);
}

static void weights_that_the_description_was_not_written_with_are_refused(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *other = NULL;
    assert_works(bert_model_save(m, scratch("model"), false, err));
    shift_weights(m);
    assert_works(bert_model_save_weights(m, scratch("model/weights.safetensors"), err));
    bert_err found;
    assert_int_equal(model_open_folder(scratch("model"), &other, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message,
                           "weights.safetensors: is not the file that model.json was written with (its CRC-32C is "));
    assert_null(other);
    json_t *json;
    assert_works(json_read_file(&json, scratch("model/model.json"), err));
    json_object_del(json, "weights_crc32c"); /* as it was before there were checksums */
    assert_works(json_write_file(json, scratch("model/model.json"), err));
    json_decref(json);
    assert_holds_model(m);
    bert_model_free(m);
}

static void both_folders_may_move_together(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    assert_works(folder_create(scratch("a"), err));
    assert_int_equal(rename(scratch("module"), scratch("a/module")), 0);
    bert_model_free(m);
    bert_layer_spec spec = spec_on(scratch("a/module"));
    m = model_on(scratch("a/module"), &spec);
    assert_works(bert_model_save(m, scratch("a/model"), false, err));
    assert_int_equal(rename(scratch("a"), scratch("b")), 0);
    bert_model *again = open_folder(scratch("b/model"));
    assert_same_weights(m, again);
    bert_model_free(m);
    bert_model_free(again);
}

static void a_module_that_was_moved_away_is_told(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *again;
    assert_works(bert_model_save(m, scratch("model"), false, err));
    assert_int_equal(rename(scratch("module"), scratch("elsewhere")), 0);
    char message[512];
    snprintf(message, sizeof message,
             "model/model.json: the module that the model was trained on is not at %s; put it back or train with "
             "--copy-module",
             scratch("model/../module"));
    assert_fails(model_open_folder(scratch("model"), &again, err), BERT_ERR_IO, message);
    assert_null(again);
    bert_model_free(m);
}

static void a_module_that_was_exchanged_is_told(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *again;
    assert_works(bert_model_save(m, scratch("model"), false, err));
    config c = words_config();
    c.max_position_embeddings = 14; /* other random numbers */
    bert_module *other = words_module(&c, true);
    char message[512];
    snprintf(message, sizeof message,
             "model/model.json: the module at ../module is not the one that the model was trained on (SHA-256 "
             "%.12s..., expected %.12s...)",
             other->weights_sha256, m->module->weights_sha256);
    assert_fails(model_open_folder(scratch("model"), &again, err), BERT_ERR_FORMAT, message);
    assert_null(again);
    bert_module_free(other);
    bert_model_free(m);
}

static void a_copied_module_makes_the_folder_self_contained(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    scratch_text("module/README.md", "not a part of it");
    assert_works(bert_model_save(m, scratch("model"), true, err));
    static const char *const FILES[] = {
        "module.json",    "config.json",           "model.safetensors",      "vocab.txt",
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
    };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char from[64], to[64], one[SHA256_HEX], two[SHA256_HEX];
        snprintf(from, sizeof from, "module/%s", FILES[i]);
        snprintf(to, sizeof to, "model/module/%s", FILES[i]);
        assert_works(sha256_file(scratch(from), one, err));
        assert_works(sha256_file(scratch(to), two, err));
        assert_string_equal(one, two);
    }
    assert_false(file_exists(scratch("model/module/README.md")));
    json_t *json = read_json(scratch("model/model.json"));
    assert_string_equal(module_path(json), "module");
    json_decref(json);
    assert_works(folder_remove(scratch("module"), err));
    assert_int_equal(rename(scratch("model"), scratch("moved")), 0);
    bert_model *again = open_folder(scratch("moved"));
    assert_same_weights(m, again);

    /* A later save leaves the copy as it stands; its own source is gone by then. */
    scratch_text("moved/module/mark", "");
    assert_works(bert_model_save(m, scratch("moved"), true, err));
    assert_true(file_exists(scratch("moved/module/mark")));
    assert_works(bert_model_save(again, scratch("moved"), true, err));
    assert_true(file_exists(scratch("moved/module/mark")));
    bert_model_free(m);
    bert_model_free(again);
}

/* Two modules of one encoder may differ in what stands around its weights: the copy is of the right one. */
static void another_module_with_the_same_weights_is_no_copy(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    assert_works(bert_model_save(m, scratch("model"), true, err));
    bert_model_free(m);
    bert_import_options options;
    bert_import_defaults(&options);
    options.do_lower_case = 2;
    assert_works(module_import(scratch("toy"), scratch("module"), &options, NULL, err));
    bert_layer_spec spec = spec_on(scratch("module"));
    m = model_on(scratch("module"), &spec);
    assert_works(bert_model_save(m, scratch("model"), true, err));
    bert_model *again = open_folder(scratch("model"));
    assert_false(bert_tokenizer_settings(again->module->tokenizer)->do_lower_case);
    bert_model_free(m);
    bert_model_free(again);
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    scratch_text("file", "");
    assert_fails(bert_model_save(m, scratch("file/model"), false, err), BERT_ERR_IO,
                 "file: cannot make the folder: File exists");
    assert_fails(bert_model_save_weights(m, scratch("none/weights"), err), BERT_ERR_IO,
                 "none/weights: cannot write: No such file or directory");
    bert_model_free(m);
}

static void a_model_without_a_head_is_no_folder(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer_spec spec = spec_on(scratch("module"));
    bert_model *m;
    char *json;
    assert_works(model_create(module, &spec, NULL, 0, &m, err));
    assert_int_equal(bert_model_labels(m, NULL), 0);
    assert_fails(bert_model_save(m, scratch("model"), false, err), BERT_ERR_ARGUMENT,
                 "model: only a model that has a head and is made on a module can be saved");
    assert_false(file_exists(scratch("model")));
    assert_fails(bert_model_to_json(m, NULL, &json, err), BERT_ERR_ARGUMENT,
                 "model.json: only a model that has a head and is made on a module can be saved");
    assert_null(json);
    bert_model_free(m);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void a_model_json_of_another_kind_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *inner, *key; /* inner NULL: a member of the root */
        json_t *value;
        bert_status code;
        const char *message;
    } CASES[] = {
        { NULL, "format", json_string("libbert.module"), BERT_ERR_FORMAT,
          "model/model.json: format is \"libbert.module\", expected \"libbert.model\"" },
        { NULL, "format", NULL, BERT_ERR_FORMAT, "model/model.json: format is missing" },
        { NULL, "version", json_integer(2), BERT_ERR_UNSUPPORTED,
          "model/model.json: format version 2, this libbert (" BERT_VERSION ") reads up to 1; use a newer one" },
        { NULL, "layer", NULL, BERT_ERR_FORMAT, "model/model.json: layer is missing" },
        { NULL, "task", NULL, BERT_ERR_FORMAT, "model/model.json: task is missing" },
        { NULL, "head", NULL, BERT_ERR_FORMAT, "model/model.json: head is missing" },
        { NULL, "labels", NULL, BERT_ERR_FORMAT,
          "model/model.json: \"labels\" is no array of at least two words, or of none" },
        { NULL, "labels", json_pack("[s]", "a"), BERT_ERR_FORMAT,
          "model/model.json: \"labels\" is no array of at least two words, or of none" },
        { NULL, "labels", json_pack("[s, i]", "a", 2), BERT_ERR_FORMAT, "model/model.json: label 1 is no text" },
        { NULL, "labels", json_pack("[s, s]", "a", "a"), BERT_ERR_ARGUMENT, "labels 0 and 1 are the same, \"a\"" },
        { NULL, "module_sha256", json_integer(1), BERT_ERR_FORMAT,
          "model/model.json: module_sha256 is a whole number, expected a string" },
        { "head", "type", json_string("lstm"), BERT_ERR_UNSUPPORTED,
          "model/model.json: head of type \"lstm\", expected \"dense\", \"dense-tanh-dense\" or \"cosine\"" },
        { "head", "outputs", json_integer(0), BERT_ERR_FORMAT,
          "model/model.json: outputs is 0, expected 1 to 1048576" },
        { "head", "type", json_string("dense-tanh-dense"), BERT_ERR_FORMAT, "model/model.json: hidden is missing" },
        { "head", "type", json_string("cosine"), BERT_ERR_FORMAT, "model/model.json: outputs is 3, expected 0 to 0" },
        { "head", "threshold", json_real(1.5), BERT_ERR_FORMAT, "model/model.json: threshold is 1.5, expected 0 to 1" },
        { "head", "label_min", json_string("low"), BERT_ERR_FORMAT,
          "model/model.json: label_min is a string, expected a number" },
        { "layer", "module", NULL, BERT_ERR_FORMAT, "model/model.json: layer: no \"module\"" },
        { "layer", "module", json_integer(5), BERT_ERR_FORMAT, "model/model.json: layer: \"module\" is no text" },
        { "layer", "outputs", json_true(), BERT_ERR_FORMAT, "model/model.json: layer: \"outputs\" is no text" },
        { "layer", "seq_len", json_integer(2), BERT_ERR_ARGUMENT, "seq_len 2: from 3 to the module's 16 positions" },
        { "layer", "seq_len", json_integer(17), BERT_ERR_ARGUMENT, "seq_len 17: from 3 to the module's 16 positions" },
        { "layer", "seq_len", json_null(), BERT_ERR_FORMAT,
          "model/model.json: layer: \"seq_len\" is neither text, number nor boolean" },
        { "layer", "pooling", json_string("median"), BERT_ERR_FORMAT,
          "model/model.json: layer: --pooling: \"median\" is not one of auto, none, cls, cls_raw, mean, sqrt_mean, "
          "max" },
        { "layer", "depth", json_integer(1), BERT_ERR_FORMAT, "model/model.json: layer: --depth: no such option" },
    };
    bert_model *m = toy_model(), *again;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_works(bert_model_save(m, scratch("model"), false, err));
        json_t *json = read_json(scratch("model/model.json")),
               *object = CASES[i].inner ? json_object_get(json, CASES[i].inner) : json;
        if (CASES[i].value)
            json_object_set_new(object, CASES[i].key, CASES[i].value);
        else
            json_object_del(object, CASES[i].key);
        assert_works(json_write_file(json, scratch("model/model.json"), err));
        json_decref(json);
        assert_fails(model_open_folder(scratch("model"), &again, err), CASES[i].code, CASES[i].message);
        assert_null(again);
    }
    assert_fails(bert_model_from_json("[]", NULL, &again, err), BERT_ERR_FORMAT,
                 "model JSON: is an array, expected a JSON object");
    assert_fails(bert_model_from_json("{", NULL, &again, err), BERT_ERR_FORMAT,
                 "model JSON: line 1, column 1: string or '}' expected near end of file");
    bert_model_free(m);
}

/* Fails, and leaves every weight as it was. */
static void assert_not_loaded(bert_model *m, const char *path, const char *message)
{
    size_t size = m->layer->n_tuned * sizeof(float);
    float *before = malloc(size);
    memcpy(before, m->layer->values, size);
    assert_fails(bert_model_load_weights(m, path, err), BERT_ERR_FORMAT, message);
    assert_memory_equal(before, m->layer->values, size);
    free(before);
}

static void weights_of_another_architecture_change_nothing(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    static const struct {
        int64_t tune, outputs;
        int pooling;
        const char *message;
    } CASES[] = {
        { 1, 3, BERT_POOLING_CLS,
          "weights: tensor encoder.layer.1.attention.self.query.weight is absent; are these the weights of another "
          "architecture?" },
        { 3, 3, BERT_POOLING_CLS,
          "weights: tensor encoder.layer.0.attention.output.LayerNorm.bias is not tuned in this architecture" },
        { 2, 3, BERT_POOLING_MEAN,
          "weights: tensor pooler.dense.weight is absent; are these the weights of another architecture?" },
        { 2, 2, BERT_POOLING_CLS, "weights: tensor classifier.weight has shape [2, 12], expected [3, 12]" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_layer_spec spec = spec_on(scratch("module"));
        spec.n_tune_layers = CASES[i].tune;
        spec.pooling = CASES[i].pooling;
        size_t outputs = (size_t)CASES[i].outputs;
        head_spec head = { .task = BERT_TASK_MULTICLASS, .outputs = outputs, .labels = LABELS, .n_labels = outputs };
        bert_model *other;
        assert_works(model_create(open_module(scratch("module")), &spec, &head, 1, &other, err));
        assert_works(bert_model_save_weights(other, scratch("weights"), err));
        assert_not_loaded(m, scratch("weights"), CASES[i].message);
        bert_model_free(other);
    }
    bert_model_free(m);
}

static void weights_of_another_type_change_nothing(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    arena a = { 0 };
    const weight_list *w = &m->layer->weights;
    tensor *items = arena_array(&a, w->n, sizeof *items);
    size_t n = weights_to_tensors(w, true, items);
    items[n - 1].type = DTYPE_BOOL; /* the bias of the head, the last that is read */
    assert_works(safetensors_write(scratch("weights"), items, n, NULL, err));
    for (size_t i = 0; i < m->layer->n_tuned; i++)
        m->layer->values[i] += 1;
    assert_not_loaded(m, scratch("weights"), "weights: tensor classifier.bias is of type BOOL, expected F32");
    arena_free(&a);
    bert_model_free(m);
}

static void a_training_checkpoint_gives_its_weights_and_nothing_else(void **state)
{
    (void)state;
    bert_model *m = toy_model();
    arena a = { 0 };
    const weight_list *w = &m->layer->weights;
    float more[3] = { 1, 2, 3 }, *before = arena_array(&a, m->layer->n_tuned, sizeof *before);
    tensor *items = arena_array(&a, w->n + 3, sizeof *items);
    size_t n = weights_to_tensors(w, true, items);
    static const char *const NAMES[] = { "optimizer.m.classifier.bias", "best.classifier.bias", "optimize" };
    for (size_t i = 0; i < 3; i++)
        items[n + i] = (tensor){ .name = NAMES[i], .type = DTYPE_F32, .rank = 1, .shape = { 3 }, .n = 3, .data = more };
    memcpy(before, m->layer->values, m->layer->n_tuned * sizeof *before);
    assert_works(safetensors_write(scratch("checkpoint"), items, n + 2, NULL, err));
    assert_works(safetensors_write(scratch("weights"), items, n + 3, NULL, err));
    for (size_t i = 0; i < m->layer->n_tuned; i++)
        m->layer->values[i] += 1;
    assert_not_loaded(m, scratch("weights"), "weights: tensor optimize is not tuned in this architecture");
    assert_works(bert_model_load_weights(m, scratch("checkpoint"), err));
    assert_memory_equal(m->layer->values, before, m->layer->n_tuned * sizeof *before);
    arena_free(&a);
    bert_model_free(m);
}

static void weights_alone_go_into_a_model_rebuilt_from_json(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *again;
    char *json;
    assert_works(bert_model_to_json(m, NULL, &json, err));
    assert_works(bert_model_save_weights(m, scratch("weights"), err));
    assert_works(bert_model_from_json(json, NULL, &again, err));
    assert_memory_not_equal(m->layer->values, again->layer->values, m->layer->n_tuned * sizeof(float));
    assert_works(bert_model_load_weights(again, scratch("weights"), err));
    assert_same_weights(m, again);
    bert_free(json);
    bert_model_free(m);
    bert_model_free(again);
}

static void a_folder_that_is_not_whole_is_refused(void **state)
{
    (void)state;
    bert_model *m = toy_model(), *again;
    assert_works(bert_model_save(m, scratch("model"), false, err));
    assert_int_equal(truncate(scratch("model/weights.safetensors"), 5000), 0);
    bert_err found;
    assert_int_equal(model_open_folder(scratch("model"), &again, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message, "model/weights.safetensors: tensor "));
    assert_null(again);
    assert_int_equal(unlink(scratch("model/weights.safetensors")), 0);
    assert_fails(model_open_folder(scratch("model"), &again, err), BERT_ERR_IO,
                 "model/weights.safetensors: cannot open: No such file or directory");
    assert_int_equal(unlink(scratch("model/model.json")), 0);
    assert_fails(model_open_folder(scratch("model"), &again, err), BERT_ERR_IO,
                 "model/model.json: cannot open: No such file or directory");
    bert_model_free(m);
}

/* A head reads the model's pooling, whatever the outputs name. */
static void a_head_has_its_layers_and_pooler_whatever_the_outputs_are(void **state)
{
    (void)state;
    bert_module_free(words_module(NULL, true));
    bert_layer_spec spec = spec_on(scratch("module"));
    spec.outputs = "layer_0";
    bert_model *m = model_on(scratch("module"), &spec);
    assert_int_equal(m->layer->weights.layers, 3);
    assert_non_null(weight_at(&m->layer->weights, POOLER_WEIGHT, 0));
    bert_model_free(m);
}

int main(void)
{
#define TEST(name) in_a_folder(name)
    const struct CMUnitTest tests[] = {
        TEST(an_architecture_goes_through_json_unchanged),
        TEST(the_module_path_is_relative_to_the_folder_or_as_given),
        TEST(an_address_is_kept_as_it_is),
        TEST(a_new_model_has_the_same_weights_for_the_same_seed),
        TEST(a_default_length_is_no_longer_than_the_module),
        TEST(a_hidden_head_has_two_layers_of_its_own),
        TEST(every_head_comes_back_from_its_folder),
        TEST(a_head_of_an_older_file_has_the_defaults),
        TEST(a_saved_model_comes_back_bit_for_bit),
        TEST(whenever_a_save_ends_one_whole_model_is_there),
        TEST(weights_that_the_description_was_not_written_with_are_refused),
        TEST(both_folders_may_move_together),
        TEST(a_module_that_was_moved_away_is_told),
        TEST(a_module_that_was_exchanged_is_told),
        TEST(a_copied_module_makes_the_folder_self_contained),
        TEST(another_module_with_the_same_weights_is_no_copy),
        TEST(a_place_that_cannot_be_written_is_told),
        TEST(a_model_without_a_head_is_no_folder),
        TEST(a_model_json_of_another_kind_is_refused),
        TEST(weights_of_another_architecture_change_nothing),
        TEST(weights_of_another_type_change_nothing),
        TEST(a_training_checkpoint_gives_its_weights_and_nothing_else),
        TEST(weights_alone_go_into_a_model_rebuilt_from_json),
        TEST(a_folder_that_is_not_whole_is_refused),
        TEST(a_head_has_its_layers_and_pooler_whatever_the_outputs_are),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
