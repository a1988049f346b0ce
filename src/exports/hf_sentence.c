/* sentence-transformers' files: modules.json names the steps from a text to its vector, each with a folder for what it
 * must know. */
#include "exports/hf.h"

#include "base/file.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/safetensors.h"

#include <string.h>

/* Its name of a pooling; the key that versions before 5.7 read. The pooler is a dense layer with tanh behind cls. */
static const struct {
    const char *mode, *key;
} POOLINGS[] = {
    [BERT_POOLING_CLS] = { "cls", "pooling_mode_cls_token" },
    [BERT_POOLING_CLS_RAW] = { "cls", "pooling_mode_cls_token" },
    [BERT_POOLING_MEAN] = { "mean", "pooling_mode_mean_tokens" },
    [BERT_POOLING_SQRT_MEAN] = { "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens" },
    [BERT_POOLING_MAX] = { "max", "pooling_mode_max_tokens" },
};

typedef struct sentence_folder {
    const export_model *read;
    const char *path;
    arena memory;
    json_t *modules;
} sentence_folder;

/* folder "" is the outermost. */
static bert_status write_sentence_json(sentence_folder *f, const char *folder, const char *name, json_t *json,
                                       bert_err *err)
{
    char *inner = arena_printf(&f->memory, "%s/%s", f->path, folder),
         *path = inner ? path_join(&f->memory, inner, name) : NULL;
    bert_status s = path && json ? folder_create(inner, err) : fail_memory(err, name);
    if (!s)
        s = json_write_file(json, path, err);
    json_decref(json);
    return s;
}

/* Another step, of the class that all versions know by this name; its folder is "1_Pooling", the encoder's the
 * outermost. */
static char *add_step(sentence_folder *f, const char *type)
{
    size_t number = json_array_size(f->modules);
    char *place = arena_printf(&f->memory, "%zu", number),
         *name = arena_printf(&f->memory, "sentence_transformers.models.%s", type);
    char *folder = number ? arena_printf(&f->memory, "%zu_%s", number, type) : arena_string(&f->memory, "");
    if (!place || !name || !folder)
        return NULL;
    json_add(&f->modules,
             json_pack("{s:I, s:s, s:s, s:s}", "idx", (json_int_t)number, "name", place, "path", folder, "type", name));
    return folder;
}

static bert_status add_pooling(sentence_folder *f, bert_err *err)
{
    char *folder = add_step(f, "Pooling");
    const char *mode = POOLINGS[f->read->pooling].mode;
    json_t *json = json_pack("{s:I}", "word_embedding_dimension", (json_int_t)f->read->config.hidden_size);
    for (int i = BERT_POOLING_CLS_RAW; i <= BERT_POOLING_MAX; i++)
        json_put(&json, POOLINGS[i].key, json_boolean(!strcmp(POOLINGS[i].mode, mode)));
    if (folder)
        return write_sentence_json(f, folder, "config.json", json, err);
    json_decref(json);
    return fail_memory(err, "1_Pooling");
}

/* BERT's pooler as a dense layer with tanh. */
static bert_status add_pooler(sentence_folder *f, bert_err *err)
{
    const export_model *e = f->read;
    int64_t H = e->config.hidden_size;
    const bert_param *pooler = weight_at(&e->weights, POOLER_WEIGHT, 0);
    const float *weight, *bias;
    char *folder = add_step(f, "Dense"),
         *path = folder ? arena_printf(&f->memory, "%s/%s/model.safetensors", f->path, folder) : NULL;
    if (!path)
        return fail_memory(err, "2_Dense");
    json_t *json = json_pack("{s:I, s:I, s:b, s:s}", "in_features", (json_int_t)H, "out_features", (json_int_t)H,
                             "bias", 1, "activation_function", "torch.nn.modules.activation.Tanh");
    bert_status s = write_sentence_json(f, folder, "config.json", json, err);
    if (!s)
        s = export_floats(e, pooler, &f->memory, &weight, err);
    if (!s)
        s = export_floats(e, pooler + 1, &f->memory, &bias, err);
    if (s)
        return s;
    tensor items[] = {
        { .name = "linear.weight",
          .type = DTYPE_F32,
          .rank = 2,
          .shape = { H, H },
          .n = (size_t)(H * H),
          .data = weight },
        { .name = "linear.bias", .type = DTYPE_F32, .rank = 1, .shape = { H }, .n = (size_t)H, .data = bias },
    };
    return safetensors_write_torch(path, items, 2, NULL, err);
}

static bert_status add_normalize(sentence_folder *f, bert_err *err)
{
    char *folder = add_step(f, "Normalize"), *path = folder ? path_join(&f->memory, f->path, folder) : NULL;
    return path ? folder_create(path, err) : fail_memory(err, "Normalize");
}

static bert_status write_sentence_files(sentence_folder *f, bert_err *err)
{
    const export_model *e = f->read;
    const bert_model *m = e->model;
    if (!f->modules || !add_step(f, "Transformer"))
        return fail_memory(err, "modules.json");
    bert_status s = add_pooling(f, err);
    if (!s && e->pooling == BERT_POOLING_CLS)
        s = add_pooler(f, err);
    if (!s && m->normalize)
        s = add_normalize(f, err);
    if (!s)
        s = write_sentence_json(
            f, "", "sentence_bert_config.json",
            json_pack("{s:I, s:b}", "max_seq_length", (json_int_t)m->layer->spec.seq_len, "do_lower_case", 0), err);
    if (!s)
        s = write_sentence_json(
            f, "", "config_sentence_transformers.json",
            json_pack("{s:{}, s:n, s:s}", "prompts", "default_prompt_name", "similarity_fn_name", "cosine"), err);
    return s ? s : write_sentence_json(f, "", "modules.json", json_incref(f->modules), err);
}

bert_status hf_write_sentence(const export_model *e, const char *folder, bert_err *err)
{
    sentence_folder f = { .read = e, .path = folder, .modules = json_array() };
    bert_status s = write_sentence_files(&f, err);
    json_decref(f.modules);
    arena_free(&f.memory);
    return s;
}
