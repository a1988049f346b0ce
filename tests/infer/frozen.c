/* Frozen files: bit for bit the model's predictions with nothing else at hand, nothing in them that prediction does not read, and every
 * damage an error. */
#include "toy_module.h"

#include "base/size.h"
#include "each_isa.h"
#include "infer/frozen.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { N = 40, SEQ_LEN = 20 };

typedef struct sample {
    bert_text texts[N], pairs[N];
} sample;

static sample random_sample(void)
{
    random_stream r = { 6, 95, 0 };
    sample s = { 0 };
    for (size_t i = 0; i < N; i++) {
        s.texts[i] = toy_text(&r, random_below(&r, SEQ_LEN + 3));
        s.pairs[i] = toy_text(&r, random_below(&r, 6));
    }
    return s;
}

/* Scores (N, 2) and vectors (N, H) of a model. */
typedef struct answers {
    float scores[N * 2], vectors[N * TOY_HIDDEN];
} answers;

static void ask(const bert_model *model, bool head, answers *a)
{
    bert_err err;
    sample s = random_sample();
    memset(a, 0, sizeof *a);
    bert_session *session = open_session(model, SEQ_LEN, BERT_POOLING_AUTO, false);
    if (head)
        check(bert_session_predict(session, s.texts, s.pairs, N, a->scores, NULL, &err), &err);
    check(bert_session_embed(session, s.texts, s.pairs, N, a->vectors, NULL, NULL, &err), &err);
    bert_session_free(session);
}

static bert_model *make_model(const char *module, int pooling, int64_t use_layers)
{
    bert_err err;
    bert_model *model;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.pooling = pooling;
    spec.use_layers = use_layers;
    spec.n_tune_layers = 1;
    spec.seq_len = SEQ_LEN;
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    check(bert_model_create(&spec, &head, 11, &model, &err), &err);
    size_t n;
    const bert_param *params = bert_layer_params(bert_model_layer(model), &n);
    for (size_t i = 0; i < n; i++) /* as if it had been trained: else the module alone would do */
        for (size_t k = 0; params[i].tuned && k < params[i].rows * params[i].cols; k++)
            params[i].tuned[k] *= 1.1f;
    return model;
}

/* A frozen file of pooling mean, and what it says. */
static const char *frozen_toy(void)
{
    bert_err err;
    const char *path = scratch("toy.bert");
    bert_model *model = make_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 0);
    check(bert_model_freeze(model, path, &err), &err);
    bert_model_free(model);
    return path;
}

/* ---- what a frozen file gives ---------------------------------------------------------------------------------------------- */

static void check_same_answers(int pooling, int64_t use_layers)
{
    bert_err err;
    answers before, from_folder, from_file;
    const char *module = toy_module("module", (toy){ .seq_layer = 2 }), *folder = scratch("model"), *path = scratch("model.bert");
    bert_model *model = make_model(module, pooling, use_layers);
    ask(model, true, &before);
    check(bert_model_save(model, folder, false, &err), &err);
    bert_model_free(model);
    model = load_model(folder);
    ask(model, true, &from_folder);
    check(bert_model_freeze(model, path, &err), &err);
    bert_model_free(model);
    folder_remove(folder, NULL);
    folder_remove(module, NULL);
    model = load_model(path);
    ask(model, true, &from_file);
    bert_model_free(model);
    assert_memory_equal(&before, &from_folder, sizeof before);
    assert_memory_equal(&before, &from_file, sizeof before);
}

static void a_frozen_file_alone_gives_the_bits_of_its_model_for_every_pooling(void **state)
{
    (void)state;
    for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MAX; pooling++)
        for (int64_t use_layers = 0; use_layers <= 2; use_layers++)
            check_same_answers(pooling, use_layers);
}

/* Whatever stands in the file for a head comes back: hidden layer, scale, threshold. */
static void every_task_keeps_its_head_in_the_file(void **state)
{
    (void)state;
    static const char *const TAGS[] = { "B-X", "O" };
    static const struct {
        bert_task id;
        int pooling;
        int64_t hidden;
    } CASES[] = { { BERT_TASK_BINARY, BERT_POOLING_CLS, 6 },     { BERT_TASK_MULTILABEL, BERT_POOLING_MEAN, 0 },
                  { BERT_TASK_REGRESSION, BERT_POOLING_MAX, 3 }, { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 0 },
                  { BERT_TASK_SIMILARITY, BERT_POOLING_CLS, 0 }, { BERT_TASK_TOKENS, BERT_POOLING_NONE, 5 } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        sample s = random_sample();
        bool tags = CASES[i].id == BERT_TASK_TOKENS, numbers = CASES[i].id == BERT_TASK_REGRESSION || CASES[i].id == BERT_TASK_SIMILARITY;
        bert_head_spec head = toy_head((int)CASES[i].id, tags ? TAGS : TOY_BINARY, numbers ? 0 : 2);
        for (size_t k = 0; k < N && CASES[i].id == BERT_TASK_SIMILARITY; k++) /* which needs a second text in each row */
            s.pairs[k] = s.pairs[k].size ? s.pairs[k] : text_of("a");
        head.head_hidden = CASES[i].hidden;
        head.label_min = -1.0 / 3;
        head.label_max = 5;
        bert_model *model = toy_model_of(toy_module("module", (toy){ 0 }), CASES[i].pooling, SEQ_LEN, &head), *frozen;
        if (model->threshold > 0)
            model->threshold = 0.123456789;
        check(bert_model_freeze(model, scratch("head.bert"), &err), &err);
        frozen = load_model(scratch("head.bert"));
        assert_int_equal(bert_model_task(frozen), CASES[i].id);
        assert_true(frozen->label_min == model->label_min && frozen->label_max == model->label_max && frozen->threshold == model->threshold);
        assert_int_equal(frozen->head_hidden, CASES[i].hidden);
        bert_session *a = open_session(model, 0, BERT_POOLING_AUTO, false), *b = open_session(frozen, 0, BERT_POOLING_AUTO, false);
        float before[2 * N], after[2 * N];
        const bert_entity *x, *y;
        size_t n, m;
        if (tags) {
            check(bert_session_entities(a, s.texts, N, &x, &n, NULL, &err), &err);
            check(bert_session_entities(b, s.texts, N, &y, &m, NULL, &err), &err);
            assert_true(n > 0);
            assert_int_equal(n, m);
            for (size_t k = 0; k < n; k++)
                assert_true(x[k].text == y[k].text && x[k].byte_start == y[k].byte_start && x[k].score == y[k].score);
        } else {
            check(bert_session_predict(a, s.texts, s.pairs, N, before, NULL, &err), &err);
            check(bert_session_predict(b, s.texts, s.pairs, N, after, NULL, &err), &err);
            assert_memory_equal(before, after, N * bert_session_outputs(a) * sizeof *before);
        }
        bert_session_free(a);
        bert_session_free(b);
        bert_model_free(model);
        bert_model_free(frozen);
    }
}

static void a_frozen_module_embeds_as_the_module(void **state)
{
    (void)state;
    bert_err err;
    answers before, after;
    const char *module = toy_module("module", (toy){ .no_pooler = true }), *path = scratch("module.bert");
    bert_model *model = load_model(module);
    ask(model, false, &before);
    check(bert_model_freeze(model, path, &err), &err);
    bert_model_free(model);
    folder_remove(module, NULL);
    model = load_model(path);
    ask(model, false, &after);
    assert_int_equal(bert_model_labels(model, NULL), 0);
    bert_model_free(model);
    assert_memory_equal(&before, &after, sizeof before);
}

/* A module whose sequence output is not its last layer: the file keeps the last for the pooler, and remembers which one is pooled. */
static void another_pooling_of_a_frozen_file_is_that_of_the_model(void **state)
{
    (void)state;
    bert_err err;
    float before[TOY_HIDDEN], after[TOY_HIDDEN];
    bert_text text = text_of("a b c d");
    bert_model *model = make_model(toy_module("module", (toy){ .seq_layer = 2 }), BERT_POOLING_CLS, 0);
    check(bert_model_freeze(model, scratch("cls.bert"), &err), &err);
    bert_session *session = open_session(model, 0, BERT_POOLING_MEAN, false);
    check(bert_session_embed(session, &text, NULL, 1, before, NULL, NULL, &err), &err);
    bert_session_free(session);
    bert_model_free(model);
    model = load_model(scratch("cls.bert"));
    session = open_session(model, 0, BERT_POOLING_MEAN, false);
    check(bert_session_embed(session, &text, NULL, 1, after, NULL, NULL, &err), &err);
    assert_memory_equal(before, after, sizeof before);
    bert_session_free(session);
    bert_model_free(model);
}

static void a_frozen_file_frozen_again_is_the_same_file(void **state)
{
    (void)state;
    bert_err err;
    file_mapping m;
    const char *path = frozen_toy(), *again = scratch("again.bert");
    bert_model *model = load_model(path);
    check(bert_model_freeze(model, again, &err), &err);
    check(bert_model_freeze(model, path, &err), &err); /* onto the very file that is mapped */
    bert_model_free(model);
    check(file_map(&m, path, &err), &err);
    assert_true(file_holds(again, (const char *)m.data, m.size));
    file_unmap(&m);
}

static void weights_stay_where_the_file_is_mapped(void **state)
{
    (void)state;
    bert_model *model = load_model(frozen_toy());
    const file_mapping *file = &model->module->tensors.files[0];
    const weight_list *w = &model->layer->weights;
    assert_int_equal(model->module->tensors.n_files, 1);
    for (size_t i = 0; i < w->n; i++) {
        const unsigned char *value = (const unsigned char *)w->items[i].value;
        if (value < file->data || value >= file->data + file->size)
            fail_msg("%s was copied", w->items[i].name);
    }
    bert_model_free(model);
}

/* ---- what is in it --------------------------------------------------------------------------------------------------------- */

static void check_holds(int pooling, int64_t use_layers, size_t layers, bool pooler)
{
    bert_err err;
    tensor_set set;
    json_t *metadata, *about;
    const char *path = scratch("model.bert");
    bert_model *model = make_model(toy_module("module", (toy){ 0 }), pooling, use_layers);
    check(bert_model_freeze(model, path, &err), &err);
    bert_model_free(model);
    check(safetensors_open(&set, path, &metadata, &err), &err);
    assert_int_equal(set.n, 5 + 16 * layers + (pooler ? 2 : 0) + 2);
    assert_non_null(tensors_find(&set, "embeddings.word_embeddings.weight"));
    assert_non_null(tensors_find(&set, layers == 3 ? "encoder.layer.2.output.dense.bias" : "encoder.layer.0.output.dense.bias"));
    assert_int_equal(tensors_find(&set, "pooler.dense.weight") != NULL, pooler);
    assert_non_null(tensors_find(&set, "classifier.weight"));
    check(json_read_bytes(&about, json_string_value(json_object_get(metadata, "libbert")),
                          json_string_length(json_object_get(metadata, "libbert")), "metadata", &err),
          &err);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(about, "config"), "num_hidden_layers")), layers);
    assert_true(json_real_value(json_object_get(json_object_get(about, "config"), "hidden_dropout_prob")) == 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(about, "labels"), 1)), "1");
    assert_string_equal(json_string_value(json_object_get(metadata, "vocabulary")), toy_vocabulary());
    json_decref(about);
    json_decref(metadata);
    tensors_close(&set);
}

static void the_file_holds_what_prediction_reads_and_no_more(void **state)
{
    (void)state;
    check_holds(BERT_POOLING_CLS, 0, 3, true);
    check_holds(BERT_POOLING_CLS, 1, 1, true);
    check_holds(BERT_POOLING_MEAN, 0, 3, false);
    check_holds(BERT_POOLING_MAX, 1, 1, false);
}

/* ---- damage ---------------------------------------------------------------------------------------------------------------- */

/* Opens and asks: whatever comes of it, it is an error that names the file, or numbers. */
static bool survives(const char *path)
{
    bert_err err = { 0 };
    bert_model *model;
    bert_session *session;
    bert_text text = text_of("a b c");
    float scores[64];
    bert_status s = bert_model_load(path, &model, &err);
    if (s) {
        if (!strstr(err.message, path))
            fail_msg("the message does not name the file: %s", err.message);
        assert_null(model);
        assert_int_equal(err.code, s);
        return false;
    }
    if (!bert_session_create(model, NULL, &session, &err)) {
        if (bert_model_labels(model, NULL) == 2)
            bert_session_predict(session, &text, NULL, 1, scores, NULL, &err);
        bert_session_free(session);
    }
    bert_model_free(model);
    return true;
}

/* The bytes of a frozen file, and where its data begins. */
static unsigned char *frozen_bytes(const char *path, size_t *n, size_t *header)
{
    bert_err err;
    file_mapping m;
    check(file_map(&m, path, &err), &err);
    unsigned char *bytes = (unsigned char *)arena_copy(&golden_memory, (const char *)m.data, m.size);
    *n = m.size;
    *header = 8 + (size_t)load_le64(m.data);
    file_unmap(&m);
    return bytes;
}

static void a_file_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    size_t n, header;
    const char *path = frozen_toy();
    frozen_bytes(path, &n, &header);
    for (size_t left = n - 1; left > 0; left -= left > header + 997 ? 997 : 1) {
        assert_int_equal(truncate(path, (off_t)left), 0);
        if (survives(path))
            fail_msg("cut to %zu of %zu it still opens", left, n);
    }
}

static void a_header_with_a_changed_byte_never_crashes(void **state)
{
    (void)state;
    static const unsigned char CHANGES[] = { 1, 0x80, 0x13 };
    size_t n, header, tried = 0, refused = 0;
    const char *path = frozen_toy();
    const unsigned char *bytes = frozen_bytes(path, &n, &header);
    omp_set_num_threads(1); /* thousands of tiny predictions: waiting for other threads would be most of it */
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (size_t i = 0; i < header; i += i < 64 ? 1 : 7, tried++) {
        unsigned char changed = bytes[i] ^ CHANGES[tried % 3];
        assert_int_equal(pwrite(file, &changed, 1, (off_t)i), 1);
        refused += !survives(path);
        assert_int_equal(pwrite(file, bytes + i, 1, (off_t)i), 1);
    }
    close(file);
    assert_true(refused > tried / 2); /* a letter of a label or of the vocabulary may be any other */
    assert_true(survives(path));
}

/* What a file says is changed: "libbert" is about's key `key` (with a dot: of an object in it) set to a JSON value, or removed for NULL. */
static void rewrite(const char *path, const char *to, const char *key, const char *value)
{
    bert_err err;
    tensor_set set;
    json_t *metadata, *about;
    check(safetensors_open(&set, path, &metadata, &err), &err);
    const char *text = json_string_value(json_object_get(metadata, "libbert")), *dot = strchr(key, '.');
    check(json_read_bytes(&about, text, strlen(text), "metadata", &err), &err);
    json_t *object = about;
    if (dot) {
        object = json_object_get(about, arena_copy(&golden_memory, key, (size_t)(dot - key)));
        key = dot + 1;
    }
    if (value)
        json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        assert_int_equal(json_object_del(object, key), 0);
    char *changed = json_dumps(about, JSON_COMPACT);
    json_object_set_new(metadata, "libbert", json_string(changed));
    check(safetensors_write(to, set.items, set.n, metadata, &err), &err);
    free(changed);
    json_decref(about);
    json_decref(metadata);
    tensors_close(&set);
}

static void a_file_that_says_something_else_is_refused_in_clear_words(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        bert_status code;
        const char *words; /* behind the path */
    } CASES[] = {
        { "version", "2", BERT_ERR_UNSUPPORTED, "format version 2, this libbert (0.1.0) reads up to 1; use a newer one" },
        { "version", NULL, BERT_ERR_FORMAT, "version is missing" },
        { "format", "\"other\"", BERT_ERR_FORMAT, "format is \"other\", expected \"libbert.frozen\"" },
        { "layer", NULL, BERT_ERR_FORMAT, "layer is missing" },
        { "layer.seq_len", "49", BERT_ERR_ARGUMENT, "seq_len 49: the module has 48 positions" },
        { "layer.pooling", "\"cls\"", BERT_ERR_FORMAT, "pooling cls, but no pooler" },
        { "layer.colour", "\"red\"", BERT_ERR_FORMAT, "layer: --colour: no such option" },
        { "config.num_hidden_layers", "4", BERT_ERR_FORMAT, "tensor encoder.layer.3.attention.self.query.weight is absent" },
        { "config.num_attention_heads", "7", BERT_ERR_FORMAT, "hidden_size 40 is no multiple of num_attention_heads 7" },
        { "config.intermediate_size", "73", BERT_ERR_FORMAT,
          "tensor encoder.layer.0.intermediate.dense.weight has shape [72, 40], expected [73, 40]" },
        { "labels", "[\"0\", \"0\"]", BERT_ERR_ARGUMENT, "labels 0 and 1 are the same, \"0\"" },
        { "labels", "[\"0\"]", BERT_ERR_FORMAT, "\"labels\" is no array of at least two words, or of none" },
        { "head.outputs", "2", BERT_ERR_FORMAT, "tensor classifier.weight has shape [1, 40], expected [2, 40]" },
    };
    const char *path = frozen_toy(), *other = scratch("other.bert");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_model *model;
        char words[512];
        rewrite(path, other, CASES[i].key, CASES[i].value);
        snprintf(words, sizeof words, "%s: %s", other, CASES[i].words);
        assert_fails(bert_model_load(other, &model, err), CASES[i].code, words);
        assert_null(model);
    }
}

/* As libbert wrote heads before they had hidden layers, scales and thresholds. */
static void a_head_of_an_older_file_has_the_defaults(void **state)
{
    (void)state;
    answers before, after;
    const char *path = frozen_toy(), *other = scratch("other.bert");
    bert_model *model = load_model(path);
    ask(model, true, &before);
    bert_model_free(model);
    rewrite(path, other, "head", "{\"type\": \"dense\", \"outputs\": 1}");
    model = load_model(other);
    ask(model, true, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(bert_model_threshold(model) == 0.5);
    bert_model_free(model);
}

static void a_task_that_does_not_fit_is_refused_by_the_session(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        bert_status code;
        const char *words;
    } CASES[] = {
        { "task", "\"sorting\"", BERT_ERR_UNSUPPORTED, "task \"sorting\" is not one that this libbert (0.1.0) knows" },
        { "task", "\"multiclass\"", BERT_ERR_FORMAT, "task multiclass with 2 labels has 2 outputs, the model's head has 1" },
        { "labels", "[\"0\", \"1\", \"2\"]", BERT_ERR_FORMAT,
          "the model: task binary: the labels are 3 (0, 1, ...), expected two, the second one the positive" },
        { "labels", "[]", BERT_ERR_FORMAT, "the model: task binary: the labels are 0 (none), expected two, the second one the positive" },
        { "layer.pooling", "\"none\"", BERT_ERR_ARGUMENT, "pooling none gives a vector a token; task binary needs one a text" },
        { "task", "\"regression\"", BERT_ERR_FORMAT, "the model: the labels are numbers, and the model names words (0, ...)" },
    };
    const char *path = frozen_toy(), *other = scratch("other.bert");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_session *session;
        rewrite(path, other, CASES[i].key, CASES[i].value);
        bert_model *model = load_model(other);
        assert_fails(bert_session_create(model, NULL, &session, err), CASES[i].code, CASES[i].words);
        bert_model_free(model);
    }
}

static void safetensors_that_are_no_frozen_model_are_refused(void **state)
{
    (void)state;
    bert_err e;
    bert_model *model;
    char words[512];
    const char *module = toy_module("module", (toy){ 0 });
    char *weights = path_join(&golden_memory, module, "model.safetensors");
    snprintf(words, sizeof words, "%s: a safetensors file, but no frozen model (its metadata lacks \"libbert\" or \"vocabulary\")", weights);
    assert_fails(bert_model_load(weights, &model, err), BERT_ERR_FORMAT, words);
    assert_false(frozen_is(weights));
    assert_false(frozen_is(module));
    assert_true(frozen_is(frozen_toy()));
    check(file_write_whole(scratch("text"), "just a text, not a model", 24, &e), &e);
    assert_false(frozen_is(scratch("text")));
    assert_false(survives(scratch("text")));
}

/* ---- freezing that fails --------------------------------------------------------------------------------------------------- */

static void check_vocabulary_refused(const char *module, size_t at, char byte, const char *what)
{
    bert_err e;
    file_mapping m;
    bert_model *model;
    char words[512], *vocabulary = path_join(&golden_memory, module, "vocab.txt");
    check(file_map(&m, vocabulary, &e), &e);
    char *bytes = arena_copy(&golden_memory, (const char *)m.data, m.size);
    bytes[at] = byte;
    check(file_write_whole(vocabulary, bytes, m.size, &e), &e);
    file_unmap(&m);
    model = load_model(module);
    snprintf(words, sizeof words, "%s: %s", module, what);
    assert_fails(bert_model_freeze(model, scratch("out.bert"), err), BERT_ERR_FORMAT, words);
    assert_false(file_exists(scratch("out.bert")));
    bert_model_free(model);
}

static void a_vocabulary_that_no_file_can_hold_is_refused(void **state)
{
    (void)state;
    check_vocabulary_refused(toy_module("module", (toy){ 0 }), strlen(toy_vocabulary()) - 2, (char)0xff, "the vocabulary is not UTF-8");
    check_vocabulary_refused(toy_module("module", (toy){ 0 }), strlen(toy_vocabulary()) - 2, 0, "the vocabulary holds a NUL");
}

static void a_folder_is_no_place_for_a_frozen_file(void **state)
{
    (void)state;
    char words[512];
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = load_model(module);
    snprintf(words, sizeof words, "%s: is a folder, expected the name of a file", module);
    assert_fails(bert_model_freeze(model, module, err), BERT_ERR_IO, words);
    char *under = path_join(&golden_memory, module, "vocab.txt/out.bert");
    snprintf(words, sizeof words, "%s: cannot write: Not a directory", under);
    assert_fails(bert_model_freeze(model, under, err), BERT_ERR_IO, words);
    bert_model_free(model);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    bert_err e;
    file_mapping m;
    const char *path = frozen_toy();
    char words[512];
    check(file_map(&m, path, &e), &e);
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bert_err err = { 0 };
    bert_status s = bert_model_freeze(model, path, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    snprintf(words, sizeof words, "%s: cannot write: File too large", path);
    assert_int_equal(s, BERT_ERR_IO);
    assert_string_equal(err.message, words);
    assert_true(file_holds(path, (const char *)m.data, m.size));
    assert_int_equal(folder_remove(path_join(&golden_memory, scratch_folder, "module"), NULL), 0);
    unlink(path);
    assert_int_equal(rmdir(scratch_folder), 0); /* no half-written file beside it */
    file_unmap(&m);
    bert_model_free(model);
    assert_int_equal(mkdir(scratch_folder, 0700), 0);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_frozen_file_alone_gives_the_bits_of_its_model_for_every_pooling),
        in_a_folder(every_task_keeps_its_head_in_the_file),
        in_a_folder(a_frozen_module_embeds_as_the_module),
        in_a_folder(another_pooling_of_a_frozen_file_is_that_of_the_model),
        in_a_folder(a_frozen_file_frozen_again_is_the_same_file),
        in_a_folder(weights_stay_where_the_file_is_mapped),
        in_a_folder(the_file_holds_what_prediction_reads_and_no_more),
        in_a_folder(a_file_that_is_cut_anywhere_is_refused),
        in_a_folder(a_header_with_a_changed_byte_never_crashes),
        in_a_folder(a_file_that_says_something_else_is_refused_in_clear_words),
        in_a_folder(a_head_of_an_older_file_has_the_defaults),
        in_a_folder(a_task_that_does_not_fit_is_refused_by_the_session),
        in_a_folder(safetensors_that_are_no_frozen_model_are_refused),
        in_a_folder(a_vocabulary_that_no_file_can_hold_is_refused),
        in_a_folder(a_folder_is_no_place_for_a_frozen_file),
        in_a_folder(a_full_disk_leaves_the_old_file),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
