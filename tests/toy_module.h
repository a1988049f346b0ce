/* A small BERT with random weights, written as a module folder by the test itself, and random texts in its words. */
#ifndef TESTS_TOY_MODULE_H
#define TESTS_TOY_MODULE_H

#include "golden.h"

#include "arch/families.h"
#include "base/buffer.h"
#include "base/random.h"
#include "base/threads.h"
#include "models/model.h"
#include "base/scratch.h"

/* Zero fields are the usual ones: 3 layers of 40 channels in 5 heads, 48 positions, a pooler. */
typedef struct toy {
    int64_t layers, positions, seq_layer, hidden; /* seq_layer: 0 for the last, else counted from 1 */
    bool no_pooler;
} toy;

enum { TOY_HIDDEN = 40, TOY_POSITIONS = 48, TOY_LAYERS = 3 };

/* [PAD] ... and the letters, alone and as word ends. */
static inline char *toy_vocabulary(void)
{
    buffer b = { 0 };
    buffer_string(&b, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (char c = 'a'; c <= 'z'; c++)
        buffer_printf(&b, "%c\n##%c\n", c, c);
    char *text = arena_string(&golden_memory, b.data);
    buffer_free(&b);
    return text;
}

/* Weights large enough that a mistake shows; norms around 1. */
static inline void toy_fill(weight_list *list)
{
    random_stream r = { 5, 99, 0 };
    for (size_t i = 0; i < list->n; i++) {
        bert_param *p = &list->items[i];
        bool norm = strstr(p->name, "LayerNorm.weight") != NULL;
        float *x = arena_alloc(&golden_memory, weight_size(p) * sizeof *x);
        for (size_t k = 0; k < weight_size(p); k++)
            x[k] = (norm ? 1.0f : 0.0f) + random_normal(&r) * (p->cols > 1 ? 0.3f : 0.1f);
        p->value = x;
    }
}

/* Writes the module to the scratch folder/name and returns its path. */
static inline const char *toy_module(const char *name, toy t)
{
    bert_err err;
    weight_list list;
    char *vocabulary = toy_vocabulary(), *path = path_join(&golden_memory, scratch_folder, name);
    config c = { .family = &FAMILY_BERT,
                 .vocab_size = 57,
                 .hidden_size = t.hidden ? t.hidden : TOY_HIDDEN,
                 .num_attention_heads = 5,
                 .intermediate_size = 72,
                 .type_vocab_size = 2,
                 .hidden_act = ACTIVATION_GELU,
                 .hidden_dropout_prob = 0.1,
                 .attention_probs_dropout_prob = 0.1,
                 .head_dropout_prob = 0.1,
                 .layer_norm_eps = 1e-12,
                 .initializer_range = 0.02 };
    c.num_hidden_layers = t.layers ? t.layers : TOY_LAYERS;
    c.max_position_embeddings = t.positions ? t.positions : TOY_POSITIONS;
    check(weights_create(&list, &golden_memory, &c, (size_t)c.num_hidden_layers, !t.no_pooler, NULL, &err), &err);
    toy_fill(&list);
    bert_tokenizer *tokenizer;
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &tokenizer, &err), &err);
    module_parts parts = { .config = &c,
                           .weights = &list,
                           .vocabulary = vocabulary,
                           .vocabulary_size = strlen(vocabulary),
                           .tokenizer = tokenizer,
                           .seq_layer = t.seq_layer ? t.seq_layer - 1 : c.num_hidden_layers - 1 };
    check(module_write(&parts, path, &err), &err);
    bert_tokenizer_free(tokenizer);
    return path;
}

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

/* A model with a new head on the module. */
static inline bert_model *toy_model_of(const char *module, int pooling, int64_t seq_len, const bert_head_spec *head)
{
    bert_err err;
    bert_model *model;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.pooling = pooling;
    spec.seq_len = seq_len;
    spec.n_tune_layers = 1;
    check(bert_model_create(&spec, head, 11, &model, &err), &err);
    return model;
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

#endif
