/* A model's architecture as JSON: what model.json holds. */
#include "base/file.h"
#include "base/options.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/option_json.h"
#include "models/model.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static bool is_address(const char *path)
{
    return !strncmp(path, "http://", 7) || !strncmp(path, "https://", 8);
}

const char *const TASK_WORDS[] = { "auto",       "binary",     "multiclass", "multilabel",
                                   "regression", "similarity", "tokens",     NULL };

/* ---- parts ------------------------------------------------------------------------------------------------------- */

json_t *layer_spec_to_json(const bert_layer_spec *spec, const char *module_path)
{
    bert_option_table table = bert_layer_option_table();
    bert_layer_spec shown = *spec;
    json_t *json = json_object();
    shown.module = module_path;
    for (size_t i = 0; i < table.n; i++) {
        json_t *value = option_to_json(&shown, &table.options[i]);
        if (!json_is_null(value))
            json_put(&json, table.options[i].name, value);
    }
    return json;
}

bert_status layer_spec_from_json(json_t *json, bert_layer_spec *spec, const char *where, bert_err *err)
{
    bert_layer_defaults(spec);
    const char *key;
    json_t *value;
    bert_status s = BERT_OK;
    json_object_foreach(json, key, value)
    {
        char number[32];
        const char *text = json_string_value(value);
        const bert_option *option = option_find(bert_layer_option_table(), key);
        if (!text && option && option->type == BERT_OPTION_STRING) /* such a field points to its text */
            return fail(err, BERT_ERR_FORMAT, "%s: layer: \"%s\" is no text", where, key);
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

double model_number(double x)
{
    char text[32]; /* printed and read in one locale */
    snprintf(text, sizeof text, "%.9g", x);
    return strtod(text, NULL);
}

/* How a head computes, by its type's name in JSON. An older libbert refuses a type that it does not know. */
static const char *head_type(size_t outputs, size_t hidden)
{
    return !outputs ? "cosine" : hidden ? "dense-tanh-dense" : "dense";
}

void head_to_json(const bert_model *m, json_t **json)
{
    if (!m->task)
        return;
    json_put(json, "task", json_string(m->unknown_task ? m->unknown_task : TASK_WORDS[m->task]));
    json_put(json, "labels", json_of_words(m->labels, m->n_labels));
    json_t *head = json_pack("{s:s, s:I}", "type", head_type(m->outputs, m->head_hidden), "outputs",
                             (json_int_t)m->outputs);
    if (m->head_hidden)
        json_put(&head, "hidden", json_integer((json_int_t)m->head_hidden));
    if (m->label_min < m->label_max) {
        json_put(&head, "label_min", json_real(m->label_min));
        json_put(&head, "label_max", json_real(m->label_max));
    }
    if (m->threshold > 0)
        json_put(&head, "threshold", json_real(m->threshold));
    if (m->single)
        json_put(&head, "single", json_true());
    json_put(json, "head", head);
    if (m->texts)
        json_put(json, "texts", json_integer(m->texts));
}

/* A task of another version is told where somebody asks for it: the rest of the model is sound. */
static bert_status task_from_json(const json_t *json, head_spec *head, const char *where, bert_err *err)
{
    const char *word;
    bert_status s = json_get_string(json, "task", &word, where, err);
    int id = BERT_TASK_AUTO + 1;
    while (!s && TASK_WORDS[id] && strcmp(TASK_WORDS[id], word))
        id++;
    bool known = !s && TASK_WORDS[id];
    head->task = (bert_task)(known ? id : TASK_UNKNOWN);
    head->unknown_task = s || known ? NULL : word;
    return s;
}

/* Type, outputs and hidden of a head: the type tells which of them may be zero. */
static bert_status shape_from_json(const json_t *object, head_spec *head, const char *where, bert_err *err)
{
    const char *type;
    int64_t outputs, hidden = 0;
    bert_status s = json_get_string(object, "type", &type, where, err);
    if (s)
        return s;
    bool cosine = !strcmp(type, "cosine"), two = !strcmp(type, "dense-tanh-dense");
    if (!cosine && !two && strcmp(type, "dense"))
        return fail(err, BERT_ERR_UNSUPPORTED,
                    "%s: head of type \"%s\", expected \"dense\", \"dense-tanh-dense\" or \"cosine\"", where, type);
    s = json_get_int(object, "outputs", cosine ? 0 : 1, cosine ? 0 : 1 << 20, &outputs, where, err);
    if (!s && two)
        s = json_get_int(object, "hidden", 1, 1 << 20, &hidden, where, err);
    head->outputs = s ? 0 : (size_t)outputs;
    head->hidden = s ? 0 : (size_t)hidden;
    return s;
}

/* Files of before there were scales and thresholds have neither. */
static bert_status numbers_from_json(const json_t *object, head_spec *head, const char *where, bert_err *err)
{
    bert_status s = json_get_real_or(object, "label_min", -DBL_MAX, DBL_MAX, 0, &head->label_min, where, err);
    if (!s)
        s = json_get_real_or(object, "label_max", -DBL_MAX, DBL_MAX, 0, &head->label_max, where, err);
    if (!s)
        s = json_get_real_or(object, "threshold", 0, 1, 0, &head->threshold, where, err);
    return s ? s : json_get_bool_or(object, "single", false, &head->single, where, err);
}

bert_status head_from_json(const json_t *json, head_spec *head, arena *a, const char *where, bert_err *err)
{
    json_t *object, *labels = json_object_get(json, "labels");
    bert_status s = task_from_json(json, head, where, err);
    if (!s)
        s = json_get_object(json, "head", &object, where, err);
    if (!s)
        s = shape_from_json(object, head, where, err);
    if (!s)
        s = numbers_from_json(object, head, where, err);
    if (!s)
        s = json_get_int_or(json, "texts", 0, 2, 0, &head->texts, where, err);
    if (!s && (!json_is_array(labels) || json_array_size(labels) == 1))
        s = fail(err, BERT_ERR_FORMAT, "%s: \"labels\" is no array of at least two words, or of none", where);
    if (s)
        return s;
    head->n_labels = json_array_size(labels);
    const char **words = arena_array(a, head->n_labels, sizeof *words);
    if (!words)
        return fail_memory(err, where);
    for (size_t i = 0; i < head->n_labels; i++)
        if (!(words[i] = json_string_value(json_array_get(labels, i))))
            return fail(err, BERT_ERR_FORMAT, "%s: label %zu is no text", where, i);
    head->labels = words;
    if (head->single && (head->outputs != 1 || head->n_labels != 2))
        return fail(err, BERT_ERR_FORMAT, "%s: a single output of %zu outputs and %zu labels, expected 1 and 2", where,
                    head->outputs, head->n_labels);
    return BERT_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

bert_status model_check_saved(const bert_model *m, const char *where, bert_err *err)
{
    if (m->module->frozen || !m->task)
        return fail(err, BERT_ERR_ARGUMENT, "%s: only a model that has a head and is made on a module can be saved",
                    where);
    return BERT_OK;
}

/* The module's path as seen from a folder. */
static bert_status path_for_json(const bert_model *m, const char *folder, arena *a, const char **path, bert_err *err)
{
    *path = m->layer->spec.module;
    if (!folder || is_address(*path))
        return BERT_OK;
    const char *relative = path_relative(a, *path, folder);
    if (!relative)
        return fail_errno(err, "%s: cannot find the way from %s", *path, folder);
    *path = relative;
    return BERT_OK;
}

bert_status model_json(const bert_model *m, const char *folder, bool module_inside, json_t **out, bert_err *err)
{
    arena a = { 0 };
    const char *path = "module";
    bert_status s = module_inside ? BERT_OK : path_for_json(m, folder, &a, &path, err);
    if (!s && !utf8_is_valid(path, strlen(path)))
        s = fail(err, BERT_ERR_ARGUMENT, "%s: the module's path is not UTF-8, which JSON asks for", path);
    if (!s) {
        *out = json_pack("{s:s, s:i, s:o}", "format", "libbert.model", "version", MODEL_VERSION, "layer",
                         layer_spec_to_json(&m->layer->spec, path));
        if (m->module->weights_sha256[0])
            json_put(out, "module_sha256", json_string(m->module->weights_sha256));
        head_to_json(m, out);
        s = *out ? BERT_OK : fail_memory(err, "model.json");
    }
    arena_free(&a);
    return s;
}

bert_status bert_model_to_json(const bert_model *model, const char *folder, char **out, bert_err *err)
{
    json_t *json = NULL;
    *out = NULL;
    bert_status s = model_check_saved(model, "model.json", err);
    if (!s)
        s = model_json(model, folder, false, &json, err);
    if (!s && !(*out = json_text(json)))
        s = fail_memory(err, "model.json");
    json_decref(json);
    return s;
}

/* Opens the module that a model.json names, and tells of the model where it is gone or another. */
static bert_status open_module_of_model(const json_t *json, const bert_layer_spec *spec, const char *folder,
                                        const char *where, bert_module **module, bert_err *err)
{
    if (!spec->module)
        return fail(err, BERT_ERR_FORMAT, "%s: layer: no \"module\"", where);
    arena a = { 0 };
    char *path = folder && !is_address(spec->module) ? path_join(&a, folder, spec->module)
                                                     : arena_string(&a, spec->module);
    bert_status s = path ? BERT_OK : fail_memory(err, where);
    if (!s && !is_address(path) && !file_exists(path))
        s = fail(err, BERT_ERR_IO,
                 "%s: the module that the model was trained on is not at %s; put it back or train with --copy-module",
                 where, path);
    if (!s)
        s = bert_module_open(path, module, err);
    arena_free(&a);
    const char *expected;
    if (!s)
        s = json_get_string_or(json, "module_sha256", "", &expected, where, err);
    if (!s && *expected && (*module)->weights_sha256[0] && strcmp(expected, (*module)->weights_sha256))
        s = fail(
            err, BERT_ERR_FORMAT,
            "%s: the module at %s is not the one that the model was trained on (SHA-256 %.12s..., expected %.12s...)",
            where, spec->module, (*module)->weights_sha256, expected);
    if (s) {
        bert_module_free(*module);
        *module = NULL;
    }
    return s;
}

bert_status model_from_json(const json_t *json, const char *folder, const char *where, bert_model **model,
                            bert_err *err)
{
    json_t *layer;
    bert_layer_spec spec;
    head_spec head;
    arena a = { 0 };
    bert_module *module = NULL;
    bert_status s = json_check_format(json, "libbert.model", MODEL_VERSION, where, err);
    if (!s)
        s = json_get_object(json, "layer", &layer, where, err);
    if (!s)
        s = layer_spec_from_json(layer, &spec, where, err);
    if (!s)
        s = head_from_json(json, &head, &a, where, err);
    if (!s)
        s = open_module_of_model(json, &spec, folder, where, &module, err);
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
