/* A sentence-transformers folder: modules.json lists what is done to a text, the encoder first, each step with a folder of its own. */
#include "model/source.h"

#include "base/file.h"
#include "io/json.h"
#include "model/layer.h"

#include <string.h>

/* Its names of poolings; the keys that versions before 5.7 wrote. */
static const struct {
    const char *mode, *key;
    bert_pooling pooling; /* auto: one that libbert has not */
} POOLINGS[] = {
    { "cls", "pooling_mode_cls_token", BERT_POOLING_CLS_RAW },
    { "mean", "pooling_mode_mean_tokens", BERT_POOLING_MEAN },
    { "max", "pooling_mode_max_tokens", BERT_POOLING_MAX },
    { "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", BERT_POOLING_SQRT_MEAN },
    { "weightedmean", "pooling_mode_weightedmean_tokens", BERT_POOLING_AUTO },
    { "lasttoken", "pooling_mode_lasttoken", BERT_POOLING_AUTO },
};
enum { N_POOLINGS = sizeof POOLINGS / sizeof *POOLINGS };

/* ---- its small files -------------------------------------------------------------------------------------------------------- */

/* A JSON object of a folder; *json is NULL where there is no such file. */
static bert_status read_settings(const char *folder, const char *name, json_t **json, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, folder, name);
    *json = NULL;
    bert_status s = !path ? fail_memory(err, name) : file_exists(path) ? json_read_file(json, path, err) : BERT_OK;
    arena_free(&a);
    return s;
}

bert_status source_seq_len(const source *s, int64_t *seq_len, bert_err *err)
{
    json_t *sentence, *tokenizer = NULL;
    int64_t most = 0;
    bert_status status = read_settings(s->folder, "sentence_bert_config.json", &sentence, err);
    if (!status)
        status = read_settings(s->folder, "tokenizer_config.json", &tokenizer, err);
    if (!status && sentence)
        status = json_get_int_or(sentence, "max_seq_length", 3, INT64_MAX, 0, &most, "sentence_bert_config.json", err);
    const json_t *length = json_object_get(tokenizer, "model_max_length"); /* 1e30 where the tokenizer knows none */
    if (!status && !most && json_is_integer(length))
        status = json_get_int_or(tokenizer, "model_max_length", 3, INT64_MAX, 0, &most, "tokenizer_config.json", err);
    *seq_len = most && most < s->config.max_position_embeddings ? most : s->config.max_position_embeddings;
    json_decref(sentence);
    json_decref(tokenizer);
    return status ? fail_in(err, status, "%s", s->folder) : BERT_OK;
}

const char *source_sentence_setting(source *s, const char *key)
{
    json_t *json = NULL;
    if (s->outer)
        read_settings(s->outer, "config_sentence_transformers.json", &json, NULL);
    const char *text = json_string_value(json_object_get(json, key));
    text = text ? arena_string(&s->memory, text) : NULL;
    json_decref(json);
    return text;
}

/* ---- the steps -------------------------------------------------------------------------------------------------------------- */

static bert_status read_steps(const source *s, json_t **steps, bert_err *err)
{
    arena a = { 0 };
    char *path = s->outer ? path_join(&a, s->outer, "modules.json") : NULL;
    json_error_t error;
    bert_status status = BERT_OK;
    *steps = NULL;
    if (path && file_exists(path)) {
        *steps = json_load_file(path, 0, &error);
        if (!*steps)
            status = fail(err, BERT_ERR_FORMAT, "%s: line %d: %s", path, error.line, error.text);
        else if (!json_is_array(*steps) || !json_array_size(*steps)) {
            json_decref(*steps);
            *steps = NULL;
            status = fail(err, BERT_ERR_FORMAT, "%s: no array of steps", path);
        }
    }
    arena_free(&a);
    return status;
}

size_t source_steps(const source *s)
{
    json_t *steps;
    read_steps(s, &steps, NULL);
    size_t n = json_array_size(steps);
    json_decref(steps);
    return n;
}

/* "Pooling" of "sentence_transformers.models.Pooling", wherever a version keeps its classes. */
static const char *step_class(const json_t *step)
{
    const char *type = json_string_value(json_object_get(step, "type")), *dot = type ? strrchr(type, '.') : NULL;
    return dot ? dot + 1 : type;
}

static bert_status pooling_by_name(const char *mode, vector_spec *v, const char *where, bert_err *err)
{
    for (int i = 0; i < N_POOLINGS; i++)
        if (!strcmp(mode, POOLINGS[i].mode) && POOLINGS[i].pooling != BERT_POOLING_AUTO) {
            v->pooling = (int)POOLINGS[i].pooling;
            return BERT_OK;
        }
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: pooling \"%s\" is not one of cls, mean, max, mean_sqrt_len_tokens", where, mode);
}

/* The one mode that the configuration names; mean where it names none. */
static bert_status read_mode(const json_t *json, const char **mode, const char *where, bert_err *err)
{
    const json_t *named = json_object_get(json, "pooling_mode");
    size_t n = json_array_size(named);
    *mode = json_string_value(json_is_array(named) && n ? json_array_get(named, 0) : named);
    if (named && !*mode)
        return fail(err, BERT_ERR_FORMAT, "%s: \"pooling_mode\" is no text", where);
    for (int i = 0; !named && i < N_POOLINGS; i++)
        if (json_is_true(json_object_get(json, POOLINGS[i].key))) {
            *mode = POOLINGS[i].mode;
            n++;
        }
    if (n > 1)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: %zu poolings side by side; libbert takes one", where, n);
    *mode = *mode ? *mode : "mean";
    return BERT_OK;
}

static bert_status read_pooling(const source *s, const json_t *step, vector_spec *v, const char *where, bert_err *err)
{
    const char *inner = json_string_value(json_object_get(step, "path")), *mode;
    if (!inner || inner[0] == '/' || strstr(inner, ".."))
        return fail(err, BERT_ERR_FORMAT, "%s: the step Pooling has no folder of its own", where);
    arena a = { 0 };
    json_t *json = NULL;
    char *path = arena_printf(&a, "%s/%s/config.json", s->outer, inner);
    bert_status status = path ? json_read_file(&json, path, err) : fail_memory(err, where);
    if (!status)
        status = read_mode(json, &mode, path, err);
    if (!status)
        status = pooling_by_name(mode, v, path, err);
    json_decref(json);
    arena_free(&a);
    return status;
}

static bert_status read_step(const source *s, size_t i, const json_t *step, vector_spec *v, const char *where, bert_err *err)
{
    const char *class = step_class(step);
    if (!class)
        return fail(err, BERT_ERR_FORMAT, "%s: step %zu has no \"type\"", where, i);
    if (i == 0 ? !strcmp(class, "Transformer") : !strcmp(class, "Dropout"))
        return BERT_OK;
    if (i && !strcmp(class, "Pooling") && v->pooling == BERT_POOLING_AUTO)
        return read_pooling(s, step, v, where, err);
    if (i && !strcmp(class, "Normalize") && v->pooling != BERT_POOLING_AUTO) {
        v->normalize = true;
        return BERT_OK;
    }
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: step %zu is %s; libbert takes Transformer, Pooling and Normalize, in this order", where, i,
                class);
}

/* What the folder does besides, and libbert does not. */
static void note_differences(source *s)
{
    json_t *json = NULL;
    const char *prompt = source_sentence_setting(s, "default_prompt_name");
    if (prompt)
        buffer_printf(&s->notes, "sentence-transformers puts the prompt \"%s\" before every text; libbert takes texts as they are\n", prompt);
    read_settings(s->folder, "sentence_bert_config.json", &json, NULL);
    if (json_is_true(json_object_get(json, "do_lower_case")) && s->do_lower_case == 0)
        buffer_string(&s->notes, "sentence-transformers lower-cases the texts of this cased model; libbert takes texts as they are\n");
    json_decref(json);
}

bert_status source_vectors(source *s, vector_spec *v, bert_err *err)
{
    json_t *steps, *step;
    size_t i;
    *v = (vector_spec){ .pooling = BERT_POOLING_AUTO };
    bert_status status = read_steps(s, &steps, err);
    if (status || !steps)
        return status;
    char *where = path_join(&s->memory, s->outer, "modules.json");
    if (!where)
        status = fail_memory(err, s->outer);
    json_array_foreach(steps, i, step)
    {
        if (!status)
            status = read_step(s, i, step, v, where, err);
    }
    json_decref(steps);
    if (!status && v->pooling != BERT_POOLING_AUTO) {
        status = source_seq_len(s, &v->seq_len, err);
        note_differences(s);
    }
    return status;
}
