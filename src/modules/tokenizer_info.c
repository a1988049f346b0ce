/* The options by their table, the added tokens by a table of their flags. */
#include "modules/tokenizer_info.h"

#include "base/options.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/option_json.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

#include <stdint.h>
#include <string.h>

const char VOCABULARY_LINES[] = "vocab.txt", VOCABULARY_PACKED[] = "tokenizer.bin";

/* What a pipeline's rules say. */
static const char *const OF_WORD_PIECES[] = { "do_lower_case", "strip_accents", "tokenize_chinese_chars", "clean_text",
                                              "normalizer",    "prefix",        "max_word_chars" };

json_t *tokenizer_info_to_json(const bert_tokenizer_options *options, bool pipeline)
{
    json_t *json = options_to_json(options, bert_tokenizer_option_table()), *added = json_array();
    for (size_t i = 0; pipeline && i < sizeof OF_WORD_PIECES / sizeof *OF_WORD_PIECES; i++)
        json_object_del(json, OF_WORD_PIECES[i]);
    for (size_t i = 0; i < options->n_added_tokens; i++)
        json_add(&added, added_token_to_json(&options->added_tokens[i]));
    if (!added || json_array_size(added))
        json_put(&json, "added_tokens", added);
    else
        json_decref(added);
    return json;
}

json_t *tokenizer_to_json(const bert_tokenizer *tokenizer)
{
    return tokenizer_info_to_json(&tokenizer->options, tokenizer->pipeline != NULL);
}

bert_status tokenizer_info_file(const json_t *info, const char **name, const char *where, bert_err *err)
{
    const char *told;
    bert_status s = json_get_string_or(info, "vocab_file", VOCABULARY_LINES, &told, where, err);
    if (s)
        return s;
    *name = !strcmp(told, VOCABULARY_LINES)    ? VOCABULARY_LINES /* the JSON value does not live as long */
            : !strcmp(told, VOCABULARY_PACKED) ? VOCABULARY_PACKED
                                               : NULL;
    return *name ? BERT_OK
                 : fail(err, BERT_ERR_FORMAT, "%s: vocab_file \"%.100s\" is neither %s nor %s", where, told,
                        VOCABULARY_LINES, VOCABULARY_PACKED);
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

bert_status tokenizer_info_from_json(json_t *info, bert_tokenizer_options *options, arena *a, const char *where,
                                     bert_err *err)
{
    bert_option_table table = bert_tokenizer_option_table();
    bert_status s = BERT_OK;
    bert_tokenizer_defaults(options);
    for (size_t i = 0; !s && i < table.n; i++)
        if (json_object_get(info, table.options[i].name))
            s = read_option(info, &table.options[i], options, a, where, err);
    return s ? s : tokenizer_json_added(info, options, a, where, err);
}
