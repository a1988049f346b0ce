/* A model's architecture as JSON (model.json), and the model folder: model.json, weights.safetensors, with copy_module also module/. */
#include "base/file.h"
#include "base/options.h"
#include "io/json.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

static bool is_address(const char *path)
{
    return !strncmp(path, "http://", 7) || !strncmp(path, "https://", 8);
}

/* ---- parts ---------------------------------------------------------------------------------------------------------------- */

json_t *layer_spec_to_json(const bert_layer_spec *spec, const char *module_path)
{
    bert_option_table table = bert_layer_option_table();
    json_t *json = json_object();
    for (size_t i = 0; json && i < table.n; i++) {
        const bert_option *o = &table.options[i];
        const void *field = (const char *)spec + o->offset;
        json_t *value = NULL;
        if (o->offset == offsetof(bert_layer_spec, module))
            value = module_path ? json_string(module_path) : NULL;
        else if (o->type == BERT_OPTION_BOOL)
            value = json_boolean(*(const bool *)field);
        else if (o->type == BERT_OPTION_INT)
            value = json_integer((json_int_t) * (const int64_t *)field);
        else if (o->type == BERT_OPTION_CHOICE)
            value = json_string(o->choices[*(const int *)field]);
        else if (o->type == BERT_OPTION_STRING)
            value = json_string(*(const char *const *)field);
        if (value)
            json_object_set_new(json, o->name, value);
    }
    return json;
}

bert_status layer_spec_from_json(const json_t *json, bert_layer_spec *spec, const char *where, bert_err *err)
{
    bert_layer_defaults(spec);
    const char *key;
    json_t *value;
    bert_status s = BERT_OK;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        char number[32];
        const char *text = json_string_value(value);
        if (json_is_integer(value)) {
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
            text = number;
        } else if (json_is_boolean(value))
            text = json_is_true(value) ? "true" : "false";
        if (!text)
            return fail(err, BERT_ERR_FORMAT, "%s: layer: \"%s\" is neither text, number nor boolean", where, key);
        s = bert_options_set(spec, bert_layer_option_table(), key, text, err);
        if (s)
            return fail_in(err, BERT_ERR_FORMAT, "%s: layer", where);
    }
    return BERT_OK;
}

void head_to_json(const bert_model *m, json_t *json)
{
    if (!m->task)
        return;
    json_t *labels = json_array();
    for (size_t i = 0; i < m->n_labels; i++)
        json_array_append_new(labels, json_string(m->labels[i]));
    json_object_set_new(json, "task", json_string(m->task));
    json_object_set_new(json, "labels", labels);
    json_object_set_new(json, "head", json_pack("{s:s, s:I}", "type", "dense", "outputs", (json_int_t)m->outputs));
}

bert_status head_from_json(const json_t *json, head_spec *head, arena *a, const char *where, bert_err *err)
{
    json_t *object, *labels = json_object_get(json, "labels");
    const char *type;
    int64_t outputs;
    bert_status s = json_get_string(json, "task", &head->task, where, err);
    if (!s)
        s = json_get_object(json, "head", &object, where, err);
    if (!s)
        s = json_get_string(object, "type", &type, where, err);
    if (!s && strcmp(type, "dense"))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: head of type \"%s\", expected \"dense\"", where, type);
    if (!s)
        s = json_get_int(object, "outputs", 1, 1 << 20, &outputs, where, err);
    if (!s && (!json_is_array(labels) || json_array_size(labels) < 2))
        s = fail(err, BERT_ERR_FORMAT, "%s: \"labels\" is no array of at least two words", where);
    if (s)
        return s;
    head->outputs = (size_t)outputs;
    head->n_labels = json_array_size(labels);
    const char **words = arena_array(a, head->n_labels, sizeof *words);
    if (!words)
        return fail_memory(err, where);
    for (size_t i = 0; i < head->n_labels; i++)
        if (!(words[i] = json_string_value(json_array_get(labels, i))))
            return fail(err, BERT_ERR_FORMAT, "%s: label %zu is no text", where, i);
    head->labels = words;
    return BERT_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

/* The module's path as model.json in `folder` holds it. */
static const char *path_for_json(const bert_model *m, const char *folder, arena *a, bert_err *err)
{
    const char *path = m->layer->spec.module;
    if (!path || !folder || is_address(path))
        return path;
    const char *relative = path_relative(a, path, folder);
    if (!relative)
        fail_errno(err, "%s: cannot find the way from %s", path, folder);
    return relative;
}

static json_t *model_json(const bert_model *m, const char *module_path)
{
    json_t *json = json_pack("{s:s, s:i, s:o}", "format", "libbert.model", "version", MODEL_VERSION, "layer",
                             layer_spec_to_json(&m->layer->spec, module_path));
    if (json && m->module->weights_sha256[0])
        json_object_set_new(json, "module_sha256", json_string(m->module->weights_sha256));
    if (json)
        head_to_json(m, json);
    return json;
}

bert_status bert_model_to_json(const bert_model *model, const char *folder, char **out, bert_err *err)
{
    arena a = { 0 };
    *out = NULL;
    const char *path = path_for_json(model, folder, &a, err);
    json_t *json = path ? model_json(model, path) : NULL;
    *out = json ? json_text(json) : NULL;
    json_decref(json);
    arena_free(&a);
    return *out ? BERT_OK : !path ? BERT_ERR_IO : fail_memory(err, "model.json");
}

/* Opens the module that a model.json names, and tells of the model where it is gone or another. */
static bert_status open_module(const json_t *json, const bert_layer_spec *spec, const char *folder, const char *where, bert_module **module,
                               bert_err *err)
{
    if (!spec->module)
        return fail(err, BERT_ERR_FORMAT, "%s: layer: no \"module\"", where);
    arena a = { 0 };
    char *path = folder && !is_address(spec->module) ? path_join(&a, folder, spec->module) : arena_string(&a, spec->module);
    bert_status s = path ? BERT_OK : fail_memory(err, where);
    if (!s && !is_address(path) && !file_exists(path))
        s = fail(err, BERT_ERR_IO, "%s: the module that the model was trained on is not at %s; put it back or train with --copy-module", where, path);
    if (!s)
        s = bert_module_open(path, module, err);
    arena_free(&a);
    const char *expected;
    if (!s)
        s = json_get_string_or(json, "module_sha256", "", &expected, where, err);
    if (!s && *expected && (*module)->weights_sha256[0] && strcmp(expected, (*module)->weights_sha256))
        s = fail(err, BERT_ERR_FORMAT, "%s: the module at %s is not the one that the model was trained on (SHA-256 %.12s..., expected %.12s...)", where,
                 spec->module, (*module)->weights_sha256, expected);
    if (s) {
        bert_module_free(*module);
        *module = NULL;
    }
    return s;
}

static bert_status model_from_json(const json_t *json, const char *folder, const char *where, bert_model **model, bert_err *err)
{
    const char *format;
    int64_t version;
    json_t *layer;
    bert_layer_spec spec;
    head_spec head;
    arena a = { 0 };
    bert_module *module = NULL;
    bert_status s = json_get_string(json, "format", &format, where, err);
    if (!s && strcmp(format, "libbert.model"))
        s = fail(err, BERT_ERR_FORMAT, "%s: format is \"%s\", expected \"libbert.model\"", where, format);
    if (!s)
        s = json_get_int(json, "version", 1, INT64_MAX, &version, where, err);
    if (!s && version > MODEL_VERSION)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: format version %lld, this libbert (" BERT_VERSION ") reads up to %d; use a newer one", where,
                 (long long)version, MODEL_VERSION);
    if (!s)
        s = json_get_object(json, "layer", &layer, where, err);
    if (!s)
        s = layer_spec_from_json(layer, &spec, where, err);
    if (!s)
        s = head_from_json(json, &head, &a, where, err);
    if (!s)
        s = open_module(json, &spec, folder, where, &module, err);
    if (!s) {
        spec.module = module->path;
        s = model_create(module, &spec, &head, 0, model, err);
    }
    arena_free(&a);
    return s;
}

bert_status bert_model_from_json(const char *json, const char *folder, bert_model **model, bert_err *err)
{
    *model = NULL;
    json_t *root = NULL;
    bert_status s = json_read_bytes(&root, json, strlen(json), "model JSON", err);
    if (!s)
        s = model_from_json(root, folder, "model JSON", model, err);
    json_decref(root);
    return s;
}

/* ---- folders -------------------------------------------------------------------------------------------------------------- */

bert_status model_open_folder(const char *folder, bert_model **model, bert_err *err)
{
    arena a = { 0 };
    json_t *json = NULL;
    *model = NULL;
    char *description = path_join(&a, folder, "model.json"), *weights = path_join(&a, folder, "weights.safetensors");
    bert_status s = description && weights ? json_read_file(&json, description, err) : fail_memory(err, folder);
    if (!s)
        s = model_from_json(json, folder, description, model, err);
    if (!s)
        s = bert_model_load_weights(*model, weights, err);
    if (s) {
        bert_model_free(*model);
        *model = NULL;
    }
    json_decref(json);
    arena_free(&a);
    return s;
}

/* True where the folder holds this very module already: an epoch's save need not copy it again. */
static bool holds_module(const char *path, const bert_module *module)
{
    bert_module *there = NULL;
    bool same = !bert_module_open(path, &there, NULL) && module->weights_sha256[0] && !strcmp(there->weights_sha256, module->weights_sha256);
    bert_module_free(there);
    return same;
}

static bert_status copy_module(const bert_model *m, const char *folder, arena *a, bert_err *err)
{
    char *path = path_join(a, folder, "module");
    const bert_module *module = m->module;
    if (!path)
        return fail_memory(err, folder);
    if (holds_module(path, module))
        return BERT_OK;
    module_parts parts = { .config = &module->config,
                           .weights = &module->weights,
                           .vocabulary = module->vocabulary,
                           .vocabulary_size = module->vocabulary_size,
                           .do_lower_case = module->do_lower_case,
                           .seq_layer = module->seq_layer,
                           .tok_layer = module->tok_layer };
    parts.source = json_pack("{s:s, s:s*}", "kind", "libbert module", "path", module->path);
    bert_status s = module_write(&parts, path, err);
    json_decref(parts.source);
    return s;
}

bert_status bert_model_save(const bert_model *model, const char *folder, bool with_module, bert_err *err)
{
    if (model->module->frozen || !model->task)
        return fail(err, BERT_ERR_ARGUMENT, "%s: only a model with a head that is trained on a module is saved as a folder", folder);
    arena a = { 0 };
    char *description = path_join(&a, folder, "model.json"), *weights = path_join(&a, folder, "weights.safetensors");
    bert_status s = description && weights ? folder_create(folder, err) : fail_memory(err, folder);
    if (!s && with_module)
        s = copy_module(model, folder, &a, err);
    const char *path = NULL;
    if (!s && !(path = with_module ? "module" : path_for_json(model, folder, &a, err)))
        s = BERT_ERR_IO;
    /* Weights first: a model.json that stands there always has weights beside it. */
    if (!s)
        s = bert_model_save_weights(model, weights, err);
    json_t *json = s ? NULL : model_json(model, path);
    if (!s)
        s = json ? json_write_file(json, description, err) : fail_memory(err, description);
    json_decref(json);
    arena_free(&a);
    return s;
}
