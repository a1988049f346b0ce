/* The options by their table, the added tokens by a table of their flags. */
#include "modules/tokenizer_info.h"

#include "base/options.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/option_json.h"

#include <stdint.h>

/* The flags of an added token, as Hugging Face names them. */
static const struct {
    const char *key;
    size_t offset;
} FLAGS[] = {
    { "single_word", offsetof(bert_added_token, single_word) },
    { "lstrip", offsetof(bert_added_token, lstrip) },
    { "rstrip", offsetof(bert_added_token, rstrip) },
    { "normalized", offsetof(bert_added_token, normalized) },
    { "special", offsetof(bert_added_token, special) },
};
enum { N_FLAGS = sizeof FLAGS / sizeof *FLAGS };

json_t *added_token_to_json(const bert_added_token *token)
{
    json_t *json = json_pack("{s:s}", "content", token->content);
    for (int i = 0; i < N_FLAGS; i++)
        json_put(&json, FLAGS[i].key, json_boolean(*(const bool *)((const char *)token + FLAGS[i].offset)));
    return json;
}

bert_status added_token_from_json(const json_t *json, bert_added_token *token, const char *where, bert_err *err)
{
    *token = (bert_added_token){ 0 };
    if (!json_is_object(json))
        return fail(err, BERT_ERR_FORMAT, "%s: an added token is no object", where);
    bert_status s = json_get_string(json, "content", &token->content, where, err);
    for (int i = 0; !s && i < N_FLAGS; i++)
        s = json_get_bool_or(json, FLAGS[i].key, false, (bool *)((char *)token + FLAGS[i].offset), where, err);
    if (!s && !json_object_get(json, "normalized")) /* as there */
        token->normalized = !token->special;
    return s;
}

json_t *tokenizer_info_to_json(const bert_tokenizer_options *options)
{
    json_t *json = options_to_json(options, bert_tokenizer_option_table()), *added = json_array();
    for (size_t i = 0; i < options->n_added_tokens; i++)
        json_add(&added, added_token_to_json(&options->added_tokens[i]));
    if (!added || json_array_size(added))
        json_put(&json, "added_tokens", added);
    else
        json_decref(added);
    return json;
}

/* One option that is told; the text of a string goes into the arena. */
static bert_status read_option(const json_t *info, const bert_option *o, bert_tokenizer_options *options, arena *a,
                               const char *where, bert_err *err)
{
    void *field = (char *)options + o->offset;
    const char *text;
    if (o->type == BERT_OPTION_BOOL)
        return json_get_bool_or(info, o->name, *(const bool *)field, field, where, err);
    if (o->type == BERT_OPTION_INT)
        return json_get_int(info, o->name, (int64_t)o->min, (int64_t)o->max, field, where, err);
    bert_status s = json_get_string(info, o->name, &text, where, err);
    if (!s && !(text = arena_string(a, text)))
        s = fail_memory(err, where);
    if (!s && bert_options_set(options, bert_tokenizer_option_table(), o->name, text, err))
        s = fail_in(err, BERT_ERR_FORMAT, "%s", where);
    return s;
}

static bert_status info_added_tokens(const json_t *list, bert_tokenizer_options *options, arena *a, const char *where,
                                     bert_err *err)
{
    size_t n = json_array_size(list);
    bert_added_token *added = arena_array(a, n, sizeof *added);
    bert_status s = !added ? fail_memory(err, where) : BERT_OK;
    if (!s && list && !json_is_array(list))
        s = fail(err, BERT_ERR_FORMAT, "%s: added_tokens is no array", where);
    for (size_t i = 0; !s && i < n; i++) {
        s = added_token_from_json(json_array_get(list, i), &added[i], where, err);
        if (!s && !(added[i].content = arena_string(a, added[i].content)))
            s = fail_memory(err, where);
    }
    options->added_tokens = added;
    options->n_added_tokens = n;
    return s;
}

bert_status tokenizer_info_from_json(const json_t *info, bert_tokenizer_options *options, arena *a, const char *where,
                                     bert_err *err)
{
    bert_option_table table = bert_tokenizer_option_table();
    bert_status s = BERT_OK;
    bert_tokenizer_defaults(options);
    for (size_t i = 0; !s && i < table.n; i++)
        if (json_object_get(info, table.options[i].name))
            s = read_option(info, &table.options[i], options, a, where, err);
    return s ? s : info_added_tokens(json_object_get(info, "added_tokens"), options, a, where, err);
}
