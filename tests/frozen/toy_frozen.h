/* Frozen files of the toy module, what they answer, and files that say something else. */
#pragma once

#include "toy_model.h"

#include "base/size.h"
#include "frozen/frozen.h"

enum { N = 40, SEQ_LEN = 20, FP32 = 0, BF16 = 1, INT8 = 2, PRECISIONS = 3 };

typedef struct sample {
    bert_text texts[N], pairs[N];
} sample;

static inline sample random_sample(void)
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

static inline void ask(const bert_model *model, bool head, answers *a)
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

/* A model with one tuned layer, as if it had been trained: else the module alone would do. */
static inline bert_model *make_model(const char *module, int pooling, int64_t use_layers)
{
    size_t n;
    bert_layer_spec spec = toy_layer_spec(module, pooling, SEQ_LEN, 1);
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    spec.use_layers = use_layers;
    bert_model *model = new_model(&spec, &head);
    const bert_param *params = bert_layer_params(bert_model_layer(model), &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; params[i].tuned && k < params[i].rows * params[i].cols; k++)
            params[i].tuned[k] *= 1.1f;
    return model;
}

static inline void freeze_as(const bert_model *model, const char *path, int precision)
{
    bert_err err;
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    options.precision = precision;
    check(bert_model_freeze(model, path, &options, NULL, NULL, &err), &err);
}

/* A frozen file of pooling mean. */
static inline const char *frozen_toy(int precision)
{
    const char *path = scratch("toy.bert");
    bert_model *model = make_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 0);
    freeze_as(model, path, precision);
    bert_model_free(model);
    return path;
}

static inline double least_cosine(const float *a, const float *b, size_t n, size_t H)
{
    double least = 1;
    for (size_t i = 0; i < n; i++, a += H, b += H) {
        double ab = 0, aa = 0, bb = 0;
        for (size_t c = 0; c < H; c++) {
            ab += (double)a[c] * b[c];
            aa += (double)a[c] * a[c];
            bb += (double)b[c] * b[c];
        }
        least = fmin(least, ab / sqrt(aa * bb));
    }
    return least;
}

/* ---- files that say something else ------------------------------------------------------------------------------- */

/* An open frozen file, to be written again with changes and a header whose CRC is right. */
typedef struct opened {
    tensor_set set;
    json_t *metadata, *about; /* about: metadata's "libbert" */
    tensor *items;            /* (set.n) in their order in the file; room for one more */
    size_t n;
} opened;

static inline int by_address(const void *a, const void *b)
{
    const char *x = ((const tensor *)a)->data, *y = ((const tensor *)b)->data;
    return (x > y) - (x < y);
}

static inline opened open_parts(const char *path)
{
    bert_err err;
    opened o = { 0 };
    check(safetensors_open(&o.set, path, &o.metadata, &err), &err);
    const char *text = json_string_value(json_object_get(o.metadata, "libbert"));
    check(json_read_bytes(&o.about, text, strlen(text), "metadata", &err), &err);
    o.n = o.set.n;
    o.items = arena_array(&golden_memory, o.n + 1, sizeof *o.items);
    memcpy(o.items, o.set.items, o.n * sizeof *o.items);
    qsort(o.items, o.n, sizeof *o.items, by_address);
    return o;
}

/* Writes what `o` says by now, and closes it. */
static inline void write_parts(opened *o, const char *to)
{
    bert_err err;
    buffer header = { 0 };
    file_writer w;
    char *text = json_dumps(o->about, JSON_COMPACT);
    json_object_set_new(o->metadata, "libbert", json_string(text));
    check(safetensors_header(&header, to, o->items, o->n, o->metadata, &err), &err);
    assert_true(frozen_seal(&header));
    check(file_create(&w, to, &err), &err);
    safetensors_write_to(&w, &header, o->items, o->n);
    check(file_commit(&w, &err), &err);
    buffer_free(&header);
    free(text);
    json_decref(o->about);
    json_decref(o->metadata);
    tensors_close(&o->set);
}

/* What a file says is changed: its key `key` (with a dot: of an object in it) set to a JSON value, or removed for
 * NULL. */
static inline void rewrite(const char *path, const char *to, const char *key, const char *value)
{
    opened o = open_parts(path);
    json_t *object = o.about;
    const char *dot = strchr(key, '.');
    if (dot) {
        object = json_object_get(o.about, arena_copy(&golden_memory, key, (size_t)(dot - key)));
        key = dot + 1;
    }
    if (value)
        json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        assert_int_equal(json_object_del(object, key), 0);
    write_parts(&o, to);
}
