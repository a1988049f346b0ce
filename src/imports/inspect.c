/* bert_inspect: what a file or folder holds, as one JSON object, or the same for people. */
#include "base/file.h"
#include "frozen/frozen.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/safetensors.h"
#include "imports/source.h"
#include "modules/tokenizer_info.h"
#include "text/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts of the object ----------------------------------------------------------------------------------------- */

static json_t *tensor_list(const tensor_set *set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < set->n; i++) {
        const tensor *t = &set->items[i];
        json_t *shape = json_array();
        for (int d = 0; d < t->rank && d < TENSOR_MAX_RANK; d++)
            json_add(&shape, json_integer((json_int_t)t->shape[d]));
        json_add(&list, json_pack("{s:s, s:s, s:o}", "name", t->name, "type", dtype_name(t->type), "shape", shape));
    }
    return list;
}

static void count(json_t **groups, const char *group, size_t n)
{
    json_int_t before = json_integer_value(json_object_get(*groups, group));
    json_put(groups, group, json_integer(before + (json_int_t)n));
}

/* Elements of the set by group of BERT's weights; what is none of them counts as other. */
static json_t *count_parameters(const tensor_set *set, const weight_naming *naming)
{
    json_t *groups = json_object();
    arena a = { 0 };
    size_t all = 0, known = 0, layers = naming ? weights_count_layers(set, *naming) : 0;
    for (weight_id id = 0; naming && id < HEAD_HIDDEN_WEIGHT; id++) {
        size_t n = weight_id_group(id) == GROUP_LAYER ? layers : 1;
        for (size_t layer = 0; layer < n; layer++) {
            const tensor *t = weights_find(set, *naming, id, layer);
            if (t)
                count(&groups, weight_group_name(naming->family, weight_id_group(id), layer, &a), t->n);
            known += t ? t->n : 0;
        }
    }
    for (size_t i = 0; i < set->n; i++)
        all += set->items[i].n;
    if (all > known)
        count(&groups, "other", all - known);
    count(&groups, "all", all);
    arena_free(&a);
    return groups;
}

/* Of a list, all entries or those that are tuned. */
static json_t *inspect_count_weights(const weight_list *list, bool tuned)
{
    json_t *groups = json_object();
    size_t all = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_t n = tuned && !list->items[i].tuned ? 0 : weight_size(&list->items[i]);
        if (n)
            count(&groups, list->items[i].group, n);
        all += n;
    }
    count(&groups, "all", all);
    return groups;
}

static json_t *tokenizer_facts(const bert_module *m)
{
    if (!m->tokenizer)
        return json_pack("{s:s, s:I}", "type", "none", "rows", (json_int_t)m->config.vocab_size);
    json_t *facts = tokenizer_json_parts((bert_text){ m->vocabulary, m->vocabulary_size });
    json_put(&facts, "tokens", json_integer((json_int_t)bert_tokenizer_size(m->tokenizer)));
    json_put(&facts, "rows", json_integer((json_int_t)m->config.vocab_size));
    json_put_all(&facts, tokenizer_to_json(m->tokenizer));
    return facts;
}

/* What a module, and so a model on it, or a frozen file, tells of itself. */
static json_t *module_facts(const char *kind, const char *path, const bert_module *m)
{
    const weight_naming own = weights_own_naming(m->config.family);
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", kind, "path", json_of_bytes(path), "configuration",
                     config_to_json(&m->config), "parameters",
                     m->frozen ? inspect_count_weights(&m->weights, false) : count_parameters(&m->tensors, &own),
                     "tokenizer", tokenizer_facts(m));
}

/* ---- the kinds --------------------------------------------------------------------------------------------------- */

static bert_status inspect_module(const char *path, json_t **out, bert_err *err)
{
    bert_module *m = NULL;
    bert_status s = bert_module_open(path, &m, err);
    if (s)
        return s;
    arena a = { 0 };
    json_t *description = NULL;
    char *file = path_join(&a, m->folder, "module.json");
    s = file ? json_read_file(&description, file, err) : fail_memory(err, path);
    if (!s) {
        static const char *const KEYS[] = { "version", "tags", "signatures", "source", "files" };
        *out = module_facts("libbert module", path, m);
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
            if (json_object_get(description, KEYS[i]))
                json_put(out, KEYS[i], json_incref(json_object_get(description, KEYS[i])));
        json_put(out, "tensors", tensor_list(&m->tensors));
    }
    json_decref(description);
    arena_free(&a);
    bert_module_free(m);
    return s;
}

static void add_layer_and_head(const bert_model *m, const char *module_path, json_t **out)
{
    json_put(out, "layer", layer_spec_to_json(&m->layer->spec, module_path));
    head_to_json(m, out);
}

/* What a frozen file takes. */
static void add_file(const bert_module *m, json_t **out)
{
    json_int_t size = (json_int_t)m->tensors.files[0].size;
    double weights = (double)json_integer_value(json_object_get(json_object_get(*out, "parameters"), "all"));
    json_put_all(out, json_pack("{s:s, s:I, s:f, s:s}", "precision", frozen_precision(m), "file_size", size,
                                "bytes_per_weight", (double)size / weights, "data_sha256", m->weights_sha256));
}

static bert_status inspect_frozen(const char *path, json_t **out, bert_err *err)
{
    bert_model *m = NULL;
    bert_status s = frozen_open(path, &m, err);
    if (s)
        return s;
    *out = module_facts("libbert frozen model", path, m->module);
    add_file(m->module, out);
    add_layer_and_head(m, NULL, out);
    json_put(out, "signatures",
             json_pack("{s:{s:[s,s,s], s:[s]}}", "tokens", "inputs", "input_ids", "input_mask", "segment_ids",
                       "outputs", m->task ? "scores" : "output"));
    json_put(out, "tensors", tensor_list(&m->module->tensors));
    bert_model_free(m);
    return BERT_OK;
}

static bert_status inspect_model(const char *path, json_t **out, bert_err *err)
{
    bert_model *m = NULL;
    tensor_set weights = { 0 };
    bert_status s = model_open_folder(path, &m, err);
    if (!s)
        s = model_open_weights(path, &weights, err);
    if (!s) {
        *out = module_facts("libbert model", path, m->module);
        add_layer_and_head(m, m->module->path, out);
        json_put(out, "tuned_parameters", inspect_count_weights(&m->layer->weights, true));
        json_put(out, "tensors", tensor_list(&weights));
    }
    tensors_close(&weights);
    bert_model_free(m);
    return s;
}

/* A string a line; the buffer is used up. */
static json_t *lines_of(buffer *lines)
{
    json_t *list = lines->failed ? NULL : json_array();
    char *rest = lines->data, *line;
    while (rest && (line = strsep(&rest, "\n")))
        if (*line)
            json_add(&list, json_of_bytes(line));
    return list;
}

static bert_status inspect_source(const char *path, json_t **out, bert_err *err)
{
    source src;
    bert_status s = source_open(&src, path, NULL, err);
    if (s)
        return s;
    *out = json_pack("{s:s, s:o, s:o}", "kind", src.kind, "path", json_of_bytes(path), "parameters",
                     count_parameters(&src.tensors, src.is_known ? &src.naming : NULL));
    if (src.has_config)
        json_put(out, "configuration", config_to_json(&src.config));
    if (src.tokenizer.vocabulary) {
        const tokenizer_source *t = &src.tokenizer;
        json_t *tokenizer = tokenizer_json_parts((bert_text){ t->vocabulary, t->vocabulary_size });
        json_put(&tokenizer, "file", json_of_bytes(t->vocabulary_path));
        json_put_all(&tokenizer, tokenizer_info_to_json(&t->options, tokenizer_source_is_pipeline(t)));
        json_put(out, "tokenizer", tokenizer);
    }
    if (src.hub.graph)
        json_put(out, "signatures",
                 json_pack("{s:{s:I, s:I}}", "tokens", "seq_layer", (json_int_t)src.hub.seq_layer, "tok_layer",
                           (json_int_t)src.hub.tok_layer));
    if (src.notes.size || src.notes.failed)
        json_put(out, "notes", lines_of(&src.notes));
    json_put(out, "tensors", tensor_list(&src.tensors));
    source_close(&src);
    return BERT_OK;
}

static bert_status inspect(const char *path, json_t **out, bert_err *err)
{
    if (folder_holds(path, "model.json"))
        return inspect_model(path, out, err);
    if (folder_holds(path, "module.json") || path_ends(path, ".tar.gz") || path_ends(path, ".tgz") ||
        strstr(path, "://"))
        return inspect_module(path, out, err);
    if (frozen_is(path))
        return inspect_frozen(path, out, err);
    return inspect_source(path, out, err);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* A value, or of one that does not fit on a line how much it holds. */
static void print_short(buffer *b, const json_t *value)
{
    buffer text = { 0 };
    if (json_is_string(value))
        buffer_string(b, json_string_value(value));
    else {
        json_print(&text, value);
        if (text.size > 80)
            buffer_printf(b, "%zu values", json_array_size(value));
        else
            buffer_add(b, text.data, text.size);
    }
    b->failed |= text.failed;
    buffer_free(&text);
}

static void print_tensors(buffer *b, const json_t *list)
{
    size_t i;
    json_t *t;
    json_array_foreach(list, i, t)
    {
        buffer_printf(b, "  %-56s %-5s ", json_string_value(json_object_get(t, "name")),
                      json_string_value(json_object_get(t, "type")));
        print_short(b, json_object_get(t, "shape"));
        buffer_char(b, '\n');
    }
}

static void print_notes(buffer *b, const json_t *list)
{
    size_t i;
    json_t *note;
    buffer_char(b, '\n');
    json_array_foreach(list, i, note) buffer_printf(b, "  %s\n", json_string_value(note));
}

static void print_object(buffer *b, json_t *object, int depth)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        buffer_printf(b, "%*s%-*s ", depth * 2, "", 30 - 2 * depth, key);
        if (json_is_object(value)) {
            buffer_char(b, '\n');
            print_object(b, value, depth + 1);
        } else if (!strcmp(key, "tensors")) {
            buffer_printf(b, "%zu\n", json_array_size(value));
            print_tensors(b, value);
        } else if (!strcmp(key, "notes")) {
            print_notes(b, value);
        } else {
            print_short(b, value);
            buffer_char(b, '\n');
        }
    }
}

bert_status bert_inspect(const char *path, bool json, char **out, bert_err *err)
{
    *out = NULL;
    json_t *object = NULL;
    bert_status s = inspect(path, &object, err);
    if (object && json)
        *out = json_text(object);
    else if (object) {
        buffer b = { 0 };
        print_object(&b, object, 0);
        *out = buffer_take(&b);
    }
    json_decref(object);
    return s ? s : *out ? BERT_OK : fail_memory(err, path);
}
