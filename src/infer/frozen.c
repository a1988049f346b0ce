/* Freezing a model, and opening a frozen file. */
#include "infer/frozen.h"

#include "base/file.h"
#include "io/json.h"
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

/* ---- freeze --------------------------------------------------------------------------------------------------------------- */

/* The weights that prediction reads: the layers up to the one that is pooled, the pooler where it is asked for, the head. */
static bert_status needed_weights(const bert_model *m, weight_list *list, output_request *request, arena *a, bert_err *err)
{
    const bert_layer *l = m->layer;
    bert_status s = request_of_pooling(request, (bert_pooling)l->spec.pooling, l, err);
    if (!s)
        s = request_weights(request, l, &l->weights.head, list, a, err);
    if (s)
        return s;
    for (size_t i = 0; i < list->n; i++)
        if (!list->items[i].value)
            return fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; choose another pooling before freezing");
    return BERT_OK;
}

/* What the file says of itself. */
static json_t *description(const bert_model *m, size_t n_layers)
{
    config c = m->layer->config;
    c.num_hidden_layers = (int64_t)n_layers;
    c.hidden_dropout_prob = c.attention_probs_dropout_prob = 0;
    bert_layer_spec spec = m->layer->spec;
    spec.n_tune_layers = 0;
    spec.tune_embeddings = false;
    spec.use_layers = 0;
    spec.outputs = "output";
    output_request tokens;
    request_of_pooling(&tokens, BERT_POOLING_NONE, m->layer, NULL); /* cannot fail */
    json_t *json = json_pack("{s:s, s:i, s:o, s:o, s:i, s:b}", "format", "libbert.frozen", "version", FROZEN_VERSION, "config",
                             config_to_json(&c), "layer", layer_spec_to_json(&spec, NULL), "seq_layer", tokens.layer, "do_lower_case",
                             m->module->do_lower_case);
    if (!json)
        return NULL;
    head_to_json(m, json);
    const char *output = m->task ? "scores" : "output";
    json_object_set_new(json, "signature",
                        json_pack("{s:[s,s,s], s:[s]}", "inputs", "input_ids", "input_mask", "segment_ids", "outputs", output));
    return json;
}

static bert_status write_frozen(const bert_model *m, const char *path, arena *a, bert_err *err)
{
    weight_list list;
    output_request request;
    bert_status s = needed_weights(m, &list, &request, a, err);
    if (s)
        return s;
    tensor *items = arena_array(a, list.n, sizeof *items);
    const bert_module *module = m->module;
    json_t *about = description(m, list.layers), *metadata = json_object();
    char *text = about ? json_dumps(about, JSON_COMPACT) : NULL;
    json_decref(about);
    if (!items || !text || !metadata)
        s = fail_memory(err, path);
    else if (json_object_set_new(metadata, "format", json_string("pt")) || json_object_set_new(metadata, "libbert", json_string(text)) ||
             json_object_set_new(metadata, "vocabulary", json_stringn(module->vocabulary, module->vocabulary_size)))
        s = fail(err, BERT_ERR_FORMAT, "%s: the vocabulary is not UTF-8", module->path);
    else if (memchr(module->vocabulary, 0, module->vocabulary_size))
        s = fail(err, BERT_ERR_FORMAT, "%s: the vocabulary holds a NUL", module->path);
    else
        s = safetensors_write(path, items, weights_to_tensors(&list, false, items), metadata, err);
    free(text);
    json_decref(metadata);
    return s;
}

bert_status bert_model_freeze(const bert_model *model, const char *path, bert_err *err)
{
    arena a = { 0 };
    bert_status s = write_frozen(model, path, &a, err);
    arena_free(&a);
    return s;
}

/* ---- open ----------------------------------------------------------------------------------------------------------------- */

bool frozen_is(const char *path)
{
    tensor_set set = { 0 };
    json_t *metadata = NULL;
    bool is = !file_is_folder(path) && !safetensors_open(&set, path, &metadata, NULL) && json_is_string(json_object_get(metadata, "libbert")) &&
              json_is_string(json_object_get(metadata, "vocabulary"));
    tensors_close(&set);
    json_decref(metadata);
    return is;
}

/* The module inside the file: tensors stay where they are mapped. */
static bert_status open_module(bert_module *m, const char *path, const json_t *about, const json_t *vocabulary, const head_shape *head,
                               bert_err *err)
{
    json_t *configuration;
    bool do_lower_case = true, pooler;
    m->frozen = true;
    m->path = arena_string(&m->memory, path);
    bert_status s = m->path ? json_get_object(about, "config", &configuration, path, err) : fail_memory(err, path);
    if (!s)
        s = config_parse(configuration, &m->config, path, err);
    if (!s)
        s = json_get_bool_or(about, "do_lower_case", true, &do_lower_case, path, err);
    if (s)
        return s;
    char *where = arena_printf(&m->memory, "%s: vocabulary", path);
    s = where ? module_set_vocabulary(m, json_string_value(vocabulary), json_string_length(vocabulary), do_lower_case, where, err)
              : fail_memory(err, path);
    if (s)
        return s;
    weight_naming naming = { "", false };
    pooler = weights_have_pooler(&m->tensors, naming);
    int64_t last = m->config.num_hidden_layers - 1;
    s = json_get_int_or(about, "seq_layer", 0, last, last, &m->seq_layer, path, err);
    if (!s)
        s = weights_create(&m->weights, &m->memory, &m->config, (size_t)m->config.num_hidden_layers, pooler, head, err);
    return s ? s : weights_read(&m->weights, &m->memory, &m->tensors, naming, path, err);
}

static bert_status open_parts(bert_module *module, const char *path, const json_t *metadata, bert_model **model, bert_err *err)
{
    const json_t *about_text = json_object_get(metadata, "libbert"), *vocabulary = json_object_get(metadata, "vocabulary");
    arena a = { 0 };
    json_t *about = NULL, *layer;
    bert_layer_spec spec;
    head_spec head = { 0 };
    bert_status s = BERT_OK;
    if (!json_is_string(about_text) || !json_is_string(vocabulary))
        s = fail(err, BERT_ERR_FORMAT, "%s: a safetensors file, but no frozen model (its metadata lacks \"libbert\" or \"vocabulary\")", path);
    if (!s)
        s = json_read_bytes(&about, json_string_value(about_text), json_string_length(about_text), path, err);
    if (!s)
        s = json_check_format(about, "libbert.frozen", FROZEN_VERSION, path, err);
    if (!s)
        s = json_get_object(about, "layer", &layer, path, err);
    if (!s)
        s = layer_spec_from_json(layer, &spec, path, err);
    if (!s && json_object_get(about, "task"))
        s = head_from_json(about, &head, &a, path, err);
    if (!s)
        s = open_module(module, path, about, vocabulary, &(head_shape){ head.outputs, head.hidden }, err);
    if (!s && spec.pooling == BERT_POOLING_CLS && !module->weights.pooler)
        s = fail(err, BERT_ERR_FORMAT, "%s: pooling cls, but no pooler", path);
    if (s)
        bert_module_free(module);
    else {
        spec.module = NULL;
        spec.n_tune_layers = 0;
        spec.tune_embeddings = false;
        s = model_create(module, &spec, head.task ? &head : NULL, 0, model, err);
        if (s)
            fail_in(err, s, "%s", path);
    }
    json_decref(about);
    arena_free(&a);
    return s;
}

bert_status frozen_open(const char *path, bert_model **model, bert_err *err)
{
    *model = NULL;
    bert_module *module = calloc(1, sizeof *module);
    if (!module)
        return fail_memory(err, path);
    json_t *metadata = NULL;
    bert_status s = safetensors_open(&module->tensors, path, &metadata, err);
    if (s == BERT_ERR_FORMAT)
        fail_in(err, s, "not a frozen model, or a damaged one");
    if (s)
        bert_module_free(module);
    else
        s = open_parts(module, path, metadata, model, err);
    json_decref(metadata);
    return s;
}
