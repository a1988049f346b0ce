/* Models on the toy module, their sessions, and random texts in its letters. */
#pragma once

#include "toy_module.h"

#include "base/threads.h"
#include "models/model.h"

/* n letters, each a token of its own. */
static inline bert_text toy_text(random_stream *r, size_t n)
{
    char *text = arena_alloc(&golden_memory, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = (char)('a' + random_below(r, 26));
        text[2 * i + 1] = ' ';
    }
    return (bert_text){ text, 2 * n };
}

static inline bert_text text_of(const char *words)
{
    return (bert_text){ words, strlen(words) };
}

static const char *const TOY_BINARY[] = { "0", "1" };

static inline bert_head_spec toy_head(int task, const char *const *labels, size_t n)
{
    bert_head_spec head;
    bert_head_defaults(&head);
    head.task = task;
    head.labels = labels;
    head.n_labels = n;
    return head;
}

static inline bert_layer_spec toy_layer_spec(const char *module, int pooling, int64_t seq_len, int64_t n_tune_layers)
{
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.pooling = pooling;
    spec.seq_len = seq_len;
    spec.n_tune_layers = n_tune_layers;
    return spec;
}

/* A model with a new head. */
static inline bert_model *new_model(const bert_layer_spec *spec, const bert_head_spec *of_task)
{
    bert_err err;
    bert_model *model;
    check(bert_model_create(spec, of_task, 11, &model, &err), &err);
    return model;
}

static inline bert_model *toy_model_of(const char *module, int pooling, int64_t seq_len, const bert_head_spec *head)
{
    bert_layer_spec spec = toy_layer_spec(module, pooling, seq_len, 1);
    return new_model(&spec, head);
}

static inline bert_model *toy_model(const char *module, int pooling, int64_t seq_len)
{
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    return toy_model_of(module, pooling, seq_len, &head);
}

static inline bert_model *load_model(const char *path)
{
    bert_err err;
    bert_model *model;
    check(bert_model_load(path, &model, &err), &err);
    return model;
}

static inline bert_session *open_session(const bert_model *model, int64_t seq_len, int pooling, bool normalize)
{
    bert_err err;
    bert_session *session;
    bert_session_options options;
    bert_session_defaults(&options);
    options.seq_len = seq_len;
    options.pooling = pooling;
    options.normalize = normalize;
    check(bert_session_create(model, &options, &session, &err), &err);
    return session;
}
