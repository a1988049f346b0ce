/* A published checkpoint: finds out what it is and reads what stands around its tensors. */
#include "model/source.h"

#include "base/file.h"
#include "io/json.h"
#include "io/foreign.h"
#include "io/json_build.h"
#include "model/source_files.h"

#include <string.h>

/* ---- configuration ------------------------------------------------------------------------------------------------------ */

/* A TF1 Hub module need not carry its configuration: sizes are those of the tensors, the rest is told by the graph. */
static bert_status config_from_tensors(source *s, int64_t heads, bert_err *err)
{
    config *c = &s->config;
    *c = (config){ .hidden_dropout_prob = 0.1, .attention_probs_dropout_prob = 0.1, .layer_norm_eps = 1e-12, .initializer_range = 0.02 };
    weight_list probe;
    /* Entries of the list are found by name alone; the shapes of this one mean nothing. */
    config one = { .vocab_size = 1, .hidden_size = 1, .max_position_embeddings = 1, .type_vocab_size = 1, .intermediate_size = 1 };
    c->num_hidden_layers = (int64_t)weights_count_layers(&s->tensors, s->naming);
    bert_status status = weights_create(&probe, &s->memory, &one, 1, false, NULL, err);
    if (status)
        return status;
    const tensor *word = weights_find(&s->tensors, s->naming, &probe, WORD_EMBEDDINGS);
    const tensor *position = weights_find(&s->tensors, s->naming, &probe, POSITION_EMBEDDINGS);
    const tensor *type = weights_find(&s->tensors, s->naming, &probe, TOKEN_TYPE_EMBEDDINGS);
    const tensor *intermediate = weights_find(&s->tensors, s->naming, &probe, INTERMEDIATE_BIAS);
    if (!word || !position || !type || !intermediate || word->rank != 2 || position->rank != 2 || type->rank != 2 || intermediate->rank != 1)
        return fail(err, BERT_ERR_FORMAT, "%s: no configuration, and the tensors are not those of a BERT", s->folder);
    c->vocab_size = word->shape[0];
    c->hidden_size = word->shape[1];
    c->max_position_embeddings = position->shape[0];
    c->type_vocab_size = type->shape[0];
    c->intermediate_size = intermediate->shape[0];
    c->num_attention_heads = heads ? heads : s->hub.num_attention_heads;
    if (!c->num_attention_heads && c->hidden_size % 64)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: neither a configuration nor the graph tells the number of attention heads; give num_attention_heads", s->folder);
    if (!c->num_attention_heads) {
        c->num_attention_heads = c->hidden_size / 64;
        buffer_printf(&s->notes, "%s: no configuration tells the number of attention heads; took %lld, 64 channels each\n", s->folder,
                      (long long)c->num_attention_heads);
    }
    c->hidden_act = s->hub.hidden_act && !strcmp(s->hub.hidden_act, "gelu_new") ? ACTIVATION_GELU_TANH : ACTIVATION_GELU;
    /* The same checks as for a configuration that is read. */
    json_t *json = config_to_json(c);
    status = json ? config_parse(json, c, s->folder, err) : fail_memory(err, s->folder);
    json_decref(json);
    return status;
}

/* The folder's JSON, where it has one: s->settings. */
static bert_status read_settings(source *s, bert_err *err)
{
    static const char *const NAMES[] = { "config.json", "bert_config.json", "assets/bert_config.json", NULL };
    s->settings_path = source_find_beside(s, NAMES);
    bert_status status = s->settings_path ? foreign_check_file(s->settings_path, err) : BERT_OK;
    if (!status && s->settings_path)
        status = json_read_file(&s->settings, s->settings_path, err);
    return status;
}

static bert_status read_config(source *s, int64_t heads, bert_err *err)
{
    if (!s->settings && s->is_bert && s->hub.graph)
        return config_from_tensors(s, heads, err);
    if (!s->settings)
        return fail(err, BERT_ERR_IO, "%s: no config.json or bert_config.json", s->folder);
    if (heads)
        json_put(&s->settings, "num_attention_heads", json_integer(heads));
    if (!s->settings)
        return fail_memory(err, s->settings_path);
    config_tell_unknown(s->settings, s->settings_path, &s->notes);
    return config_parse(s->settings, &s->config, s->settings_path, err);
}

/* ---- vocabulary ---------------------------------------------------------------------------------------------------------- */

/* tokenizer.json of the `tokenizers` library: model.vocab is an object from token to id. */
static bert_status vocabulary_from_json(source *s, const json_t *json, bert_err *err)
{
    const json_t *model = json_object_get(json, "model");
    json_t *vocabulary = json_object_get(model, "vocab");
    const char *type = json_string_value(json_object_get(model, "type"));
    if (!json_is_object(vocabulary) || (type && strcmp(type, "WordPiece")))
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: the model is %s, expected WordPiece", s->vocabulary_path, type ? type : "of no known type");
    size_t n = json_object_size(vocabulary);
    const char **tokens = arena_array(&s->memory, n, sizeof *tokens);
    if (!tokens)
        return fail_memory(err, s->vocabulary_path);
    const char *token;
    json_t *id;
    json_object_foreach(vocabulary, token, id)
    {
        json_int_t i = json_integer_value(id);
        if (!json_is_integer(id) || i < 0 || (size_t)i >= n || tokens[i])
            return fail(err, BERT_ERR_FORMAT, "%s: token \"%s\" has no id of its own in 0 to %zu", s->vocabulary_path, token, n - 1);
        tokens[i] = token;
    }
    buffer lines = { 0 };
    for (size_t i = 0; i < n; i++) {
        buffer_string(&lines, tokens[i]);
        buffer_char(&lines, '\n');
    }
    s->vocabulary_size = lines.size;
    s->vocabulary = lines.failed ? NULL : arena_copy(&s->memory, lines.data, lines.size);
    buffer_free(&lines);
    return s->vocabulary ? BERT_OK : fail_memory(err, s->vocabulary_path);
}

static bert_status vocabulary_from_lines(source *s, bert_err *err)
{
    file_mapping file;
    bert_status status = file_map(&file, s->vocabulary_path, err);
    if (status)
        return status;
    s->vocabulary = arena_copy(&s->memory, (const char *)file.data, file.size);
    s->vocabulary_size = file.size;
    file_unmap(&file);
    return s->vocabulary ? BERT_OK : fail_memory(err, s->vocabulary_path);
}

/* Whether the vocabulary holds a token with a capital ASCII letter, special tokens aside: then it is a cased one. */
static bool has_capitals(const char *vocabulary, size_t size)
{
    for (size_t i = 0; i < size;) {
        const char *line = vocabulary + i, *end = memchr(line, '\n', size - i);
        size_t n = end ? (size_t)(end - line) : size - i;
        if (n && line[0] != '[')
            for (size_t k = 0; k < n; k++)
                if (line[k] >= 'A' && line[k] <= 'Z')
                    return true;
        i += n + 1;
    }
    return false;
}

/* do_lower_case as the first file says that knows: tokenizer_config.json, tokenizer.json, the graph, at last the vocabulary. */
static bert_status read_lower_case(source *s, const json_t *tokenizer, bert_err *err)
{
    json_t *settings;
    bool lower = false, strip = false;
    bert_status status = json_read_beside(&settings, s->folder, "tokenizer_config.json", err);
    if (status)
        return status;
    const json_t *from = settings, *normalizer = json_object_get(tokenizer, "normalizer");
    const char *key = "do_lower_case", *where = "tokenizer_config.json";
    if (!json_object_get(from, key))
        from = normalizer, key = "lowercase", where = "tokenizer.json";
    bool told = json_object_get(from, key), strip_told = json_is_boolean(json_object_get(settings, "strip_accents"));
    status = json_get_bool_or(from, key, false, &lower, where, err);
    if (!status)
        status = json_get_bool_or(settings, "strip_accents", false, &strip, "tokenizer_config.json", err);
    if (told)
        s->do_lower_case = lower;
    else if (s->hub.graph && s->hub.do_lower_case >= 0)
        s->do_lower_case = s->hub.do_lower_case;
    else if (s->vocabulary)
        s->do_lower_case = !has_capitals(s->vocabulary, s->vocabulary_size);
    if (strip_told && s->do_lower_case >= 0 && strip != (s->do_lower_case == 1))
        buffer_printf(&s->notes, "%s: strip_accents is %s; libbert strips accents exactly when it lower-cases, as BERT's original\n", s->folder,
                      strip ? "true" : "false");
    json_decref(settings);
    return status ? fail_in(err, status, "%s", s->folder) : BERT_OK;
}

static bert_status read_vocabulary(source *s, bert_err *err)
{
    static const char *const LINES[] = { "vocab.txt", "assets/vocab.txt", NULL }, *const TOKENIZER[] = { "tokenizer.json", NULL };
    char *tokenizer_path = source_find_beside(s, TOKENIZER);
    json_t *tokenizer = NULL;
    bert_status status = BERT_OK;
    s->vocabulary_path = source_find_beside(s, LINES);
    if (!s->vocabulary_path && s->hub.vocab_file) {
        char *named = arena_printf(&s->memory, "%s/assets/%s", s->folder, path_name(s->hub.vocab_file));
        s->vocabulary_path = named && file_exists(named) ? named : NULL;
    }
    if (tokenizer_path)
        status = json_read_file(&tokenizer, tokenizer_path, err);
    if (!status && s->vocabulary_path)
        status = vocabulary_from_lines(s, err);
    else if (!status && tokenizer) {
        s->vocabulary_path = tokenizer_path;
        status = vocabulary_from_json(s, tokenizer, err);
    }
    if (!status)
        status = read_lower_case(s, tokenizer, err);
    json_decref(tokenizer);
    return status;
}

/* -------------------------------------------------------------------------------------------------------------------------- */

/* The family before the tensors: it says more than the name of one that is absent. */
static bert_status open_tensors(source *s, const char *path, bool with_data, bert_err *err)
{
    bert_status status = source_find(s, path, err);
    if (status)
        return status;
    bert_err unread;
    status = read_settings(s, with_data ? err : &unread);
    if (!status && s->settings)
        status = config_check_family(s->settings, s->settings_path, with_data ? err : &unread);
    return status && with_data ? status : source_open_tensors(s, with_data, err);
}

static bert_status open_all(source *s, const char *path, bool with_data, int64_t heads, bert_err *err)
{
    bert_status status = open_tensors(s, path, with_data, err);
    if (status)
        return status;
    s->read = arena_array(&s->memory, s->tensors.n, sizeof *s->read);
    if (!s->read)
        return fail_memory(err, path);
    s->is_bert = weights_naming(&s->tensors, &s->naming);
    if (with_data && !s->is_bert)
        status = foreign_check_tensors(&s->tensors, s->weights_path, err);
    if (with_data && !s->is_bert && !status)
        status = fail(err, BERT_ERR_FORMAT,
                      "%s: holds no BERT: no tensor is called embeddings.word_embeddings.weight or bert/embeddings/word_embeddings",
                      s->weights_path);
    if (status)
        return status;
    bert_err missing;
    status = read_config(s, heads, with_data ? err : &missing);
    s->has_config = !status;
    if (status && with_data)
        return status;
    return read_vocabulary(s, err);
}

bert_status source_open(source *s, const char *path, bool with_data, int64_t heads, bert_err *err)
{
    *s = (source){ .do_lower_case = -1 };
    bert_status status = open_all(s, path, with_data, heads, err);
    if (status)
        source_close(s);
    return status;
}

void source_close(source *s)
{
    tensors_close(&s->tensors);
    buffer_free(&s->notes);
    json_decref(s->settings);
    arena_free(&s->memory);
    *s = (source){ 0 };
}
