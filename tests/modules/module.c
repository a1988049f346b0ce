/* Modules: every form of a checkpoint gives the same one, what the folder holds, and what is refused. */
#include "toy_module.h"

#include "base/buffer.h"
#include "base/sha.h"
#include "layers/layer.h"
#include "models/model.h"
#include "modules/tokenizer_info.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- what a test says -------------------------------------------------------------------------------------------- */

static void assert_same_weights(const weight_list *a, const weight_list *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->items[i].name, b->items[i].name);
        assert_int_equal(weight_size(&a->items[i]), weight_size(&b->items[i]));
        assert_memory_equal(a->items[i].value, b->items[i].value, weight_size(&a->items[i]) * sizeof(float));
    }
}

static void assert_same_config(const config *a, const config *b)
{
    json_t *x = config_to_json(a), *y = config_to_json(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
}

static void assert_same_module(const bert_module *a, const bert_module *b)
{
    assert_same_weights(&a->weights, &b->weights);
    assert_same_config(&a->config, &b->config);
    assert_int_equal(a->vocabulary_size, b->vocabulary_size);
    assert_memory_equal(a->vocabulary, b->vocabulary, a->vocabulary_size);
    json_t *rules = tokenizer_to_json(a->tokenizer);
    json_t *others = tokenizer_to_json(b->tokenizer);
    assert_true(json_equal(rules, others));
    json_decref(rules);
    json_decref(others);
    assert_int_equal(a->seq_layer, b->seq_layer);
    assert_int_equal(a->tok_layer, b->tok_layer);
}

/* Imports and opens. */
static bert_module *import_from(const char *source)
{
    assert_works(module_import(source, scratch("imported"), NULL, NULL, err));
    return open_module(scratch("imported"));
}

static json_t *read_json(const char *path)
{
    json_t *json = NULL;
    assert_works(json_read_file(&json, path, err));
    return json;
}

static const json_t *at(const json_t *json, const char *key)
{
    json_t *value = json_object_get(json, key);
    assert_non_null(value);
    return value;
}

static void assert_file_holds(const char *path, const char *text)
{
    file_mapping m;
    assert_works(file_map(&m, path, err));
    assert_int_equal(m.size, strlen(text));
    assert_memory_equal(m.data, text, m.size);
    file_unmap(&m);
}

/* ---- forms of a checkpoint --------------------------------------------------------------------------------------- */

/* A tensor more than the model has. */
static const float SPARE[144];

static tensor spare_tensor(const char *name)
{
    return (tensor){ .name = name, .type = DTYPE_F32, .rank = 2, .shape = { 12, 12 }, .n = 144, .data = SPARE };
}

/* How a checkpoint may name and store the toy's tensors. */
typedef struct naming {
    const char *prefix;
    bool old_norms; /* gamma and beta */
    dtype type;     /* F32, F16, BF16 */
    const char *extra[4];
} naming;

static const char *renamed(arena *a, const naming *n, const char *name)
{
    const char *norm = strstr(name, "LayerNorm.");
    if (!n->old_norms || !norm)
        return arena_printf(a, "%s%s", n->prefix, name);
    return arena_printf(a, "%s%.*sLayerNorm.%s", n->prefix, (int)(norm - name), name,
                        path_ends(name, "weight") ? "gamma" : "beta");
}

/* The toy's weights are multiples of 1/64 below 2: seven bits of fraction at most, so both halves hold them. */
static const void *converted(arena *a, const float *x, size_t n, dtype type)
{
    uint16_t *half = arena_array(a, n, sizeof *half);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        uint32_t exponent = bits >> 23 & 255;
        if (type == DTYPE_BF16)
            half[i] = (uint16_t)(bits >> 16);
        else
            half[i] = exponent ? (uint16_t)((bits >> 16 & 0x8000u) | ((exponent - 112) << 10) | (bits >> 13 & 0x3ff))
                               : 0;
    }
    return half;
}

static size_t named_tensors(arena *a, const weight_list *w, const naming *n, tensor *items)
{
    size_t count = weights_to_tensors(w, false, items);
    for (size_t i = 0; i < count; i++) {
        items[i].name = renamed(a, n, items[i].name);
        if (n->type != DTYPE_F32) {
            items[i].data = converted(a, items[i].data, items[i].n, n->type);
            items[i].type = n->type;
        }
    }
    for (int i = 0; i < 4 && n->extra[i]; i++)
        items[count++] = spare_tensor(n->extra[i]);
    return count;
}

static void every_naming_and_type_gives_the_same_module(void **state)
{
    (void)state;
    static const naming NAMINGS[] = {
        { "", false, DTYPE_F16, { NULL } },
        { "", false, DTYPE_BF16, { NULL } },
        { "", true, DTYPE_F32, { "embeddings.position_ids" } },
        { "bert.", false, DTYPE_F32, { "classifier.weight", "classifier.bias" } },
        { "bert.",
          true,
          DTYPE_F16,
          { "cls.predictions.transform.dense.weight", "cls.predictions.decoder.weight",
            "cls.seq_relationship.weight" } },
        { "model.", false, DTYPE_F32, { "logit_scale" } },
        { "model.bert.", false, DTYPE_F32, { "model.classifier.weight" } },
        { "0.auto_model.", false, DTYPE_F32, { "2.linear.weight" } },
        { "auto_model.", false, DTYPE_F32, { NULL } },
    };
    config c = words_config();
    bert_module *expected = words_module(&c, true);
    assert_int_equal(expected->weights.n, 5 + 3 * 16 + 2);
    arena a = { 0 };
    weight_list w = toy_weights(&a, &c, true, EXACT);
    assert_same_weights(&expected->weights, &w);
    tensor *items = arena_array(&a, w.n + 4, sizeof *items);
    for (size_t i = 0; i < sizeof NAMINGS / sizeof *NAMINGS; i++) {
        size_t n = named_tensors(&a, &w, &NAMINGS[i], items);
        assert_works(safetensors_write(scratch("toy/model.safetensors"), items, n, NULL, err));
        bert_module *m = import_from(scratch("toy"));
        assert_same_module(m, expected);
        bert_module_free(m);
    }
    arena_free(&a);
    bert_module_free(expected);
}

static void shards_give_the_same_module(void **state)
{
    (void)state;
    config c = words_config();
    bert_module *expected = words_module(&c, true);
    arena a = { 0 };
    weight_list w = toy_weights(&a, &c, true, EXACT);
    tensor *items = arena_array(&a, w.n, sizeof *items);
    size_t n = weights_to_tensors(&w, false, items), half = n / 2;
    json_t *map = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(map, items[i].name, json_string(i < half ? "model-1.safetensors" : "model-2.safetensors"));
    assert_works(safetensors_write(scratch("toy/model-1.safetensors"), items, half, NULL, err));
    assert_works(safetensors_write(scratch("toy/model-2.safetensors"), items + half, n - half, NULL, err));
    json_t *index = json_pack("{s:o}", "weight_map", map);
    assert_works(json_write_file(index, scratch("toy/model.safetensors.index.json"), err));
    json_decref(index);
    assert_int_equal(unlink(scratch("toy/model.safetensors")), 0);
    bert_module *m = import_from(scratch("toy"));
    assert_same_module(m, expected);
    bert_module_free(m);
    json_t *description = read_json(scratch("imported/module.json"));
    assert_int_equal(json_object_size(at(at(description, "source"), "sha256")), 2);
    json_decref(description);
    arena_free(&a);
    bert_module_free(expected);
}

/* tests/modules/files/toy.bin: the tensors of tests/files/toy/model.safetensors as torch.save writes them. */
static void a_pytorch_file_gives_the_same_module(void **state)
{
    (void)state;
    assert_works(module_import("tests/files/toy", scratch("expected"), NULL, NULL, err));
    bert_module *expected = open_module(scratch("expected"));
    assert_works(folder_create(scratch("torch"), err));
    assert_works(file_copy("tests/modules/files/toy.bin", scratch("torch/pytorch_model.bin"), err));
    assert_works(file_copy("tests/files/toy/config.json", scratch("torch/config.json"), err));
    assert_works(file_copy("tests/files/toy/vocab.txt", scratch("torch/vocab.txt"), err));
    const char *const SOURCES[] = { scratch("torch"), scratch("torch/pytorch_model.bin") };
    for (int i = 0; i < 2; i++) {
        bert_module *m = import_from(SOURCES[i]);
        assert_same_module(m, expected);
        bert_module_free(m);
    }
    bert_module_free(expected);
}

static void tensorflow_hugging_face_and_hub_give_the_same_module(void **state)
{
    (void)state;
    bert_module *hf = import_from(shared("golden/rand-toy/hf"));
    assert_works(folder_create(scratch("tf"), err));
    /* TF1's file `checkpoint` names one of several. */
    static const char *const PARTS[] = { "index", "data-00000-of-00001" };
    for (int i = 0; i < 2; i++) {
        char from[128], to[128];
        snprintf(from, sizeof from, "golden/rand-toy/tf/bert_model.ckpt.%s", PARTS[i]);
        snprintf(to, sizeof to, "tf/model.ckpt-7.%s", PARTS[i]);
        assert_works(file_copy(shared(from), scratch(to), err));
    }
    assert_works(file_copy(shared("golden/rand-toy/tf/bert_config.json"), scratch("tf/bert_config.json"), err));
    assert_works(file_copy(shared("golden/rand-toy/tf/vocab.txt"), scratch("tf/vocab.txt"), err));
    scratch_text("tf/model.ckpt-3.index", "");
    scratch_text("tf/checkpoint", "model_checkpoint_path: \"/elsewhere/model.ckpt-7\"\n");
    const char *const SOURCES[] = { shared("golden/rand-toy/tf"), shared("data/checkpoints/tf-hub-toy"), scratch("tf"),
                                    scratch("tf/model.ckpt-7"), scratch("tf/model.ckpt-7.index") };
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        bert_import_options options;
        bert_import_defaults(&options);
        assert_works(module_import(SOURCES[i], scratch("module"), &options, NULL, err));
        bert_module *m = open_module(scratch("module"));
        assert_same_weights(&m->weights, &hf->weights);
        assert_same_config(&m->config, &hf->config);
        assert_memory_equal(m->vocabulary, hf->vocabulary, hf->vocabulary_size);
        bert_module_free(m);
    }
    bert_module_free(hf);
}

/* Heads, activation, layers and letter case are in the graph. */
static void a_hub_module_without_configuration_is_read_from_its_graph(void **state)
{
    (void)state;
    const char *hub = shared("data/checkpoints/tf-hub-toy");
    bert_module *expected = import_from(hub);
    static const char *const FILES[] = { "saved_model.pb", "variables/variables.index",
                                         "variables/variables.data-00000-of-00001", "assets/vocab.txt" };
    assert_works(folder_create(scratch("hub/variables"), err));
    assert_works(folder_create(scratch("hub/assets"), err));
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char from[512], to[128];
        snprintf(from, sizeof from, "%s/%s", hub, FILES[i]);
        snprintf(to, sizeof to, "hub/%s", FILES[i]);
        assert_works(file_copy(from, scratch(to), err));
    }
    char *note = NULL;
    assert_works(module_import(scratch("hub"), scratch("module"), NULL, &note, err));
    assert_null(note);
    bert_module *m = open_module(scratch("module"));
    assert_int_equal(m->config.num_attention_heads, 3);
    expected->config.hidden_act = ACTIVATION_GELU_TANH; /* what that graph computes; its bert_config.json says "gelu" */
    assert_same_module(m, expected);
    bert_module_free(m);

    scratch_text("hub/saved_model.pb", "\x12"); /* no sound protocol buffer */
    assert_fails(module_import(scratch("hub"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
                 "hub/saved_model.pb: is no SavedModel, or damaged");
    scratch_file("hub/saved_model.pb", "\x12\x00", 2); /* a graph without nodes */
    assert_fails(
        module_import(scratch("hub"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
        "hub: neither a configuration nor the graph tells the number of attention heads; give num_attention_heads");
    bert_import_options options;
    bert_import_defaults(&options);
    options.num_attention_heads = 3;
    assert_works(module_import(scratch("hub"), scratch("module"), &options, NULL, err));
    m = open_module(scratch("module"));
    assert_same_weights(&m->weights, &expected->weights);
    bert_module_free(m);
    bert_module_free(expected);
}

static void a_sentence_transformers_folder_keeps_its_encoder_in_an_inner_one(void **state)
{
    (void)state;
    bert_module *expected = words_module(NULL, true);
    assert_works(folder_create(scratch("st"), err));
    assert_int_equal(rename(scratch("toy"), scratch("st/0_Transformer")), 0);
    scratch_text("st/modules.json", "[{\"idx\": 0, \"path\": \"0_Transformer\", \"type\": \"Transformer\"}, "
                                    "{\"idx\": 1, \"path\": \"1_Pooling\", \"type\": \"Pooling\"}]");
    assert_works(folder_create(scratch("st/1_Pooling"), err));
    scratch_text("st/1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}");
    bert_module *m = import_from(scratch("st"));
    assert_same_module(m, expected);
    assert_int_equal(m->vectors.pooling, BERT_POOLING_MAX);
    assert_false(m->vectors.normalize);
    assert_int_equal(m->vectors.seq_len, WORDS_POSITIONS);
    assert_int_equal(expected->vectors.pooling, BERT_POOLING_AUTO);
    bert_module_free(m);
    bert_module_free(expected);
}

static void a_missing_pooler_is_told(void **state)
{
    (void)state;
    char *note = NULL;
    words_checkpoint("toy", NULL, false);
    scratch_text("toy/tokenizer_config.json", "{\"do_lower_case\": true}");
    assert_works(module_import(scratch("toy"), scratch("module"), NULL, &note, err));
    assert_string_equal(note, "the checkpoint has no pooler: pooling `cls` will start a new one");
    bert_free(note);
    bert_module *m = open_module(scratch("module"));
    assert_false(m->weights.pooler);
    bert_module_free(m);
    json_t *json = read_json(scratch("module/module.json")),
           *expected = json_pack("[s, s]", "sequence_output", "token_output");
    assert_true(json_equal(at(at(at(json, "signatures"), "tokens"), "outputs"), expected));
    json_decref(expected);
    json_decref(json);
    assert_works(module_import(words_checkpoint("toy", NULL, true), scratch("module"), NULL, &note, err));
    assert_null(note);
}

/* ---- vocabulary -------------------------------------------------------------------------------------------------- */

/* tokenizer.json of the toy's vocabulary; lower: its normalizer's lowercase, or NULL. */
static void write_tokenizer_json(const char *path, json_t *lower)
{
    json_t *vocabulary = json_object();
    const char *line = TOY_VOCABULARY;
    for (json_int_t id = 0; *line; id++) {
        size_t n = strcspn(line, "\n");
        char token[32];
        snprintf(token, sizeof token, "%.*s", (int)n, line);
        json_object_set_new(vocabulary, token, json_integer(id));
        line += n + 1;
    }
    json_t *json = json_pack("{s:{s:s, s:o*}, s:{s:s}, s:{s:s, s:[s,i], s:[s,i]}, s:{s:s, s:o}}", "normalizer", "type",
                             "BertNormalizer", "lowercase", lower, "pre_tokenizer", "type", "BertPreTokenizer",
                             "post_processor", "type", "BertProcessing", "cls", "[CLS]", 2, "sep", "[SEP]", 3, "model",
                             "type", "WordPiece", "vocab", vocabulary);
    assert_works(json_write_file(json, path, err));
    json_decref(json);
}

static void a_vocabulary_may_stand_in_tokenizer_json_alone(void **state)
{
    (void)state;
    bert_module *expected = words_module(NULL, true);
    assert_int_equal(unlink(scratch("toy/vocab.txt")), 0);
    write_tokenizer_json(scratch("toy/tokenizer.json"), json_true());
    scratch_text(
        "toy/tokenizer_config.json",
        "{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"pad_token\": \"[PAD]\", \"mask_token\": \"[MASK]\"}");
    bert_module *m = import_from(scratch("toy"));
    assert_same_module(m, expected);
    bert_module_free(m);
    bert_module_free(expected);
}

static void a_tokenizer_json_that_is_no_vocabulary_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        bert_status code;
    } CASES[] = {
        { "{}", "toy/tokenizer.json: there is no model", BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}", "toy/tokenizer.json: no token in the vocabulary",
          BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"Spelling\", \"vocab\": {\"a\": 0}}}",
          "toy/tokenizer.json: model Spelling is not known to libbert", BERT_ERR_UNSUPPORTED },
        { "{\"model\": {\"vocab\": {}, \"unk_id\": 0}}", "toy/tokenizer.json: no token in the vocabulary",
          BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"WordPiece\"}}", "toy/tokenizer.json: the model has no \"vocab\"", BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0, \"b\": 0}}}",
          "toy/tokenizer.json: tokens \"a\" and \"b\" have one id", BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": \"0\"}}}",
          "toy/tokenizer.json: token \"a\" has no id", BERT_ERR_FORMAT },
        { "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": -1}}}", "toy/tokenizer.json: token \"a\" has no id",
          BERT_ERR_FORMAT },
        { "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": "
          "\"Uppercase\"}]}, "
          "\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0}}}",
          "toy/tokenizer.json: normalizer Uppercase is not known to libbert", BERT_ERR_UNSUPPORTED },
        { "{\"surprise\": 1, \"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0}}}",
          "toy/tokenizer.json: \"surprise\" is not known to libbert", BERT_ERR_UNSUPPORTED },
    };
    words_checkpoint("toy", NULL, true);
    assert_int_equal(unlink(scratch("toy/vocab.txt")), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        scratch_text("toy/tokenizer.json", CASES[i].text);
        assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), CASES[i].code,
                     CASES[i].message);
        assert_false(file_exists(scratch("module")));
    }
}

/* The first that knows: the option, tokenizer_config.json, tokenizer.json, and at last whether the vocabulary holds a
 * capital. */
static void letter_case_is_told_by_the_first_file_that_knows(void **state)
{
    (void)state;
    enum { NO = 0, YES = 1, NONE = 2 };
    static const struct {
        int option, settings, tokenizer;
        bool capital, expected;
    } CASES[] = {
        { 0, NONE, NONE, false, true }, { 0, NONE, NONE, true, false }, { 0, NONE, NO, false, false },
        { 0, NONE, YES, true, true },   { 0, NO, YES, false, false },   { 0, YES, NO, true, true },
        { 1, NO, NO, true, true },      { 2, YES, YES, false, false },
    };
    words_checkpoint("toy", NULL, true);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        unlink(scratch("toy/tokenizer_config.json"));
        unlink(scratch("toy/tokenizer.json"));
        if (CASES[i].settings != NONE)
            scratch_text("toy/tokenizer_config.json",
                         CASES[i].settings ? "{\"do_lower_case\": true}" : "{\"do_lower_case\": false}");
        if (CASES[i].tokenizer != NONE)
            write_tokenizer_json(scratch("toy/tokenizer.json"), json_boolean(CASES[i].tokenizer));
        char *vocabulary = strdup(TOY_VOCABULARY);
        if (CASES[i].capital)
            memcpy(strstr(vocabulary, "cat"), "Cat", 3);
        scratch_text("toy/vocab.txt", vocabulary);
        free(vocabulary);
        bert_import_options options;
        bert_import_defaults(&options);
        options.do_lower_case = CASES[i].option;
        assert_works(module_import(scratch("toy"), scratch("module"), &options, NULL, err));
        bert_module *m = open_module(scratch("module"));
        assert_int_equal(bert_tokenizer_settings(m->tokenizer)->do_lower_case, CASES[i].expected);
        bert_module_free(m);
        json_t *json = read_json(scratch("module/tokenizer_config.json"));
        assert_int_equal(json_is_true(at(json, "do_lower_case")), CASES[i].expected);
        json_decref(json);
    }
}

/* Such tokens are never found, for what is not UTF-8 is dropped from texts; those behind them keep their ids. */
static void tokens_that_json_cannot_hold_have_another_name_in_tokenizer_json(void **state)
{
    (void)state;
    words_checkpoint("toy", NULL, true);
    char *vocabulary = strdup(TOY_VOCABULARY);
    memcpy(strstr(vocabulary, "cat"), "c\377t", 3);
    scratch_text("toy/vocab.txt", vocabulary);
    bert_module *m = import_from(scratch("toy"));
    assert_memory_equal(m->vocabulary, vocabulary, strlen(vocabulary));
    json_t *json = read_json(scratch("imported/tokenizer.json"));
    assert_int_equal(json_object_size(at(at(json, "model"), "vocab")), TOY_WORDS);
    assert_int_equal(json_integer_value(at(at(at(json, "model"), "vocab"), "on")), 20);
    json_decref(json);
    bert_module_free(m);
    free(vocabulary);
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static const char *const FILES[] = { "config.json",           "model.safetensors",       "vocab.txt",  "tokenizer.json",
                                     "tokenizer_config.json", "special_tokens_map.json", "module.json" };
enum { N_FILES = sizeof FILES / sizeof *FILES };

static const char *module_file(const char *folder, int i)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s", folder, FILES[i]);
    return scratch(name);
}

static void module_json_says_what_the_folder_holds(void **state)
{
    (void)state;
    bert_import_options options;
    bert_import_defaults(&options);
    options.tok_layer = -2;
    assert_works(module_import(words_checkpoint("toy", NULL, true), scratch("module"), &options, NULL, err));
    json_t *json = read_json(scratch("module/module.json"));
    assert_string_equal(json_string_value(at(json, "format")), "libbert.module");
    assert_int_equal(json_integer_value(at(json, "version")), 2);
    json_t *expected = json_pack("[[s], []]", "train");
    assert_true(json_equal(at(json, "tags"), expected));
    json_decref(expected);
    expected = json_pack("{s:{s:[s,s,s], s:[s,s,s], s:i, s:i}}", "tokens", "inputs", "input_ids", "input_mask",
                         "segment_ids", "outputs", "pooled_output", "sequence_output", "token_output", "seq_layer", 2,
                         "tok_layer", 1);
    json_t *info = json_pack("{s:s, s:b, s:s, s:b, s:b, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                             "vocab_file", "vocab.txt", "do_lower_case", 1, "strip_accents", "true",
                             "tokenize_chinese_chars", 1, "clean_text", 1, "normalizer", "huggingface", "prefix", "##",
                             "max_word_chars", 100, "special_in_text", "keep", "truncation_side", "right", "odd_token",
                             "longer", "unk_token", "[UNK]", "cls_token", "[CLS]", "sep_token", "[SEP]", "pad_token",
                             "[PAD]", "mask_token", "[MASK]");
    json_object_set_new(expected, "tokenization_info", info);
    assert_true(json_equal(at(json, "signatures"), expected));
    json_decref(expected);
    const json_t *source = at(json, "source");
    char hex[SHA256_HEX];
    assert_string_equal(json_string_value(at(source, "kind")), "Hugging Face folder (safetensors)");
    assert_string_equal(json_string_value(at(source, "path")), scratch("toy"));
    assert_works(sha256_file(scratch("toy/model.safetensors"), hex, err));
    assert_string_equal(json_string_value(at(at(source, "sha256"), "model.safetensors")), hex);
    const json_t *files = at(json, "files");
    assert_int_equal(json_object_size(files), N_FILES - 1); /* all but module.json */
    for (int i = 0; i < N_FILES - 1; i++) {
        file_mapping m;
        const json_t *file = at(files, FILES[i]);
        assert_works(sha256_file(module_file("module", i), hex, err));
        assert_string_equal(json_string_value(at(file, "sha256")), hex);
        assert_works(file_map(&m, module_file("module", i), err));
        assert_int_equal(json_integer_value(at(file, "size")), m.size);
        file_unmap(&m);
    }
    json_decref(json);
    assert_int_equal(scratch_entries(), 2); /* nothing temporary is left */
    bert_module *m = open_module(scratch("module"));
    assert_int_equal(m->seq_layer, 2);
    assert_int_equal(m->tok_layer, 1);
    assert_file_holds(scratch("module/vocab.txt"), TOY_VOCABULARY);
    bert_module_free(m);
}

static void the_same_import_writes_the_same_bytes(void **state)
{
    (void)state;
    words_checkpoint("toy", NULL, true);
    assert_works(module_import(scratch("toy"), scratch("one"), NULL, NULL, err));
    assert_works(module_import(scratch("toy"), scratch("two"), NULL, NULL, err));
    for (int i = 0; i < N_FILES; i++) {
        char one[SHA256_HEX], two[SHA256_HEX];
        assert_works(sha256_file(module_file("one", i), one, err));
        assert_works(sha256_file(module_file("two", i), two, err));
        assert_string_equal(one, two);
    }
}

static void an_earlier_module_is_replaced_and_anything_else_refused(void **state)
{
    (void)state;
    config c = words_config();
    bert_module *before = words_module(&c, true); /* open while its folder is replaced */
    c.num_hidden_layers = 2;
    bert_module *after = words_module(&c, true);
    assert_int_equal(after->config.num_hidden_layers, 2);
    assert_int_equal(before->config.num_hidden_layers, 3);
    assert_true(isfinite(before->weights.items[before->weights.n - 1].value[11]));
    bert_module_free(after);
    bert_module_free(before);
    assert_works(folder_create(scratch("full"), err));
    scratch_text("full/file", "precious");
    assert_fails(module_import(scratch("toy"), scratch("full"), NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "full: a folder of other files stands there; give a new name or an empty folder");
    assert_file_holds(scratch("full/file"), "precious");
    scratch_text("file", "precious");
    assert_fails(module_import(scratch("toy"), scratch("file"), NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "file: a text that libbert did not write stands there; an import is a folder and needs another name");
    assert_file_holds(scratch("file"), "precious");
    assert_fails(module_import(scratch("toy"), scratch("file/module"), NULL, NULL, err), BERT_ERR_IO,
                 "file: cannot make the folder: File exists");
    assert_works(folder_create(scratch("empty"), err));
    assert_works(module_import(scratch("toy"), scratch("empty"), NULL, NULL, err));
}

static void a_full_disk_leaves_the_old_module_or_none(void **state)
{
    (void)state;
    bert_module *m = words_module(NULL, true);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    file_mapping weights;
    assert_works(file_map(&weights, scratch("module/model.safetensors"), err));
    /* No file, some of them, all but the last. */
    const rlim_t LIMITS[] = { 0, 100, 1000, weights.size - 1 };
    file_unmap(&weights);
    bert_err found[2];
    bert_status status[2];
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        small = (struct rlimit){ LIMITS[i], before.rlim_max };
        setrlimit(RLIMIT_FSIZE, &small);
        status[0] = module_import(scratch("toy"), scratch("module"), NULL, NULL, &found[0]);
        status[1] = module_import(scratch("toy"), scratch("new"), NULL, NULL, &found[1]);
        setrlimit(RLIMIT_FSIZE, &before);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(status[k], BERT_ERR_IO);
            assert_true(path_ends(found[k].message, ": cannot write: File too large"));
        }
        assert_false(file_exists(scratch("new")));
        bert_module *old = open_module(scratch("module"));
        assert_same_module(old, m);
        bert_module_free(old);
        assert_int_equal(scratch_entries(), 2); /* toy and module */
    }
    signal(SIGXFSZ, handler);
    bert_module_free(m);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

#define TOY_HIDDEN_MESSAGE \
    "toy/model.safetensors: tensor embeddings.word_embeddings.weight has shape [24, 12], expected "

static void a_configuration_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *key;
        json_t *value; /* NULL: removed */
        bert_status code;
        const char *message;
    } CASES[] = {
        { "hidden_size", json_integer(0), BERT_ERR_FORMAT, "toy/config.json: hidden_size is 0, expected 1 to 65536" },
        { "hidden_size", json_integer(INT64_MAX), BERT_ERR_FORMAT,
          "toy/config.json: hidden_size is 9223372036854775807, expected 1 to 65536" },
        { "hidden_size", json_integer(24), BERT_ERR_FORMAT, TOY_HIDDEN_MESSAGE "[24, 24]" },
        { "hidden_size", json_real(12), BERT_ERR_FORMAT,
          "toy/config.json: hidden_size is a number, expected a whole number" },
        { "hidden_size", NULL, BERT_ERR_FORMAT, "toy/config.json: hidden_size is missing" },
        { "vocab_size", json_integer(25), BERT_ERR_FORMAT,
          "toy/model.safetensors: tensor embeddings.word_embeddings.weight has shape [24, 12], expected [25, 12]" },
        { "num_attention_heads", json_integer(5), BERT_ERR_FORMAT,
          "toy/config.json: hidden_size 12 is no multiple of num_attention_heads 5" },
        { "num_attention_heads", json_integer(-1), BERT_ERR_FORMAT,
          "toy/config.json: num_attention_heads is -1, expected 1 to 1024" },
        { "num_hidden_layers", json_integer(4), BERT_ERR_FORMAT,
          "toy/model.safetensors: tensor encoder.layer.3.attention.self.query.weight is absent" },
        { "num_hidden_layers", json_integer(1025), BERT_ERR_FORMAT,
          "toy/config.json: num_hidden_layers is 1025, expected 1 to 1024" },
        { "intermediate_size", json_integer(21), BERT_ERR_FORMAT,
          "toy/model.safetensors: tensor encoder.layer.0.intermediate.dense.weight has shape [20, 12], expected [21, "
          "12]" },
        { "max_position_embeddings", json_integer(17), BERT_ERR_FORMAT,
          "toy/model.safetensors: tensor embeddings.position_embeddings.weight has shape [16, 12], expected [17, 12]" },
        { "type_vocab_size", json_integer(0), BERT_ERR_FORMAT,
          "toy/config.json: type_vocab_size is 0, expected 1 to 1024" },
        { "hidden_act", json_string("gleu"), BERT_ERR_UNSUPPORTED,
          "toy/config.json: hidden_act \"gleu\" is not one of gelu, gelu_new, gelu_pytorch_tanh, relu, silu" },
        { "hidden_act", json_integer(1), BERT_ERR_FORMAT,
          "toy/config.json: hidden_act is a whole number, expected a string" },
        { "model_type", json_string("longformer"), BERT_ERR_UNSUPPORTED,
          "toy/config.json: model_type \"longformer\" is another family; libbert reads bert, "
          "distilbert, roberta, xlm-roberta, camembert, electra, albert, mpnet" },
        { "position_embedding_type", json_string("relative_key"), BERT_ERR_UNSUPPORTED,
          "toy/config.json: position_embedding_type is \"relative_key\", expected \"absolute\"" },
        { "hidden_dropout_prob", json_real(1), BERT_ERR_FORMAT,
          "toy/config.json: hidden_dropout_prob is 1, expected 0 to 0.99" },
        { "layer_norm_eps", json_string("small"), BERT_ERR_FORMAT,
          "toy/config.json: layer_norm_eps is a string, expected a number" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        words_checkpoint("toy", NULL, true);
        change_member(scratch("toy/config.json"), CASES[i].key, CASES[i].value);
        assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), CASES[i].code,
                     CASES[i].message);
        assert_int_equal(scratch_entries(), 1);
    }
}

static void heads_of_more_channels_than_attention_takes_are_refused(void **state)
{
    (void)state;
    config c = words_config();
    c.hidden_size = 2 * ATTENTION_MAX_HEAD + 2;
    c.num_attention_heads = 2;
    words_checkpoint("toy", &c, true);
    assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_UNSUPPORTED,
                 "toy/config.json: heads of 129 channels, at most 128 are supported");
}

static void a_vocabulary_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *word, *instead, *message;
    } CASES[] = {
        { "[CLS]", "[XXX]", "toy/vocab.txt: no [CLS] among its 24 tokens" },
        { "[SEP]", "[XXX]", "toy/vocab.txt: no [SEP] among its 24 tokens" },
        { "[UNK]", "[XXX]", "toy/vocab.txt: no [UNK] among its 24 tokens" },
        { TOY_VOCABULARY, "", "toy/vocab.txt: empty; a vocabulary has one token a line" },
    };
    words_checkpoint("toy", NULL, true);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *place = strstr(TOY_VOCABULARY, CASES[i].word);
        buffer text = { 0 };
        buffer_add(&text, TOY_VOCABULARY, (size_t)(place - TOY_VOCABULARY));
        buffer_string(&text, CASES[i].instead);
        buffer_string(&text, place + strlen(CASES[i].word));
        scratch_file("toy/vocab.txt", text.data ? text.data : "", text.size);
        buffer_free(&text);
        assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
                     CASES[i].message);
    }
    assert_int_equal(scratch_entries(), 1);
}

/* Writes the toy's weights with one tensor changed or left out. */
static void write_changed(const char *name, const tensor *instead)
{
    config c = words_config();
    arena a = { 0 };
    weight_list w = toy_weights(&a, &c, true, EXACT);
    tensor *items = arena_array(&a, w.n, sizeof *items);
    size_t n = weights_to_tensors(&w, false, items), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].name, name))
            items[kept++] = items[i];
        else if (instead) {
            items[kept] = *instead;
            items[kept++].name = name;
        }
    assert_true(kept < n || instead);
    assert_works(safetensors_write(scratch("toy/model.safetensors"), items, kept, NULL, err));
    arena_free(&a);
}

static void tensors_that_are_absent_or_of_another_shape_are_refused(void **state)
{
    (void)state;
    words_checkpoint("toy", NULL, true);
    static const tensor square = { .type = DTYPE_F32, .rank = 2, .shape = { 12, 12 }, .n = 144, .data = SPARE },
                        cube = { .type = DTYPE_F32, .rank = 3, .shape = { 1, 1, 12 }, .n = 12, .data = SPARE },
                        scalar = { .type = DTYPE_F32, .rank = 0, .n = 1, .data = SPARE },
                        column = { .type = DTYPE_F32, .rank = 2, .shape = { 12, 1 }, .n = 12, .data = SPARE },
                        flags = { .type = DTYPE_BOOL, .rank = 1, .shape = { 12 }, .n = 12, .data = SPARE };
    static const struct {
        const char *name;
        const tensor *instead;
        const char *message;
    } CASES[] = {
        { "embeddings.LayerNorm.bias", NULL, "tensor embeddings.LayerNorm.bias is absent" },
        { "encoder.layer.1.output.dense.weight", NULL, "tensor encoder.layer.1.output.dense.weight is absent" },
        { "pooler.dense.bias", NULL, "tensor pooler.dense.bias is absent" },
        { "encoder.layer.0.intermediate.dense.weight", &square,
          "tensor encoder.layer.0.intermediate.dense.weight has shape [12, 12], expected [20, 12]" },
        { "pooler.dense.bias", &cube, "tensor pooler.dense.bias has shape [1, 1, 12], expected [12]" },
        { "pooler.dense.bias", &scalar, "tensor pooler.dense.bias has shape [], expected [12]" },
        { "pooler.dense.bias", &flags,
          "tensor pooler.dense.bias is of type BOOL, expected numbers with a fraction (a quantised checkpoint?)" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char message[256];
        write_changed(CASES[i].name, CASES[i].instead);
        snprintf(message, sizeof message, "toy/model.safetensors: %s", CASES[i].message);
        assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT, message);
        assert_int_equal(scratch_entries(), 1);
    }
    write_changed("pooler.dense.bias", &column); /* a vector as one column is a vector */
    assert_works(module_import(scratch("toy"), scratch("module"), NULL, NULL, err));
    write_changed("embeddings.word_embeddings.weight", NULL);
    assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
                 "toy/model.safetensors: holds no BERT: no tensor is called embeddings.word_embeddings.weight or "
                 "bert/embeddings/word_embeddings");
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    words_checkpoint("toy", NULL, true);
    assert_works(folder_create(scratch("empty"), err));
    assert_fails(module_import(scratch("empty"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
                 "empty: no checkpoint that is known (model.safetensors, pytorch_model.bin, saved_model.pb, *.index)");
    assert_fails(module_import(scratch("none"), scratch("module"), NULL, NULL, err), BERT_ERR_IO,
                 "none: no such file or folder");
    assert_fails(
        module_import(scratch("toy/vocab.txt"), scratch("module"), NULL, NULL, err), BERT_ERR_UNSUPPORTED,
        "toy/vocab.txt: not a checkpoint that is known by its name (.safetensors, .bin, .pt, .index, saved_model.pb)");
    scratch_text("empty/a.index", "");
    scratch_text("empty/b.index", "");
    bert_err found;
    assert_int_equal(module_import(scratch("empty"), scratch("module"), NULL, NULL, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message, "empty: holds 2 checkpoints ("));
    scratch_text("empty/checkpoint", "\n");
    assert_fails(module_import(scratch("empty"), scratch("module"), NULL, NULL, err), BERT_ERR_FORMAT,
                 "empty/checkpoint: names no model_checkpoint_path");
    assert_int_equal(unlink(scratch("toy/vocab.txt")), 0);
    assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_IO,
                 "toy: no vocab.txt or tokenizer.json; --ids-only makes a module that reads ids, no texts");
    assert_int_equal(unlink(scratch("toy/config.json")), 0);
    assert_fails(module_import(scratch("toy"), scratch("module"), NULL, NULL, err), BERT_ERR_IO,
                 "toy: no config.json or bert_config.json");
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    words_checkpoint("toy", NULL, true);
    static const struct {
        int64_t seq, tok;
        int lower;
        int64_t heads;
        bert_status code;
        const char *message;
    } CASES[] = {
        { 3, 0, 0, 0, BERT_ERR_ARGUMENT, "seq_layer 3: the model has layers 0 to 2 (or -1 to -3 from the end)" },
        { -4, 0, 0, 0, BERT_ERR_ARGUMENT, "seq_layer -4: the model has layers 0 to 2 (or -1 to -3 from the end)" },
        { 0, -8, 0, 0, BERT_ERR_ARGUMENT, "tok_layer -8: the model has layers 0 to 2 (or -1 to -3 from the end)" },
        { INT64_MIN, 0, 0, 0, BERT_ERR_ARGUMENT, "--seq-layer: -9223372036854775808 is out of range, -1024 to 1023" },
        { -1, -7, 3, 0, BERT_ERR_ARGUMENT, "--do-lower-case: \"3\" is not one of auto, true, false" },
        { -1, -7, 0, -1, BERT_ERR_ARGUMENT, "--num-attention-heads: -1 is out of range, 0 to 1024" },
        { -1, -7, 0, 5, BERT_ERR_FORMAT, "toy/config.json: hidden_size 12 is no multiple of num_attention_heads 5" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_import_options o = { .seq_layer = CASES[i].seq,
                                  .tok_layer = CASES[i].tok,
                                  .do_lower_case = CASES[i].lower,
                                  .num_attention_heads = CASES[i].heads };
        assert_fails(module_import(scratch("toy"), scratch("module"), &o, NULL, err), CASES[i].code, CASES[i].message);
    }
}

static void a_module_that_is_not_whole_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bert_status code;
        const char *message;
    } CASES[] = {
        { "config.json", BERT_ERR_IO, "module/config.json: cannot open: No such file or directory" },
        { "vocab.txt", BERT_ERR_IO, "module/vocab.txt: cannot open: No such file or directory" },
        { "model.safetensors", BERT_ERR_IO, "module/model.safetensors: cannot open: No such file or directory" },
    };
    bert_module *m;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_module_free(words_module(NULL, true));
        char path[128];
        snprintf(path, sizeof path, "module/%s", CASES[i].file);
        assert_int_equal(unlink(scratch(path)), 0);
        assert_fails(bert_module_open(scratch("module"), &m, err), CASES[i].code, CASES[i].message);
        assert_null(m);
    }
    bert_module_free(words_module(NULL, true));
    assert_int_equal(truncate(scratch("module/model.safetensors"), 15000), 0);
    bert_err found;
    assert_int_equal(bert_module_open(scratch("module"), &m, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message, "module/model.safetensors: tensor "));
    assert_int_equal(bert_module_open(scratch("toy"), &m, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message, "toy: not a module (no module.json); make one with `bert import "));
    assert_fails(bert_module_open(scratch("none"), &m, err), BERT_ERR_IO, "none: no such file or folder");
    assert_fails(bert_module_open(scratch("toy/vocab.txt"), &m, err), BERT_ERR_FORMAT,
                 "toy/vocab.txt: not a module: expected a folder, a .tar.gz file or an http(s) address");
}

/* Neither a module.json that says something else nor an archive without one stays in the cache. */
static void an_archive_that_does_not_open_as_a_module_is_not_kept(void **state)
{
    (void)state;
    bert_module *m;
    char command[512];
    setenv("BERT_CACHE", scratch("cache"), 1);
    for (int i = 0; i < 2; i++) {
        snprintf(
            command, sizeof command,
            "mkdir -p %s/other && cd %s && echo '{\"format\": \"other\"}' > other/%s && tar czf other.tar.gz other",
            scratch_folder, scratch_folder, i ? "module.json" : "notes.txt");
        assert_int_equal(system(command), 0);
        assert_int_not_equal(bert_module_open(scratch("other.tar.gz"), &m, NULL), BERT_OK);
        assert_null(m);
        snprintf(command, sizeof command, "test -d %s/cache/archives && test -z \"$(ls %s/cache/archives)\"",
                 scratch_folder, scratch_folder);
        assert_int_equal(system(command), 0);
    }
    unsetenv("BERT_CACHE");
}

static void a_module_json_of_another_kind_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *key;
        json_t *value;
        bert_status code;
        const char *message;
    } CASES[] = {
        { "format", json_string("libbert.model"), BERT_ERR_FORMAT,
          "module/module.json: format is \"libbert.model\", expected \"libbert.module\"" },
        { "format", NULL, BERT_ERR_FORMAT, "module/module.json: format is missing" },
        { "version", json_integer(3), BERT_ERR_UNSUPPORTED,
          "module/module.json: format version 3, this libbert (" BERT_VERSION ") reads up to 2; use a newer one" },
        { "version", json_integer(0), BERT_ERR_FORMAT,
          "module/module.json: version is 0, expected 1 to 9223372036854775807" },
        { "version", json_string("1"), BERT_ERR_FORMAT,
          "module/module.json: version is a string, expected a whole number" },
        { "signatures", NULL, BERT_ERR_FORMAT, "module/module.json: signatures is missing" },
        { "signatures", json_pack("{s:{s:i}, s:{}}", "tokens", "seq_layer", 3, "tokenization_info"), BERT_ERR_FORMAT,
          "module/module.json: seq_layer is 3, expected 0 to 2" },
        { "signatures", json_pack("{s:{s:i}, s:{}}", "tokens", "tok_layer", -1, "tokenization_info"), BERT_ERR_FORMAT,
          "module/module.json: tok_layer is -1, expected 0 to 2" },
        { "signatures", json_pack("{s:{}}", "tokens"), BERT_ERR_FORMAT,
          "module/module.json: tokenization_info is missing" },
        { "signatures", json_pack("{s:{}, s:{s:i}}", "tokens", "tokenization_info", "do_lower_case", 1),
          BERT_ERR_FORMAT, "module/module.json: do_lower_case is a whole number, expected true or false" },
    };
    bert_module *m;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_module_free(words_module(NULL, true));
        change_member(scratch("module/module.json"), CASES[i].key, CASES[i].value);
        assert_fails(bert_module_open(scratch("module"), &m, err), CASES[i].code, CASES[i].message);
        assert_null(m);
    }
}

int main(void)
{
#define TEST(name) in_a_folder(name)
    const struct CMUnitTest tests[] = {
        TEST(every_naming_and_type_gives_the_same_module),
        TEST(shards_give_the_same_module),
        TEST(a_pytorch_file_gives_the_same_module),
        TEST(tensorflow_hugging_face_and_hub_give_the_same_module),
        TEST(a_hub_module_without_configuration_is_read_from_its_graph),
        TEST(a_sentence_transformers_folder_keeps_its_encoder_in_an_inner_one),
        TEST(a_missing_pooler_is_told),
        TEST(a_vocabulary_may_stand_in_tokenizer_json_alone),
        TEST(a_tokenizer_json_that_is_no_vocabulary_is_refused),
        TEST(letter_case_is_told_by_the_first_file_that_knows),
        TEST(tokens_that_json_cannot_hold_have_another_name_in_tokenizer_json),
        TEST(module_json_says_what_the_folder_holds),
        TEST(the_same_import_writes_the_same_bytes),
        TEST(an_earlier_module_is_replaced_and_anything_else_refused),
        TEST(a_full_disk_leaves_the_old_module_or_none),
        TEST(a_configuration_that_does_not_fit_is_refused),
        TEST(heads_of_more_channels_than_attention_takes_are_refused),
        TEST(a_vocabulary_that_does_not_fit_is_refused),
        TEST(tensors_that_are_absent_or_of_another_shape_are_refused),
        TEST(what_is_no_checkpoint_is_refused),
        TEST(options_out_of_range_are_refused),
        TEST(a_module_that_is_not_whole_is_refused),
        TEST(an_archive_that_does_not_open_as_a_module_is_not_kept),
        TEST(a_module_json_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
