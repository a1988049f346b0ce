/* A folder for transformers and sentence-transformers: config.json, model.safetensors, the tokenizer's files, and where
 * there is no head with weights the files by which sentence-transformers pools. */
#include "exports/hf.h"

#include "base/file.h"
#include "formats/json.h"
#include "formats/safetensors.h"

#include <string.h>

typedef struct hf_export {
    const bert_model *model;
    export_model read;
    hf_head head;        /* rows 0: there is none */
    weight_list weights; /* as transformers has them */
    arena memory;
    buffer *notes;
} hf_export;

/* The pooler that goes into the file: the head's, the model's, or for vectors that are taken without it the module's,
 * so that it is not lost. */
static bert_status take_pooler(hf_export *x, bert_err *err)
{
    const bert_module *module = x->model->module;
    const bert_param *own = weight_at(&x->read.weights, POOLER_WEIGHT, 0);
    bert_param *pooler = weight_at(&x->weights, POOLER_WEIGHT, 0);
    if (!pooler || (x->head.dense && x->head.form->pooled))
        return BERT_OK;
    if (!own) {
        own = weight_at(&module->weights, POOLER_WEIGHT, 0);
        pooler[0].value = own[0].value;
        pooler[1].value = own[1].value;
        return BERT_OK;
    }
    bert_status s = export_floats(&x->read, own, &x->memory, &pooler[0].value, err);
    return s ? s : export_floats(&x->read, own + 1, &x->memory, &pooler[1].value, err);
}

/* What transformers' class has for the head, and calls by names of its own. */
static void take_head(hf_export *x)
{
    const hf_head *h = &x->head;
    bert_param *before = weight_at(&x->weights, h->form->pooled ? POOLER_WEIGHT : HEAD_HIDDEN_WEIGHT, 0);
    bert_param *last = weight_at(&x->weights, HEAD_WEIGHT, 0);
    for (int i = 0; i < 2; i++) {
        if (h->dense)
            before[i].value = i ? h->dense_bias : h->dense;
        if (h->dense && !h->form->pooled)
            before[i].name = h->form->hidden[i];
        last[i].value = i ? h->bias : h->classifier;
        last[i].name = h->form->last[i];
    }
}

/* A module keeps the pooler that it does not use itself. */
static bool spare_pooler(const hf_export *x)
{
    const bert_module *module = x->model->module;
    const bert_param *pooler = weight_at(&module->weights, POOLER_WEIGHT, 0);
    return !x->model->task && pooler && pooler->value &&
           x->read.weights.layers == (size_t)module->config.num_hidden_layers;
}

static bert_status take_weights(hf_export *x, bert_err *err)
{
    const weight_list *from = &x->read.weights;
    const hf_head *h = &x->head;
    bool pooler = h->rows ? h->form->pooled : from->pooler || spare_pooler(x);
    head_shape shape = { h->rows, h->dense && !h->form->pooled ? (size_t)x->read.config.hidden_size : 0 };
    bert_status s = weights_create(&x->weights, &x->memory, &x->read.config, from->layers, pooler, &shape, err);
    /* Both lists begin with the embeddings and the same layers. */
    for (size_t i = 0; !s && i < x->weights.n && weight_group_of(&x->weights, i) < GROUP_POOLER; i++)
        s = export_floats(&x->read, &from->items[i], &x->memory, &x->weights.items[i].value, err);
    if (!s)
        s = take_pooler(x, err);
    if (!s && h->rows)
        take_head(x);
    return s;
}

static bert_status hf_write_weights(hf_export *x, const char *path, bert_err *err)
{
    tensor *items = arena_array(&x->memory, x->weights.n, sizeof *items);
    if (!items)
        return fail_memory(err, path);
    size_t n = weights_to_tensors(&x->weights, false, items);
    const char *prefix = x->read.config.family->head_prefix;
    for (size_t i = 0; i < n && x->head.rows; i++) /* every entry has a value: items are in the list's order */
        if (weight_group_of(&x->weights, i) != GROUP_HEAD &&
            !(items[i].name = arena_printf(&x->memory, "%s%s", prefix, items[i].name)))
            return fail_memory(err, path);
    return safetensors_write_torch(path, items, n, "export", err);
}

static bert_status write_config(hf_export *x, const char *path, bert_err *err)
{
    json_t *json = config_to_json(&x->read.config);
    if (x->head.rows)
        hf_head_to_config(&x->head, &x->read, &json);
    bert_status s = json ? json_write_file(json, path, err) : fail_memory(err, path);
    json_decref(json);
    return s;
}

static bert_status hf_write_files(hf_export *x, const char *folder, bert_err *err)
{
    const bert_module *module = x->model->module;
    module_parts parts = { .config = &x->read.config,
                           .vocabulary = module->vocabulary,
                           .vocabulary_size = module->vocabulary_size,
                           .tokenizer = module->tokenizer,
                           .vectors.seq_len = x->model->layer->spec.seq_len };
    char *configuration = path_join(&x->memory, folder, "config.json"),
         *weights = path_join(&x->memory, folder, "model.safetensors");
    bert_status s = configuration && weights ? module_write_tokenizer(&parts, folder, err) : fail_memory(err, folder);
    if (!s)
        s = write_config(x, configuration, err);
    if (!s)
        s = hf_write_weights(x, weights, err);
    if (!s && !x->head.rows && x->read.pooling != BERT_POOLING_NONE)
        s = hf_write_sentence(&x->read, folder, err);
    return s;
}

static void note_scale(const hf_export *x)
{
    const task *t = x->read.task;
    if (t && t->form == ROW_APART)
        buffer_printf(
            x->notes,
            "task %s: the folder gives vectors, whose cosine is 0 where the model says %g and 1 where it says %g\n",
            t->name, x->model->label_min, x->model->label_max);
}

bert_status export_hf(const bert_model *model, const char *path, const bert_export_options *options, buffer *notes,
                      bert_err *err)
{
    (void)options;
    hf_export x = { .model = model, .notes = notes };
    folder_writer w;
    bert_status s = export_model_open(&x.read, model, &x.memory, err);
    if (!s && model->outputs)
        s = hf_head_make(&x.head, &x.read, &x.memory, notes, err);
    if (!s)
        s = take_weights(&x, err);
    if (!s)
        s = folder_begin(&w, path, err);
    if (!s)
        s = folder_end(&w, hf_write_files(&x, w.temporary, err), err);
    if (!s) {
        note_scale(&x);
        export_tell_tokenizer(&x.read, BERT_EXPORT_HF, notes);
    }
    arena_free(&x.memory);
    return s;
}
