/* The vocabulary leaves the JSON for tables; the rest stays as it was written. */
#include "text/tokenizer_json.h"

#include "formats/json_build.h"
#include "text/packed_vocabulary.h"
#include "text/token_pipeline.h"
#include "text/word_piece_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- added tokens ------------------------------------------------------------------------------------------------ */

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

bert_status tokenizer_json_added(json_t *json, bert_tokenizer_options *options, arena *a, const char *where,
                                 bert_err *err)
{
    json_t *list = json_object_get(json, "added_tokens");
    size_t n = json_array_size(list);
    bert_added_token *added = arena_array(a, n, sizeof *added);
    bert_status s = added ? BERT_OK : fail_memory(err, where);
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

/* ---- the vocabulary ---------------------------------------------------------------------------------------------- */

bert_status tokenizer_json_order(json_t *vocab, arena *a, const char ***pieces, size_t *n, const char *where,
                                 bert_err *err)
{
    enum { MOST_HOLES = 1 << 20 };
    const char *token;
    json_t *id;
    json_int_t most = -1, limit = (json_int_t)json_object_size(vocab) + MOST_HOLES;
    json_object_foreach(vocab, token, id)
    {
        json_int_t i = json_integer_value(id);
        if (!json_is_integer(id) || i < 0 || i >= limit)
            return fail(err, BERT_ERR_FORMAT, "%s: token \"%s\" has no id", where, token);
        most = i > most ? i : most;
    }
    *n = (size_t)(most + 1);
    *pieces = arena_array(a, *n, sizeof **pieces);
    if (!*pieces)
        return fail_memory(err, where);
    json_object_foreach(vocab, token, id)
    {
        const char **piece = &(*pieces)[json_integer_value(id)];
        if (*piece)
            return fail(err, BERT_ERR_FORMAT, "%s: tokens \"%s\" and \"%s\" have one id", where, *piece, token);
        *piece = token;
    }
    return BERT_OK;
}

static bert_status pack_object(json_t *vocab, vocabulary_packer *p, const char *where, bert_err *err)
{
    arena a = { 0 };
    const char **pieces = NULL;
    size_t n = 0;
    bert_status s = tokenizer_json_order(vocab, &a, &pieces, &n, where, err);
    for (size_t i = 0; !s && i < n; i++)
        packer_token(p, pieces[i] ? pieces[i] : "", pieces[i] ? strlen(pieces[i]) : 0, NULL);
    arena_free(&a);
    return s;
}

/* [["a", -1.5], ...] */
static bert_status pack_scored(json_t *vocab, vocabulary_packer *p, const char *where, bert_err *err)
{
    for (size_t i = 0; i < json_array_size(vocab); i++) {
        json_t *item = json_array_get(vocab, i), *piece = json_array_get(item, 0), *number = json_array_get(item, 1);
        double score = json_number_value(number);
        if (!json_is_string(piece) || !json_is_number(number) || !isfinite(score))
            return fail(err, BERT_ERR_FORMAT, "%s: token %zu of the vocabulary is no piece with its score", where, i);
        packer_token(p, json_string_value(piece), json_string_length(piece), &score);
    }
    return BERT_OK;
}

/* The id of a part of a merge, which must not be changed by who asks: `part` ends with NUL for the time. */
static bert_status merge_part(json_t *vocab, const char *part, size_t i, uint32_t *id, const char *where, bert_err *err)
{
    json_t *value = json_object_get(vocab, part);
    *id = (uint32_t)json_integer_value(value);
    return value ? BERT_OK
                 : fail(err, BERT_ERR_FORMAT, "%s: merge %zu: \"%.100s\" is not in the vocabulary", where, i, part);
}

/* "a b", or ["a", "b"]. */
static bert_status pack_merge(json_t *vocab, json_t *merge, size_t i, vocabulary_packer *p, const char *where,
                              bert_err *err)
{
    const char *left = json_string_value(json_array_get(merge, 0)),
               *right = json_string_value(json_array_get(merge, 1));
    char *both = json_is_string(merge) ? strdup(json_string_value(merge)) : NULL,
         *blank = both ? strchr(both, ' ') : NULL;
    if (blank && !strchr(blank + 1, ' ')) {
        *blank = 0;
        left = both;
        right = blank + 1;
    }
    uint32_t a = 0, b = 0;
    bert_status s = left && right ? merge_part(vocab, left, i, &a, where, err)
                                  : fail(err, BERT_ERR_FORMAT, "%s: merge %zu is no two tokens", where, i);
    if (!s)
        s = merge_part(vocab, right, i, &b, where, err);
    if (!s)
        packer_merge(p, a, b);
    free(both);
    return s;
}

static bert_status pack_vocabulary(json_t *model, vocabulary_packer *p, const char *where, bert_err *err)
{
    json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
    bert_status s = json_is_object(vocab)  ? pack_object(vocab, p, where, err)
                    : json_is_array(vocab) ? pack_scored(vocab, p, where, err)
                                           : fail(err, BERT_ERR_FORMAT, "%s: the model has no \"vocab\"", where);
    if (!s && !p->tokens.size)
        s = fail(err, BERT_ERR_FORMAT, "%s: no token in the vocabulary", where);
    if (!s && merges && (!json_is_array(merges) || !json_is_object(vocab)))
        s = fail(err, BERT_ERR_FORMAT, "%s: the model's merges are no list beside a vocabulary by names", where);
    for (size_t i = 0; !s && i < json_array_size(merges); i++)
        s = pack_merge(vocab, json_array_get(merges, i), i, p, where, err);
    return s;
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

static const char *const RULES[] = { "normalizer", "pre_tokenizer", "post_processor", "decoder" };
enum { N_RULES = sizeof RULES / sizeof *RULES };

/* What is read elsewhere, or changes no id. */
static const char *const OTHERS[] = { "version", "truncation", "padding", "added_tokens", "model", NULL };

static bert_status check_members(json_t *json, const char *where, bert_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        bool found = false;
        for (int i = 0; i < N_RULES; i++)
            found |= !strcmp(key, RULES[i]);
        for (size_t i = 0; OTHERS[i]; i++)
            found |= !strcmp(key, OTHERS[i]);
        if (!found)
            return fail(err, BERT_ERR_UNSUPPORTED, "%s: \"%.100s\" is not known to libbert", where, key);
    }
    return BERT_OK;
}

static json_t *make_rules(json_t *json)
{
    json_t *rules = json_object(), *model = json_copy(json_object_get(json, "model"));
    const char *type = packed_model_type(model);
    for (int i = 0; i < N_RULES; i++) {
        json_t *part = json_object_get(json, RULES[i]);
        json_put(&rules, RULES[i], part ? json_incref(part) : json_null());
    }
    json_object_del(model, "vocab");
    json_object_del(model, "merges");
    if (type && !json_object_get(model, "type"))
        json_put(&model, "type", json_string(type));
    json_put(&rules, "model", model);
    return rules;
}

bert_status tokenizer_json_pack(json_t *json, buffer *out, const char *where, bert_err *err)
{
    vocabulary_packer packer = { 0 };
    bert_status s = check_members(json, where, err);
    if (!s && !json_is_object(json_object_get(json, "model")))
        s = fail(err, BERT_ERR_FORMAT, "%s: there is no model", where);
    if (!s)
        s = pack_vocabulary(json_object_get(json, "model"), &packer, where, err);
    json_t *rules = s ? NULL : make_rules(json);
    char *text = rules ? json_compact(rules) : NULL;
    if (!s)
        s = text ? packer_end(&packer, text, out, where, err) : fail_memory(err, where);
    packer_free(&packer);
    free(text);
    json_decref(rules);
    return s;
}

/* Whether the fast path gives what the file says; the options have its rules then. A damaged file is no other one. */
static bert_status find_word_pieces(json_t *json, const special_template *specials, bert_tokenizer_options *o, arena *a,
                                    bool *found, const char *where, bert_err *err)
{
    bert_tokenizer_options rules = *o;
    buffer unknown = { 0 };
    word_piece_unknown(json, &unknown);
    bert_status s = unknown.failed ? fail_memory(err, where)
                    : unknown.size ? BERT_ERR_UNSUPPORTED
                                   : word_piece_rules(json, specials, &rules, a, where, err);
    buffer_free(&unknown);
    *found = !s;
    if (!s)
        *o = rules;
    return s == BERT_ERR_UNSUPPORTED ? BERT_OK : s;
}

/* A pipeline's words for special tokens are those of its template and its model. */
static bert_status forget_words(const json_t *json, bert_tokenizer_options *o, arena *a, const char *where,
                                bert_err *err)
{
    json_t *padding = json_object_get(json, "padding");
    o->unk_token = o->cls_token = o->sep_token = o->mask_token = "";
    bert_status s = json_get_string_or(padding, "pad_token", "", &o->pad_token, where, err);
    return s || (o->pad_token = arena_string(a, o->pad_token)) ? s : fail_memory(err, where);
}

bert_status tokenizer_json_read(json_t *json, const special_template *specials, bert_tokenizer_options *options,
                                buffer *entries, arena *a, buffer *notes, const char *where, bert_err *err)
{
    bool word_pieces;
    bert_status s = find_word_pieces(json, specials, options, a, &word_pieces, where, err);
    if (s)
        return s;
    if (word_pieces)
        return word_piece_lines(json, entries, a, where, notes, err);
    s = forget_words(json, options, a, where, err);
    return s ? s : tokenizer_json_pack(json, entries, where, err);
}

/* ---- the way back ------------------------------------------------------------------------------------------------ */

/* No token of two can be a key twice, and a key ends at a NUL: such a one, and an id without a token, gets a name that
 * no text has. */
static json_t *unpack_object(const vocabulary *v)
{
    json_t *list = json_object();
    for (size_t id = 0; id < v->n; id++) {
        bert_text token = v->tokens[id];
        if (token.size && !memchr(token.data, 0, token.size))
            json_put(&list, token.data, json_integer((json_int_t)id));
    }
    return list;
}

static json_t *unpack_scored(const vocabulary *v, const double *scores)
{
    json_t *list = json_array();
    for (size_t id = 0; id < v->n; id++)
        json_add(&list, json_pack("[o, f]", json_stringn(v->tokens[id].data, v->tokens[id].size), scores[id]));
    return list;
}

static json_t *unpack_merges(const bert_tokenizer *t)
{
    json_t *list = json_array();
    size_t n;
    const uint32_t *merges = pipeline_merges(t->pipeline, &n);
    for (size_t i = 0; i < n; i++)
        json_add(&list, json_pack("[s, s]", t->vocabulary.tokens[merges[2 * i]].data,
                                  t->vocabulary.tokens[merges[2 * i + 1]].data));
    return list;
}

json_t *tokenizer_json_unpack(const bert_tokenizer *t)
{
    bert_text text = pipeline_rules(t->pipeline);
    bert_err err;
    json_t *rules = NULL,
           *json = json_pack("{s:s, s:n, s:n, s:n}", "version", "1.0", "truncation", "padding", "added_tokens");
    if (json_read_bytes(&rules, text.data, text.size, "rules", &err)) {
        json_decref(json);
        return NULL;
    }
    json_t *model = json_object_get(rules, "model");
    const double *scores = pipeline_scores(t->pipeline);
    for (int i = 0; i < N_RULES; i++)
        json_put(&json, RULES[i], json_incref(json_object_get(rules, RULES[i])));
    json_incref(model);
    json_put(&model, "vocab", scores ? unpack_scored(&t->vocabulary, scores) : unpack_object(&t->vocabulary));
    if (pipeline_has_merges(t->pipeline))
        json_put(&model, "merges", unpack_merges(t));
    json_put(&json, "model", model);
    json_decref(rules);
    return json;
}

json_t *tokenizer_json_parts(bert_text entries)
{
    static const char *const PARTS[][2] = { { "type", "model" },
                                            { "normalizer", "normalizer" },
                                            { "pre_tokenizer", "pre_tokenizer" },
                                            { "post_processor", "post_processor" } };
    packed_vocabulary packed;
    json_t *rules = NULL, *parts;
    bert_err err;
    if (!packed_vocabulary_is(entries.data, entries.size))
        return json_pack("{s:s}", "type", "WordPiece");
    if (packed_vocabulary_open(&packed, entries.data, entries.size, "a tokenizer", &err) ||
        json_read_bytes(&rules, packed.rules.data, packed.rules.size, "rules", &err))
        return NULL;
    parts = json_object();
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        buffer name = { 0 };
        component_name(&name, json_object_get(rules, PARTS[i][1]));
        json_put(&parts, PARTS[i][0], name.failed ? NULL : json_string(name.data));
        buffer_free(&name);
    }
    json_decref(rules);
    return parts;
}
