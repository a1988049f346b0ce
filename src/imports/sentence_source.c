/* A sentence-transformers folder: modules.json lists what is done to a text, the encoder first, each step with a folder
 * of its own. */
#include "imports/source.h"

#include "base/words.h"
#include "base/file.h"
#include "formats/json.h"
#include "layers/layer.h"

#include <float.h>
#include <math.h>
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

/* Members of its small files that are read, or that change no vector of a text without a prompt. */
static const char *const OF_POOLING[] = { "word_embedding_dimension", "embedding_dimension", "pooling_mode",
                                          "include_prompt", NULL };
static const char *const OF_TRANSFORMER[] = {
    "max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name", "unpad_inputs", NULL
};

/* ---- its small files --------------------------------------------------------------------------------------------- */

static bool names_pooling(const char *key)
{
    int i = 0;
    while (i < N_POOLINGS && strcmp(key, POOLINGS[i].key))
        i++;
    return i < N_POOLINGS;
}

/* Members beside the known ones, unless they say nothing. */
static void tell_unknown(source *s, json_t *json, const char *const *known, const char *where)
{
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        bool empty = json_is_null(value) || (json_is_object(value) && !json_object_size(value));
        if (!word_listed(known, key) && !names_pooling(key) && !empty)
            buffer_printf(&s->notes, "%s: %s is not known to libbert and passed over\n", where, key);
    }
}

/* A most number of tokens; 0 where none is told: transformers writes 1e30 for a tokeniser without a length. */
static bert_status read_length(const json_t *json, const char *key, int64_t *most, const char *where, bert_err *err)
{
    double length;
    bert_status s = json_get_real_or(json, key, -DBL_MAX, DBL_MAX, DBL_MAX, &length, where, err);
    if (!s && (length < 3 || length != floor(length)))
        s = fail(err, BERT_ERR_FORMAT, "%s: %s is %.9g, expected a whole number from 3 on", where, key, length);
    *most = s || length > INT32_MAX ? 0 : (int64_t)length;
    return s;
}

/* The keys that tell a length, the first that does counts. */
static const struct {
    const char *file, *key;
} LENGTHS[] = {
    { "sentence_bert_config.json", "max_seq_length" },
    { "tokenizer_config.json", "model_max_length" },
    { "tokenizer_config.json", "max_len" },
};

bert_status source_seq_len(const source *s, int64_t *seq_len, bert_err *err)
{
    int64_t most = 0, positions = config_positions(&s->config);
    bert_status status = BERT_OK;
    for (size_t i = 0; !status && !most && i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        json_t *json;
        status = json_read_beside(&json, s->folder, LENGTHS[i].file, err);
        if (json && (status = read_length(json, LENGTHS[i].key, &most, LENGTHS[i].file, err)))
            fail_in(err, status, "%s", s->folder);
        json_decref(json);
    }
    *seq_len = most && most < positions ? most : positions;
    return status;
}

bert_status source_sentence_setting(source *s, const char *key, const char **text, bert_err *err)
{
    json_t *json = NULL;
    *text = NULL;
    bert_status status = s->outer ? json_read_beside(&json, s->outer, "config_sentence_transformers.json", err)
                                  : BERT_OK;
    if (json) {
        status = json_get_string_or(json, key, NULL, text, "config_sentence_transformers.json", err);
        if (status)
            fail_in(err, status, "%s", s->outer);
        else if (*text && !(*text = arena_string(&s->memory, *text)))
            status = fail_memory(err, key);
    }
    json_decref(json);
    return status;
}

/* ---- the steps --------------------------------------------------------------------------------------------------- */

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
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: pooling \"%s\" is not one of cls, mean, max, mean_sqrt_len_tokens",
                where, mode);
}

/* The one mode that the configuration names; mean where it names none. */
static bert_status read_mode(const json_t *json, const char **mode, const char *where, bert_err *err)
{
    const json_t *named = json_object_get(json, "pooling_mode");
    size_t n = json_array_size(named);
    *mode = json_string_value(json_is_array(named) && n ? json_array_get(named, 0) : named);
    if (named && !*mode)
        return fail(err, BERT_ERR_FORMAT, "%s: \"pooling_mode\" is no text", where);
    bert_status s = BERT_OK;
    for (int i = 0; !s && !named && i < N_POOLINGS; i++) {
        bool is;
        s = json_get_bool_or(json, POOLINGS[i].key, false, &is, where, err);
        if (!s && is) {
            *mode = POOLINGS[i].mode;
            n++;
        }
    }
    if (!s && n > 1)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %zu poolings side by side; libbert takes one", where, n);
    *mode = *mode ? *mode : "mean";
    return s;
}

static bert_status read_pooling(source *s, const json_t *step, vector_spec *v, const char *where, bert_err *err)
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
    if (!status)
        tell_unknown(s, json, OF_POOLING, path);
    json_decref(json);
    arena_free(&a);
    return status;
}

static bert_status read_step(source *s, size_t i, const json_t *step, vector_spec *v, const char *where, bert_err *err)
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
    return fail(
        err, BERT_ERR_UNSUPPORTED,
        "%s: step %zu is %s%s; libbert takes Transformer, Pooling and Normalize, in this order", where, i, class,
        strcmp(class, "Dense") ? ""
                               : ", a layer of its own behind the pooled vector, without which the vectors are others");
}

/* What the folder does besides, and libbert does not. */
static bert_status note_differences(source *s, bert_err *err)
{
    json_t *json;
    const char *prompt;
    bool lower = false;
    bert_status status = source_sentence_setting(s, "default_prompt_name", &prompt, err);
    if (!status && prompt)
        buffer_printf(
            &s->notes,
            "sentence-transformers puts the prompt \"%s\" before every text; libbert takes texts as they are\n",
            prompt);
    if (!status)
        status = json_read_beside(&json, s->folder, "sentence_bert_config.json", err);
    if (status || !json)
        return status;
    status = json_get_bool_or(json, "do_lower_case", false, &lower, "sentence_bert_config.json", err);
    if (status)
        fail_in(err, status, "%s", s->folder);
    else if (lower && !s->tokenizer.options.do_lower_case)
        buffer_string(
            &s->notes,
            "sentence-transformers lower-cases the texts of this cased model; libbert takes texts as they are\n");
    if (!status)
        tell_unknown(s, json, OF_TRANSFORMER, "sentence_bert_config.json");
    json_decref(json);
    return status;
}

bert_status source_vectors(source *s, vector_spec *v, bert_err *err)
{
    json_t *steps, *step;
    size_t i;
    *v = (vector_spec){ .pooling = BERT_POOLING_AUTO };
    if (!s->n_steps)
        return BERT_OK;
    char *where = path_join(&s->memory, s->outer, "modules.json");
    bert_status status = where ? json_read_array(&steps, where, err) : fail_memory(err, s->outer);
    if (status)
        return status;
    json_array_foreach(steps, i, step)
    {
        if (!status)
            status = read_step(s, i, step, v, where, err);
    }
    json_decref(steps);
    if (!status && v->pooling != BERT_POOLING_AUTO) {
        status = source_seq_len(s, &v->seq_len, err);
        if (!status)
            status = note_differences(s, err);
    }
    return status;
}
