/* A model as llama.cpp reads BERT: the encoder's tensors under its names, and the vocabulary. Names and keys:
 * gguf-py/gguf/constants.py and conversion of BertModel in ggml-org/llama.cpp. */
#include "text/token_pipeline.h"
#include "text/tokenizer.h"
#include "exports/export.h"
#include "exports/gguf_vocabulary.h"

#include "base/file.h"
#include "formats/target.h"

#include <stdio.h>

enum { POOLING_NONE = 0, POOLING_MEAN = 1, POOLING_CLS = 2, POOLING_ABSENT = -1 };

/* What a pooling is there, and what the user should know where it is not quite the same. */
static const struct {
    int type;
    const char *note;
} POOLINGS[] = {
    [BERT_POOLING_AUTO] = { POOLING_ABSENT, NULL }, /* never here */
    [BERT_POOLING_NONE] = { POOLING_NONE, NULL },
    [BERT_POOLING_CLS] = { POOLING_CLS, "pooling cls: llama.cpp has no pooler; the file gives the vector of [CLS] "
                                        "itself, as pooling cls_raw does" },
    [BERT_POOLING_CLS_RAW] = { POOLING_CLS, NULL },
    [BERT_POOLING_MEAN] = { POOLING_MEAN, NULL },
    [BERT_POOLING_SQRT_MEAN] = { POOLING_MEAN, "pooling sqrt_mean: the file gives the mean, which has the same "
                                               "direction and another length" },
    [BERT_POOLING_MAX] = { POOLING_ABSENT, NULL },
};

/* Words of bert_export_options.type. */
static const struct {
    gguf_type type;
    uint32_t file_type; /* general.file_type */
} TYPES[] = { [EXPORT_F32] = { GGUF_F32, 0 }, [EXPORT_F16] = { GGUF_F16, 1 }, [EXPORT_Q8_0] = { GGUF_Q8_0, 7 } };

typedef struct gguf_export {
    export_model model;
    gguf_file file;
    const bert_param **weights; /* those of the file, in its order */
    arena memory, floats;       /* floats: of the weight that is being written */
    bool f16_instead;           /* a matrix whose rows do not divide into blocks */
} gguf_export;

/* Matrices and the word embeddings take the type that is asked for; all else is f32. */
static bert_status add_tensor(gguf_export *x, size_t i, gguf_type type, bert_err *err)
{
    const weight_list *list = &x->model.weights;
    const bert_param *p = &list->items[i];
    const weight_place *at = &list->places[i];
    weight_kind kind = weight_id_kind(at->id);
    char name[WEIGHT_NAME_SIZE];
    if (!weight_name(name, (weight_naming){ list->family, NAMES_GGUF, NULL }, at->id, at->layer))
        return BERT_OK;
    gguf_tensor t = { .name = arena_string(&x->memory, name), .type = GGUF_F32, .rows = p->rows };
    if (kind == WEIGHT_MATRIX || at->id == WORD_EMBEDDINGS)
        t.type = type;
    t.cols = kind == WEIGHT_MATRIX || kind == WEIGHT_TABLE ? p->cols : 0;
    if (!t.name)
        return fail_memory(err, p->name);
    if (t.type == GGUF_Q8_0 && t.cols % GGUF_BLOCK) {
        t.type = GGUF_F16;
        x->f16_instead = true;
    }
    x->weights[x->file.n_tensors] = p;
    gguf_add_tensor(&x->file, t);
    return BERT_OK;
}

static bert_status gguf_export_add_tensors(gguf_export *x, gguf_type type, bert_err *err)
{
    bert_status s = BERT_OK;
    x->weights = arena_array(&x->memory, x->model.weights.n, sizeof *x->weights);
    if (!x->weights)
        return fail_memory(err, "the list of tensors");
    for (size_t i = 0; !s && i < x->model.weights.n; i++)
        s = add_tensor(x, i, type, err);
    return s;
}

/* A key of the architecture's own; gguf_ functions copy it. */
static const char *architecture_key(char out[64], const config *c, const char *key)
{
    snprintf(out, 64, "%s.%s", c->family->gguf, key);
    return out;
}

static void add_keys(gguf_export *x, int type)
{
    gguf_file *g = &x->file;
    const config *c = &x->model.config;
    char key[64];
    const char *name = path_name(x->model.model->module->path);
    gguf_string(g, "general.architecture", c->family->gguf);
    gguf_string(g, "general.type", "model");
    gguf_string(g, TARGET_MARK ".version", BERT_VERSION);
    gguf_string(g, "general.name", *name ? name : c->family->name);
    gguf_uint32(g, "general.alignment", GGUF_ALIGNMENT);
    gguf_uint32(g, "general.file_type", TYPES[type].file_type);
    if (type == EXPORT_Q8_0)
        gguf_uint32(g, "general.quantization_version", 2);
    gguf_uint32(g, architecture_key(key, c, "context_length"), (uint32_t)c->max_position_embeddings);
    gguf_uint32(g, architecture_key(key, c, "embedding_length"), (uint32_t)c->hidden_size);
    gguf_uint32(g, architecture_key(key, c, "feed_forward_length"), (uint32_t)c->intermediate_size);
    gguf_uint32(g, architecture_key(key, c, "block_count"), (uint32_t)c->num_hidden_layers);
    gguf_uint32(g, architecture_key(key, c, "attention.head_count"), (uint32_t)c->num_attention_heads);
    gguf_float32(g, architecture_key(key, c, "attention.layer_norm_epsilon"), (float)c->layer_norm_eps);
    gguf_bool(g, architecture_key(key, c, "attention.causal"), false);
    gguf_uint32(g, architecture_key(key, c, "pooling_type"), (uint32_t)POOLINGS[x->model.pooling].type);
}

/* Whether llama.cpp can compute this model. */
static bert_status check(const export_model *e, bert_err *err)
{
    activation act = e->config.hidden_act;
    if (!e->config.family->gguf)
        return fail(err, BERT_ERR_UNSUPPORTED, "model_type %s: llama.cpp has no architecture that computes the same",
                    e->config.family->name);
    if (act != ACTIVATION_GELU && act != ACTIVATION_GELU_TANH)
        return fail(err, BERT_ERR_UNSUPPORTED, "hidden_act %s: llama.cpp computes BERT with gelu alone",
                    config_activation_name(act));
    if (e->model->module->tokenizer->pipeline)
        return fail(err, BERT_ERR_UNSUPPORTED,
                    "the tokenizer is a pipeline (%s); libbert writes those of word pieces into GGUF files",
                    pipeline_model_name(e->model->module->tokenizer->pipeline));
    if (POOLINGS[e->pooling].type == POOLING_ABSENT)
        return fail(err, BERT_ERR_UNSUPPORTED, "pooling %s: llama.cpp has none, mean, cls_raw",
                    POOLING_WORDS[e->pooling]);
    return BERT_OK;
}

static void gguf_export_tell(const gguf_export *x, buffer *notes)
{
    const export_model *e = &x->model;
    if (e->weights.head.outputs)
        buffer_printf(notes, "task %s: the file gives vectors; the head is not part of it\n", e->task->name);
    if (POOLINGS[e->pooling].note)
        buffer_printf(notes, "%s\n", POOLINGS[e->pooling].note);
    if (e->model->normalize)
        buffer_string(notes, "the model's vectors have length 1; the file cannot say so, llama.cpp's --embd-normalize "
                             "2 (its default) makes them so\n");
    export_tell_tokenizer(e, BERT_EXPORT_GGUF, notes);
    gguf_tell_scripts(e->model->module->tokenizer, notes);
    if (x->f16_instead)
        buffer_printf(notes, "type q8_0 takes rows of a multiple of %d numbers; matrices with others are f16\n",
                      GGUF_BLOCK);
}

static bert_status gguf_export_values(void *context, size_t i, const float **out, bert_err *err)
{
    gguf_export *x = context;
    arena_reset(&x->floats);
    return export_floats(&x->model, x->weights[i], &x->floats, out, err);
}

static bert_status write_file(gguf_export *x, const char *path, int type, bert_err *err)
{
    const bert_module *module = x->model.model->module;
    uint32_t token_types = (uint32_t)x->model.config.type_vocab_size;
    bert_status s = check(&x->model, err);
    if (s)
        return s;
    add_keys(x, type);
    s = gguf_add_vocabulary(&x->file, module->tokenizer, (size_t)module->config.vocab_size, token_types, &x->memory,
                            err);
    if (!s)
        s = gguf_export_add_tensors(x, TYPES[type].type, err);
    return s ? s : gguf_write(&x->file, path, gguf_export_values, x, err);
}

bert_status export_gguf(const bert_model *model, const char *path, const bert_export_options *options, buffer *notes,
                        bert_err *err)
{
    gguf_export x = { 0 };
    bert_status s = export_model_open(&x.model, model, &x.memory, err);
    if (!s)
        s = write_file(&x, path, options->type, err);
    if (!s)
        gguf_export_tell(&x, notes);
    gguf_free(&x.file);
    arena_free(&x.floats);
    arena_free(&x.memory);
    return s;
}
