/* What transformers, sentence-transformers and `tokenizers` read. Their BertTokenizer is built from
 * tokenizer_config.json and knows no rules but its own; what differs from those is a PreTrainedTokenizerFast, which
 * obeys tokenizer.json. */
#include "modules/hf_tokenizer.h"

#include "base/utf8.h"
#include "formats/json_build.h"
#include "modules/tokenizer_info.h"
#include "text/tokenizer_json.h"
#include "text/word_piece_json.h"
#include "text/tokenizer.h"

#include <string.h>

enum { MOST_WORD_CHARS = 100 }; /* of their BertTokenizer */

/* Its names of the special tokens. */
static const struct {
    const char *role;
    size_t offset;
} ROLES[] = {
    { "unk_token", offsetof(bert_tokenizer_options, unk_token) },
    { "sep_token", offsetof(bert_tokenizer_options, sep_token) },
    { "pad_token", offsetof(bert_tokenizer_options, pad_token) },
    { "cls_token", offsetof(bert_tokenizer_options, cls_token) },
    { "mask_token", offsetof(bert_tokenizer_options, mask_token) },
};
enum { N_ROLES = sizeof ROLES / sizeof *ROLES };

static const char *role_token(const bert_tokenizer_options *o, int i)
{
    return *(const char *const *)((const char *)o + ROLES[i].offset);
}

json_t *hf_special_tokens_map(const bert_tokenizer *t)
{
    json_t *map = json_object();
    for (int i = 0; i < N_ROLES; i++)
        if (*role_token(&t->options, i))
            json_put(&map, ROLES[i].role, json_string(role_token(&t->options, i)));
    return map;
}

static int32_t hf_token_id(const bert_tokenizer *t, const char *token)
{
    return bert_tokenizer_id(t, token, strlen(token));
}

/* Adds a token with its id, unless the list has it or the vocabulary has not. */
static void list_token(json_t **list, const bert_tokenizer *t, const bert_added_token *token)
{
    size_t i;
    json_t *other;
    int32_t id = hf_token_id(t, token->content);
    json_array_foreach(*list, i, other)
    {
        if (json_integer_value(json_object_get(other, "id")) == id)
            return;
    }
    if (id < 0)
        return;
    json_t *json = json_pack("{s:i}", "id", id);
    json_put_all(&json, added_token_to_json(token));
    json_add(list, json);
}

/* Special ones that a text is split at, then the others. */
static json_t *added_list(const bert_tokenizer *t)
{
    const bert_tokenizer_options *o = &t->options;
    json_t *list = json_array();
    for (size_t i = 0; i < o->n_added_tokens; i++)
        list_token(&list, t, &o->added_tokens[i]);
    for (int i = 0; !t->pipeline && o->special_in_text && i < N_ROLES; i++)
        list_token(&list, t, &(bert_added_token){ .content = role_token(o, i), .special = true });
    return list;
}

static json_t *added_decoder(const bert_tokenizer *t)
{
    json_t *list = added_list(t), *decoder = list ? json_object() : NULL, *token;
    size_t i;
    json_array_foreach(list, i, token)
    {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(token, "id")));
        json_object_del(token, "id");
        json_put(&decoder, id, json_incref(token));
    }
    json_decref(list);
    return decoder;
}

/* Whether a BertTokenizer does the same. */
static bool is_plain(const bert_tokenizer *t)
{
    const bert_tokenizer_options *o = &t->options;
    return !t->pipeline && t->specials->second_segment && t->specials->between.n == 1 &&
           o->max_word_chars == MOST_WORD_CHARS && o->clean_text && !strcmp(o->prefix, "##");
}

static void put_word_piece_rules(json_t **json, const bert_tokenizer_options *o)
{
    bool strips = tokenizer_strips(o);
    json_put(json, "do_lower_case", json_boolean(o->do_lower_case));
    json_put(json, "tokenize_chinese_chars", json_boolean(o->tokenize_chinese_chars));
    json_put(json, "strip_accents", strips == o->do_lower_case ? json_null() : json_boolean(strips));
}

json_t *hf_tokenizer_config(const bert_tokenizer *t, int64_t seq_len)
{
    const bert_tokenizer_options *o = &t->options;
    json_t *json = hf_special_tokens_map(t);
    if (!t->pipeline)
        put_word_piece_rules(&json, o);
    json_put(&json, "split_special_tokens", json_boolean(!o->special_in_text));
    json_put(&json, "truncation_side", json_string(o->truncation_side ? "left" : "right"));
    json_put(&json, "model_max_length", json_integer((json_int_t)seq_len));
    if (o->n_added_tokens)
        json_put(&json, "added_tokens_decoder", added_decoder(t));
    json_put(&json, "model_input_names",
             t->specials->second_segment ? json_pack("[s,s,s]", "input_ids", "token_type_ids", "attention_mask")
                                         : json_pack("[s,s]", "input_ids", "attention_mask"));
    json_put(&json, "tokenizer_class", json_string(is_plain(t) ? "BertTokenizer" : "PreTrainedTokenizerFast"));
    return json;
}

static json_t *post_processor(const bert_tokenizer *t)
{
    const char *const tokens[] = { t->options.cls_token, t->options.sep_token };
    const json_int_t ids[] = { hf_token_id(t, tokens[0]), hf_token_id(t, tokens[1]) };
    return template_processing_to_json(t->specials, tokens, ids);
}

/* Every word piece has an entry, so that those behind them keep their ids. One that no text gives has a name that no
 * text has: it is not UTF-8, holds a NUL, or a later line is equal. */
static json_t *pieces(const bert_tokenizer *t)
{
    json_t *list = json_object();
    for (size_t id = 0; id < t->vocabulary.n; id++) {
        bert_text token = t->vocabulary.tokens[id];
        char name[32];
        bool found = vocabulary_id(&t->vocabulary, token.data, token.size) == (int32_t)id &&
                     !memchr(token.data, 0, token.size);
        snprintf(name, sizeof name, "[hidden %zu]", id);
        json_put(&list, found && utf8_is_valid(token.data, token.size) ? token.data : name,
                 json_integer((json_int_t)id));
    }
    return list;
}

static json_t *word_piece_json(const bert_tokenizer *t)
{
    const bert_tokenizer_options *o = &t->options;
    bool strips = tokenizer_strips(o);
    json_t *normalizer = json_pack("{s:s, s:b, s:b, s:o, s:b}", "type", "BertNormalizer", "clean_text", o->clean_text,
                                   "handle_chinese_chars", o->tokenize_chinese_chars, "strip_accents",
                                   strips == o->do_lower_case ? json_null() : json_boolean(strips), "lowercase",
                                   o->do_lower_case);
    return json_pack("{s:s, s:n, s:n, s:o, s:o, s:{s:s}, s:o, s:{s:s,s:s,s:b}, s:{s:s,s:s,s:s,s:I,s:o}}", "version",
                     "1.0", "truncation", "padding", "added_tokens", added_list(t), "normalizer", normalizer,
                     "pre_tokenizer", "type", "BertPreTokenizer", "post_processor", post_processor(t), "decoder",
                     "type", "WordPiece", "prefix", o->prefix, "cleanup", 1, "model", "type", "WordPiece", "unk_token",
                     o->unk_token, "continuing_subword_prefix", o->prefix, "max_input_chars_per_word",
                     (json_int_t)o->max_word_chars, "vocab", pieces(t));
}

json_t *hf_tokenizer_json(const bert_tokenizer *t)
{
    if (!t->pipeline)
        return word_piece_json(t);
    json_t *json = tokenizer_json_unpack(t);
    json_put(&json, "added_tokens", added_list(t));
    return json;
}
