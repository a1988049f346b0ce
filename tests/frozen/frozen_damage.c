/* Damage to frozen files: cut, flipped, of another version or shape, each an error in clear words, or numbers; never a
 * crash. */
#include "frozen/toy_frozen.h"

#include "each_isa.h"

#include <fcntl.h>

/* ---- bytes that change ------------------------------------------------------------------------------------------- */

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
    const char *path = frozen_toy(INT8);
    frozen_bytes(path, &n, &header);
    for (size_t left = n - 1; left > 0; left -= left > header + 97 ? 97 : 1) {
        assert_int_equal(truncate(path, (off_t)left), 0);
        if (survives(path))
            fail_msg("cut to %zu of %zu it still opens", left, n);
        assert_int_not_equal(bert_verify(path, NULL), BERT_OK);
    }
}

/* One bit of a byte of the file is another while `with` looks at it. */
static void with_flip(int file, const unsigned char *bytes, size_t i, int bit, void (*with)(const char *path, size_t i),
                      const char *path)
{
    unsigned char changed = bytes[i] ^ (unsigned char)(1 << bit);
    assert_int_equal(pwrite(file, &changed, 1, (off_t)i), 1);
    with(path, i);
    assert_int_equal(pwrite(file, bytes + i, 1, (off_t)i), 1);
}

static void is_refused(const char *path, size_t i)
{
    if (survives(path) || !bert_verify(path, NULL))
        fail_msg("with another byte %zu of the header it still opens", i);
}

static void a_header_with_any_other_byte_is_refused(void **state)
{
    (void)state;
    size_t n, header;
    const char *path = frozen_toy(INT8);
    const unsigned char *bytes = frozen_bytes(path, &n, &header);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (size_t i = 0; i < header; i++)
        for (int bit = i < 128 ? 0 : (int)(i % 8); bit < 8; bit += i < 128 ? 1 : 8)
            with_flip(file, bytes, i, bit, is_refused, path);
    close(file);
    assert_true(survives(path));
    assert_int_equal(bert_verify(path, NULL), BERT_OK);
}

static void fails_to_verify(const char *path, size_t i)
{
    bert_err err = { 0 };
    survives(path);
    if (bert_verify(path, &err) != BERT_ERR_FORMAT || !strstr(err.message, ": the data is damaged (its SHA-256 is "))
        fail_msg("another byte %zu of the data: %s", i, err.message);
}

static void data_with_any_other_byte_does_not_verify(void **state)
{
    (void)state;
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        size_t n, header;
        const char *path = frozen_toy(precision);
        const unsigned char *bytes = frozen_bytes(path, &n, &header);
        int file = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(file >= 0);
        threads_allow(1); /* hundreds of tiny predictions: waiting for other threads would be most of it */
        for (size_t i = header; i < n; i += 487)
            with_flip(file, bytes, i, (int)(i % 8), fails_to_verify, path);
        for (size_t i = n - 64; i < n; i++) /* the vocabulary's end */
            with_flip(file, bytes, i, (int)(i % 8), fails_to_verify, path);
        close(file);
    }
}

static void verifying_says_what_is_wrong(void **state)
{
    (void)state;
    const char *path = frozen_toy(FP32), *other = scratch("other.bert"),
               *hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char words[512], found[13] = { 0 };
    opened o = open_parts(path);
    memcpy(found, json_string_value(json_object_get(o.metadata, "data_sha256")), 12);
    json_object_set_new(o.metadata, "data_sha256", json_string(hash));
    write_parts(&o, other);
    assert_true(survives(other));
    snprintf(words, sizeof words,
             "other.bert: the data is damaged (its SHA-256 is %s..., the file says 0123456789ab...)", found);
    assert_fails(bert_verify(other, err), BERT_ERR_FORMAT, words);
    assert_fails(bert_verify(scratch("nothing"), err), BERT_ERR_IO, "nothing: cannot open: No such file or directory");
    scratch_text("text", "just a text, not a model");
    snprintf(words, sizeof words,
             "not a frozen model, or a damaged one: %s: header of 8367794899674953066 bytes at byte 0, the file has 24 "
             "and a header at most "
             "100000000",
             scratch("text"));
    assert_fails(bert_verify(scratch("text"), err), BERT_ERR_FORMAT, words);
}

/* ---- files that say something else ------------------------------------------------------------------------------- */

static void a_file_that_says_something_else_is_refused_in_clear_words(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        bert_status code;
        const char *words; /* behind the path */
    } CASES[] = {
        { "version", "4", BERT_ERR_UNSUPPORTED,
          "format version 4, this libbert (0.1.0) reads up to 3; use a newer one" },
        { "version", NULL, BERT_ERR_FORMAT, "version is missing" },
        { "format", "\"other\"", BERT_ERR_FORMAT, "format is \"other\", expected \"libbert.frozen\"" },
        { "endian", "\"big\"", BERT_ERR_UNSUPPORTED, "its numbers are \"big\" endian, this machine's are little" },
        { "endian", NULL, BERT_ERR_FORMAT, "endian is missing" },
        { "precision", "\"int4\"", BERT_ERR_UNSUPPORTED,
          "precision \"int4\" is not one that this libbert (0.1.0) knows" },
        { "precision", "\"bf16\"", BERT_ERR_FORMAT,
          "tensor embeddings.word_embeddings.weight is F32 [57, 40], expected BF16 [57, 40]" },
        { "layer", NULL, BERT_ERR_FORMAT, "layer is missing" },
        { "layer.seq_len", "49", BERT_ERR_ARGUMENT, "seq_len 49: from 3 to the module's 48 positions" },
        { "layer.pooling", "\"cls\"", BERT_ERR_FORMAT, "pooling cls, but no pooler" },
        { "layer.colour", "\"red\"", BERT_ERR_FORMAT, "layer: --colour: no such option" },
        { "config.num_hidden_layers", "4", BERT_ERR_FORMAT,
          "tensor encoder.layer.2.attention.self.query_key_value.weight is absent" },
        { "config.num_hidden_layers", "2", BERT_ERR_FORMAT, "seq_layer is 2, expected 0 to 1" },
        { "config.num_attention_heads", "7", BERT_ERR_FORMAT,
          "hidden_size 40 is no multiple of num_attention_heads 7" },
        { "config.intermediate_size", "97", BERT_ERR_FORMAT,
          "tensor encoder.layer.0.intermediate.dense.weight is F32 [3, 40, 32], expected F32 [4, 40, 32]" },
        { "config.max_position_embeddings", "47", BERT_ERR_FORMAT,
          "tensor embeddings.position_embeddings.weight is F32 [48, 40], expected F32 [47, 40]" },
        { "config.vocab_size", "58", BERT_ERR_FORMAT,
          "tensor embeddings.word_embeddings.weight is F32 [57, 40], expected F32 [58, 40]" },
        { "labels", "[\"0\", \"0\"]", BERT_ERR_ARGUMENT, "labels 0 and 1 are the same, \"0\"" },
        { "labels", "[\"0\"]", BERT_ERR_FORMAT, "\"labels\" is no array of at least two words, or of none" },
        { "head.outputs", "2", BERT_ERR_FORMAT, "tensor classifier.weight has shape [1, 40], expected [2, 40]" },
    };
    const char *path = frozen_toy(FP32), *other = scratch("other.bert");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_model *model;
        char words[512];
        rewrite(path, other, CASES[i].key, CASES[i].value);
        snprintf(words, sizeof words, "%s: %s", other, CASES[i].words);
        assert_fails(bert_model_load(other, &model, err), CASES[i].code, words);
        assert_null(model);
    }
}

/* What may be wrong with a tensor. */
typedef enum tensor_change { ABSENT, FLAT, UNSIGNED, SHORTER, EMPTY } tensor_change;

static void change_tensor(opened *o, const char *name, tensor_change change)
{
    size_t i = 0;
    while (strcmp(o->items[i].name, name))
        i++;
    tensor *t = &o->items[i];
    switch (change) {
    case ABSENT:
        memmove(t, t + 1, (--o->n - i) * sizeof *t);
        break;
    case FLAT:
        t->rank = 1;
        t->shape[0] = (int64_t)t->n;
        break;
    case UNSIGNED:
        t->type = DTYPE_U8;
        t->rank = 1;
        t->shape[0] = (int64_t)(t->n *= dtype_size(DTYPE_F32));
        break;
    case SHORTER:
        t->shape[0]--;
        t->n -= t->n / (size_t)(t->shape[0] + 1);
        break;
    case EMPTY:
        t->shape[0] = 0;
        t->n = 0;
        break;
    }
}

static void tensors_of_another_form_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tensor_change change;
        const char *words;
    } CASES[] = {
        { "encoder.layer.0.attention.self.query_key_value.weight", ABSENT,
          "tensor encoder.layer.0.attention.self.query_key_value.weight is absent" },
        { "encoder.layer.0.attention.self.query_key_value.weight", FLAT,
          "tensor encoder.layer.0.attention.self.query_key_value.weight is I8 [5120], expected I8 [4, 10, 32, 4]" },
        { "encoder.layer.0.attention.self.query_key_value.weight", SHORTER,
          "tensor encoder.layer.0.attention.self.query_key_value.weight is I8 [3, 10, 32, 4], expected I8 [4, 10, 32, "
          "4]" },
        { "encoder.layer.0.attention.self.query_key_value.weight", EMPTY,
          "tensor encoder.layer.0.attention.self.query_key_value.weight is I8 [0, 10, 32, 4], expected I8 [4, 10, 32, "
          "4]" },
        { "encoder.layer.1.output.dense.weight.scale", ABSENT,
          "tensor encoder.layer.1.output.dense.weight.scale is absent" },
        { "encoder.layer.1.output.dense.weight.scale", SHORTER,
          "tensor encoder.layer.1.output.dense.weight.scale is F32 [63], expected F32 [64]" },
        { "encoder.layer.1.output.dense.weight.sums", ABSENT,
          "tensor encoder.layer.1.output.dense.weight.sums is absent" },
        { "encoder.layer.1.output.dense.weight.sums", SHORTER,
          "tensor encoder.layer.1.output.dense.weight.sums is I32 [63], expected I32 [64]" },
        { "encoder.layer.1.output.dense.weight.sums", UNSIGNED,
          "tensor encoder.layer.1.output.dense.weight.sums is U8 [256], expected I32 [64]" },
        { "embeddings.word_embeddings.weight", SHORTER,
          "tensor embeddings.word_embeddings.weight is I8 [56, 40], expected I8 [57, 40]" },
        { "embeddings.position_embeddings.weight.scale", ABSENT,
          "tensor embeddings.position_embeddings.weight.scale is absent" },
        { "encoder.layer.1.output.dense.bias", ABSENT, "tensor encoder.layer.1.output.dense.bias is absent" },
        { "encoder.layer.1.output.dense.bias", SHORTER,
          "tensor encoder.layer.1.output.dense.bias has shape [39], expected [40]" },
        { "encoder.layer.2.attention.self.key_value.weight", ABSENT,
          "tensor encoder.layer.2.attention.self.key_value.weight is absent" },
        { "classifier.weight", ABSENT, "tensor classifier.weight is absent" },
        { "vocabulary", ABSENT, "there is no vocabulary of type U8" },
        { "vocabulary", EMPTY, "vocabulary: empty; a vocabulary has one token a line" },
        { FROZEN_TRIE, FLAT, "vocabulary.trie is no trie: I32 [nodes, 3] at a multiple of 4 bytes" },
        { FROZEN_TRIE, UNSIGNED, "vocabulary.trie is no trie: I32 [nodes, 3] at a multiple of 4 bytes" },
        { FROZEN_TRIE, SHORTER, "vocabulary: its trie of 639 nodes is damaged" },
        { FROZEN_TRIE, EMPTY, "vocabulary: its trie of 0 nodes is damaged" },
    };
    const char *path = frozen_toy(INT8), *other = scratch("other.bert");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_model *model;
        char words[512];
        opened o = open_parts(path);
        change_tensor(&o, CASES[i].name, CASES[i].change);
        write_parts(&o, other);
        snprintf(words, sizeof words, "%s: %s", other, CASES[i].words);
        assert_fails(bert_model_load(other, &model, err), BERT_ERR_FORMAT, words);
        assert_null(model);
    }
}

/* The trie of older files is built as they are opened. */
static void a_file_without_a_trie_answers_the_same(void **state)
{
    (void)state;
    const char *path = frozen_toy(INT8), *other = scratch("other.bert");
    opened o = open_parts(path);
    change_tensor(&o, FROZEN_TRIE, ABSENT);
    write_parts(&o, other);
    answers with, without;
    bert_model *model = load_model(path), *old = load_model(other);
    ask(model, true, &with);
    ask(old, true, &without);
    assert_memory_equal(&with, &without, sizeof with);
    bert_model_free(model);
    bert_model_free(old);
}

/* Panels are read by instructions that want them aligned. */
static void tensors_at_odd_places_are_refused(void **state)
{
    (void)state;
    bert_model *model;
    float number = 0;
    const char *path = frozen_toy(INT8), *other = scratch("other.bert");
    opened o = open_parts(path);
    memmove(o.items + 1, o.items, o.n++ * sizeof *o.items);
    o.items[0] = (tensor){ .name = "a number", .type = DTYPE_F32, .rank = 1, .shape = { 1 }, .n = 1, .data = &number };
    write_parts(&o, other);
    assert_fails(bert_model_load(other, &model, err), BERT_ERR_FORMAT,
                 "other.bert: tensor encoder.layer.0.attention.self.query_key_value.weight does not begin at a "
                 "multiple of 64 bytes");
}

/* The header of a file with one word in place of another, its CRC made right. */
static void edit_header(const char *path, const char *to, const char *word, const char *with)
{
    bert_err err;
    size_t n, header;
    buffer b = { 0 };
    const char *bytes = (const char *)frozen_bytes(path, &n, &header), *at = memmem(bytes, header, word, strlen(word));
    assert_non_null(at);
    buffer_add(&b, bytes, (size_t)(at - bytes));
    buffer_string(&b, with);
    buffer_add(&b, at + strlen(word), header - (size_t)(at - bytes) - strlen(word));
    while (b.size % 64)
        buffer_char(&b, ' ');
    uint64_t size = b.size - 8;
    memcpy(b.data, &size, sizeof size);
    assert_true(frozen_seal(&b));
    buffer_add(&b, bytes + header, n - header);
    check(file_write_whole(to, b.data, b.size, &err), &err);
    buffer_free(&b);
}

static void huge_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const SHAPES[] = { "[9223372036854775807,10,32,4]",
                                          "[4611686018427387904,4611686018427387904,32,4]", "[-4,10,32,4]",
                                          "[4,10,32,4,1,1,1,1,1]", "[4,10,32,99999999999999999999999]" };
    const char *path = frozen_toy(INT8), *other = scratch("other.bert");
    edit_header(path, other, "[4,10,32,4]", "[4,10,32,4]");
    assert_true(survives(other));
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        edit_header(path, other, "[4,10,32,4]", SHAPES[i]);
        assert_false(survives(other));
    }
    edit_header(path, other, "\\\"vocab_size\\\":57", "\\\"vocab_size\\\":16777216");
    assert_false(survives(other));
    edit_header(path, other, "\\\"hidden_size\\\":40", "\\\"hidden_size\\\":65535");
    assert_false(survives(other));
}

/* As libbert wrote heads before they had hidden layers, scales and thresholds. */
static void a_head_without_hidden_layer_scale_and_threshold_has_the_defaults(void **state)
{
    (void)state;
    answers before, after;
    const char *path = frozen_toy(FP32), *other = scratch("other.bert");
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
        { "task", "\"multiclass\"", BERT_ERR_FORMAT,
          "task multiclass with 2 labels has 2 outputs, the model's head has 1" },
        { "labels", "[\"0\", \"1\", \"2\"]", BERT_ERR_FORMAT,
          "the model: task binary: the labels are 3 (0, 1, ...), expected two, the second one the positive" },
        { "labels", "[]", BERT_ERR_FORMAT,
          "the model: task binary: the labels are 0 (none), expected two, the second one the positive" },
        { "layer.pooling", "\"none\"", BERT_ERR_ARGUMENT,
          "pooling none gives a vector a token; task binary needs one a text" },
        { "task", "\"regression\"", BERT_ERR_FORMAT,
          "the model: the labels are numbers, and the model names words (0, ...)" },
    };
    const char *path = frozen_toy(FP32), *other = scratch("other.bert");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_session *session;
        rewrite(path, other, CASES[i].key, CASES[i].value);
        bert_model *model = load_model(other);
        assert_fails(bert_session_create(model, NULL, &session, err), CASES[i].code, CASES[i].words);
        bert_model_free(model);
    }
}

static void what_is_no_frozen_model_is_refused(void **state)
{
    (void)state;
    bert_model *model;
    const char *module = toy_module("module", (toy){ 0 });
    char words[512], *weights = path_join(&golden_memory, module, "model.safetensors");
    snprintf(words, sizeof words, "%s: a safetensors file, but no frozen model", weights);
    assert_fails(bert_model_load(weights, &model, err), BERT_ERR_FORMAT, words);
    assert_fails(bert_verify(weights, err), BERT_ERR_FORMAT, words);
    assert_false(frozen_is(weights));
    assert_false(frozen_is(module));
    assert_true(frozen_is(frozen_toy(FP32)));
    scratch_text("text", "just a text, not a model");
    assert_false(frozen_is(scratch("text")));
    assert_false(survives(scratch("text")));
    assert_false(frozen_is(scratch("nothing")));
}

static void a_file_of_the_first_format_is_to_be_made_again(void **state)
{
    (void)state;
    bert_model *model;
    bert_err e;
    json_t *metadata = json_pack("{s:s, s:s, s:s}", "format", "pt", "libbert",
                                 "{\"format\": \"libbert.frozen\", \"version\": 1}", "vocabulary", "a");
    check(safetensors_write(scratch("old.bert"), NULL, 0, metadata, &e), &e);
    json_decref(metadata);
    assert_fails(bert_model_load(scratch("old.bert"), &model, err), BERT_ERR_UNSUPPORTED,
                 "old.bert: frozen by an older libbert, in format version 1; freeze the model again");
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_file_that_is_cut_anywhere_is_refused),
        in_a_folder(a_header_with_any_other_byte_is_refused),
        in_a_folder(data_with_any_other_byte_does_not_verify),
        in_a_folder(verifying_says_what_is_wrong),
        in_a_folder(a_file_that_says_something_else_is_refused_in_clear_words),
        in_a_folder(tensors_of_another_form_are_refused),
        in_a_folder(a_file_without_a_trie_answers_the_same),
        in_a_folder(tensors_at_odd_places_are_refused),
        in_a_folder(huge_shapes_are_refused),
        in_a_folder(a_head_without_hidden_layer_scale_and_threshold_has_the_defaults),
        in_a_folder(a_task_that_does_not_fit_is_refused_by_the_session),
        in_a_folder(what_is_no_frozen_model_is_refused),
        in_a_folder(a_file_of_the_first_format_is_to_be_made_again),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
