/* Toy models of every task, their export for transformers, and predictions to compare. */
#pragma once

#include "toy_model.h"

#include "task/tasks.h"

enum { TEXTS = 9, SEQ_LEN = 14, MOST_COLUMNS = 3 };

static const char *const WORDS[] = { "a", "b", "c" }, *const TAGS[] = { "O", "B-X", "I-X" };

/* A model of a task with a head of its own start; labels a, b and c, a scale of 1 to 5. */
static inline bert_model *model_of(bert_task id, int pooling, int64_t hidden)
{
    bert_err err;
    bert_head_spec head = toy_head((int)id, id == BERT_TASK_TOKENS ? TAGS : WORDS, id == BERT_TASK_BINARY ? 2 : 3);
    if (id == BERT_TASK_REGRESSION || id == BERT_TASK_SIMILARITY)
        head.n_labels = 0;
    head.label_min = 1;
    head.label_max = 5;
    head.head_hidden = hidden;
    bert_model *m = toy_model_of(toy_module("module", (toy){ 0 }), pooling, SEQ_LEN, &head);
    random_stream r = { 3, 0, 0 };
    size_t n;
    const bert_param *params = bert_layer_params(bert_model_layer(m), &n);
    for (size_t i = 0; i < n; i++) /* biases start as zero, where a lost one would not show */
        if (params[i].tuned && !strcmp(params[i].group, "head") && params[i].cols == 1)
            for (size_t k = 0; k < params[i].rows; k++)
                params[i].tuned[k] = random_uniform(&r, -1, 1);
    check(bert_model_save(m, scratch("model"), false, &err), &err);
    return m;
}

/* Google's rules are a toy's own; these are transformers' BertTokenizer's. */
static inline bert_tokenizer_options transformers_rules(void)
{
    bert_tokenizer_options o;
    bert_tokenizer_defaults(&o);
    o.normalizer = o.special_in_text = o.odd_token = 1;
    o.max_word_chars = 100;
    return o;
}

static inline void set_rules(bert_model *m, const bert_tokenizer_options *o)
{
    bert_module *module = m->module;
    bert_tokenizer *tokenizer;
    assert_works(bert_tokenizer_create(module->vocabulary, module->vocabulary_size, "vocabulary", o, &tokenizer, err));
    bert_tokenizer_free(module->tokenizer);
    module->tokenizer = tokenizer;
}

static inline bert_status export_to(const bert_model *m, const char *folder, bool force, char **note, bert_err *err)
{
    bert_export_options options;
    bert_export_defaults(&options);
    options.format = BERT_EXPORT_HF;
    options.force = force;
    return bert_model_export(m, scratch(folder), &options, note, err);
}

/* Exports and imports again. */
static inline bert_model *round_trip(const bert_model *m)
{
    assert_works(export_to(m, "theirs", true, NULL, err));
    assert_works(bert_import(scratch("theirs"), scratch("ours"), NULL, NULL, err));
    return load_model(scratch("ours"));
}

typedef struct sample {
    bert_text texts[TEXTS], pairs[TEXTS];
} sample;

static inline sample random_sample(void)
{
    random_stream r = { 12, 0, 0 };
    sample s;
    for (size_t i = 0; i < TEXTS; i++) {
        s.texts[i] = toy_text(&r, random_below(&r, SEQ_LEN + 4)); /* some are cut */
        s.pairs[i] = toy_text(&r, 1 + random_below(&r, 4));
    }
    return s;
}

/* (TEXTS, columns) */
static inline size_t predict(const bert_model *m, float *scores)
{
    sample s = random_sample();
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    size_t columns = bert_session_outputs(session);
    assert_works(bert_session_predict(session, s.texts, s.pairs, TEXTS, scores, NULL, err));
    bert_session_free(session);
    return columns;
}

static inline void embed(const bert_model *m, float *vectors)
{
    sample s = random_sample();
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    assert_works(bert_session_embed(session, s.texts, NULL, TEXTS, vectors, NULL, NULL, err));
    bert_session_free(session);
}

static inline void assert_near(const float *a, const float *b, size_t n, float tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= tolerance))
            fail_msg("number %zu: %.9g, expected %.9g within %g", i, a[i], b[i], tolerance);
}

static inline json_t *read_json(const char *path)
{
    json_t *json = NULL;
    assert_works(json_read_file(&json, path, err));
    return json;
}

/* Writes the weights of the folder `theirs` anew with one tensor gone or of another shape. */
static inline void change_tensor(const char *name, const int64_t *shape)
{
    arena a = { 0 };
    tensor_set set = { 0 };
    assert_works(safetensors_open(&set, scratch("theirs/model.safetensors"), NULL, err));
    tensor *items = arena_array(&a, set.n, sizeof *items);
    size_t n = 0;
    bool found = false;
    for (size_t i = 0; i < set.n; i++) {
        bool named = !strcmp(set.items[i].name, name);
        found |= named;
        if (named && !shape)
            continue;
        items[n] = set.items[i];
        if (named) {
            items[n].rank = shape[1] ? 2 : 1;
            items[n].shape[0] = shape[0];
            items[n].shape[1] = shape[1];
            items[n].n = (size_t)(shape[0] * (shape[1] ? shape[1] : 1));
        }
        n++;
    }
    assert_true(found);
    assert_works(safetensors_write(scratch("changed"), items, n, NULL, err));
    tensors_close(&set);
    arena_free(&a);
    assert_int_equal(rename(scratch("changed"), scratch("theirs/model.safetensors")), 0);
}

/* A check of a written file takes it whole, refuses it cut anywhere or with something behind it, and survives any
 * changed byte of its beginning. */
static inline void assert_checked(bert_status (*check_file)(const char *path, bert_err *err), const char *path)
{
    enum { EACH = 3000, STRIDE = 997 };
    file_mapping m;
    assert_works(check_file(path, err));
    assert_works(file_map(&m, path, err));
    char *bytes = malloc(m.size + 1);
    memcpy(bytes, m.data, m.size);
    bytes[m.size] = 1;
    for (size_t n = 0; n < m.size; n += n < EACH ? 1 : STRIDE) {
        scratch_file("part", bytes, n);
        assert_int_equal(check_file(scratch("part"), NULL), BERT_ERR_FORMAT);
        bytes[n] ^= 0x15;
        scratch_file("part", bytes, m.size);
        check_file(scratch("part"), NULL);
        bytes[n] ^= 0x15;
    }
    scratch_file("part", bytes, m.size + 1);
    assert_int_equal(check_file(scratch("part"), NULL), BERT_ERR_FORMAT);
    file_unmap(&m);
    free(bytes);
}
