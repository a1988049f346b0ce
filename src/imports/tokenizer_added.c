/* Added tokens stand in up to four files, with their flags or without: a list of them all is made, each by its first
 * mention. */
#include "imports/tokenizer_files.h"
#include "base/size.h"
#include "base/words.h"

#include "modules/tokenizer_info.h"
#include "text/added_tokens.h"
#include "text/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

/* The tokens so far. */
typedef struct token_list {
    const tokenizer_files *f;
    bert_added_token *tokens; /* (n) */
    int64_t *ids;             /* (n) their ids as the files have them; -1 of special ones that no list holds */
    size_t n;
} token_list;

/* Adds a token that has not been named yet; id -1: none is told. */
static bert_status add_token(token_list *l, const bert_added_token *token, int64_t id, bert_err *err)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->tokens[i].content, token->content))
            return BERT_OK;
    if (!token->content[0])
        return BERT_OK;
    if (l->n == MOST_ADDED_TOKENS)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: more than %d added tokens: libbert takes no more",
                    l->f->place->folder, MOST_ADDED_TOKENS);
    bool fine = true;
    l->tokens = array_grown(l->tokens, l->n, sizeof *l->tokens, &fine);
    l->ids = array_grown(l->ids, l->n, sizeof *l->ids, &fine);
    if (!fine)
        return fail_memory(err, "added tokens");
    l->tokens[l->n] = *token;
    l->ids[l->n] = id;
    return (l->tokens[l->n++].content = arena_string(l->f->a, token->content)) ? BERT_OK
                                                                               : fail_memory(err, "added tokens");
}

/* Puts the tokens in the order of their ids; few of them are out of it. */
static void order_by_id(token_list *l)
{
    for (size_t i = 1; i < l->n; i++)
        for (size_t k = i; k > 0 && l->ids[k] < l->ids[k - 1]; k--) {
            int64_t id = l->ids[k];
            bert_added_token token = l->tokens[k];
            l->ids[k] = l->ids[k - 1], l->tokens[k] = l->tokens[k - 1];
            l->ids[k - 1] = id, l->tokens[k - 1] = token;
        }
}

/* {"67": {"content": "[E1]", ...}} of tokenizer_config.json. */
static bert_status read_decoder(token_list *l, bert_err *err)
{
    const char *key, *where = tokenizer_files_where(l->f, SETTINGS_FILE);
    json_t *value, *decoder = json_object_get(l->f->json[SETTINGS_FILE], "added_tokens_decoder");
    bert_status s = decoder && !json_is_object(decoder)
                        ? fail(err, BERT_ERR_FORMAT, "%s: added_tokens_decoder is no object", where)
                        : BERT_OK;
    json_object_foreach(decoder, key, value)
    {
        bert_added_token token;
        char *end;
        int64_t id = strtoll(key, &end, 10);
        if (!s && (end == key || *end || id < 0))
            s = fail(err, BERT_ERR_FORMAT, "%s: added_tokens_decoder: \"%s\" is no id", where, key);
        if (!s)
            s = added_token_from_json(value, &token, where, err);
        if (!s)
            s = add_token(l, &token, id, err);
    }
    return s;
}

/* [{"id": 67, "content": "[E1]", ...}] of tokenizer.json. */
static bert_status read_list(token_list *l, bert_err *err)
{
    size_t i;
    json_t *value, *list = json_object_get(l->f->json[TOKENIZER_FILE], "added_tokens");
    const char *where = tokenizer_files_where(l->f, TOKENIZER_FILE);
    bert_status s = list && !json_is_array(list) ? fail(err, BERT_ERR_FORMAT, "%s: added_tokens is no array", where)
                                                 : BERT_OK;
    json_array_foreach(list, i, value)
    {
        bert_added_token token;
        int64_t id;
        if (!s)
            s = added_token_from_json(value, &token, where, err);
        if (!s)
            s = json_get_int_or(value, "id", 0, INT32_MAX, -1, &id, where, err);
        if (!s && id < 0) /* `tokenizers` does not open such a file either */
            s = fail(err, BERT_ERR_FORMAT, "%s: the added token \"%s\" has no id", where, token.content);
        if (!s)
            s = add_token(l, &token, id, err);
    }
    return s;
}

/* Lists of special tokens: what transformers 4, 5 and models of their own call them. */
static const char *const LISTS[] = { "model_specific_special_tokens", "extra_special_tokens",
                                     "additional_special_tokens", NULL };

/* Whether a value, a list of them or an object of them is that token. */
static bool names_token(json_t *value, const char *content)
{
    const char *key, *word;
    json_t *inner;
    bool found = (json_is_string(value) || json_object_get(value, "content")) &&
                 !special_token_word(value, "", &word, "", NULL) && !strcmp(word, content);
    for (size_t i = 0; !found && i < json_array_size(value); i++)
        found = names_token(json_array_get(value, i), content);
    json_object_foreach(value, key, inner)
    {
        found = found || ((special_token_is_named(key) || word_listed(LISTS, key)) && names_token(inner, content));
    }
    return found;
}

/* {"[E1]": 67} of added_tokens.json: special where a role names it. */
static bert_status read_added_file(token_list *l, bert_err *err)
{
    const char *content, *where = tokenizer_files_where(l->f, ADDED_FILE);
    json_t *id;
    bert_status s = BERT_OK;
    json_object_foreach(l->f->json[ADDED_FILE], content, id)
    {
        bool special = names_token(l->f->json[SETTINGS_FILE], content) ||
                       names_token(l->f->json[SPECIAL_FILE], content);
        if (!s && (!json_is_integer(id) || json_integer_value(id) < 0))
            s = fail(err, BERT_ERR_FORMAT, "%s: \"%s\" has no id", where, content);
        if (!s)
            s = add_token(l, &(bert_added_token){ .content = content, .special = special, .normalized = !special },
                          json_integer_value(id), err);
    }
    return s;
}

/* A special token, or a list or an object of such. */
static bert_status add_special(token_list *l, json_t *value, const char *key, const char *where, bert_err *err)
{
    bert_added_token token = { .special = true };
    bert_status s = BERT_OK;
    if (json_is_object(value) && json_object_get(value, "content")) {
        s = added_token_from_json(value, &token, where, err);
        if (!json_object_get(value, "normalized"))
            token.normalized = false;
        token.special = true;
    } else if (json_is_object(value) || json_is_array(value)) {
        for (size_t i = 0; !s && i < json_array_size(value); i++)
            s = add_special(l, json_array_get(value, i), key, where, err);
        const char *inner;
        json_t *one;
        json_object_foreach(value, inner, one)
        {
            if (!s)
                s = add_special(l, one, inner, where, err);
        }
        return s;
    } else
        s = special_token_word(value, key, &token.content, where, err);
    return s ? s : add_token(l, &token, -1, err);
}

/* Whether a token's object says more than that it is special. */
static bool token_has_flags(const json_t *token)
{
    static const char *const FLAGS[] = { "single_word", "lstrip", "rstrip", "normalized" };
    bool any = false;
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        any |= json_is_true(json_object_get(token, FLAGS[i]));
    return any;
}

/* Roles that transformers knows, in the order in which it gives ids to those of their words that have none. */
static const char *const ROLES[] = { "bos_token", "eos_token", "unk_token",  "sep_token",
                                     "pad_token", "cls_token", "mask_token", NULL };

/* A member of special_tokens_map.json, else of tokenizer_config.json; NULL: neither has it. */
static json_t *special_member(const token_list *l, const char *key, const char **where)
{
    tokenizer_file file = json_object_get(l->f->json[SPECIAL_FILE], key) ? SPECIAL_FILE : SETTINGS_FILE;
    *where = tokenizer_files_where(l->f, file);
    return json_object_get(l->f->json[file], key);
}

/* The token of a role. What BERT's roles are called is known by now, and is looked for in a text in any case: such a
 * word is added where it has flags of its own, or the vocabulary lacks it. */
static bert_status read_role(token_list *l, const char *key, const bert_tokenizer_options *o,
                             const bert_tokenizer *pieces, bert_err *err)
{
    const char *where, *word = special_token_of_role(o, key);
    json_t *value = special_member(l, key, &where);
    if (value && (!word || token_has_flags(value)))
        return add_special(l, value, key, where, err);
    if (!word || !pieces || bert_tokenizer_id(pieces, word, strlen(word)) >= 0)
        return BERT_OK;
    return add_token(l, &(bert_added_token){ .content = word, .special = true }, -1, err);
}

/* Roles of a model's own, by the end of their keys. */
static bert_status read_other_roles(token_list *l, tokenizer_file file, bert_err *err)
{
    const char *key, *where;
    json_t *value;
    bert_status s = BERT_OK;
    json_object_foreach(l->f->json[file], key, value)
    {
        json_t *counts = special_member(l, key, &where);
        if (!s && special_token_is_named(key) && !word_listed(ROLES, key) && !json_is_boolean(value))
            s = add_special(l, counts, key, where, err);
    }
    return s;
}

static bool same_token(const json_t *a, const json_t *b)
{
    const char *words[2];
    bool known = !special_token_word(a, "", &words[0], "", NULL) && !special_token_word(b, "", &words[1], "", NULL);
    return known ? !strcmp(words[0], words[1]) : json_equal(a, b);
}

/* Where both files have a member and disagree. */
static void tell_other_words(const token_list *l)
{
    const char *key;
    json_t *value;
    json_object_foreach(l->f->json[SPECIAL_FILE], key, value)
    {
        const json_t *other = json_object_get(l->f->json[SETTINGS_FILE], key);
        if (other && !json_is_null(other) && (special_token_is_named(key) || word_listed(LISTS, key)) &&
            !same_token(value, other))
            buffer_printf(l->f->notes,
                          "special_tokens_map.json has another %s than tokenizer_config.json; the %s counts, as with "
                          "transformers\n",
                          key, word_listed(LISTS, key) ? "latter" : "former");
    }
}

/* Special tokens that stand in no list of added ones. pieces: the vocabulary's, or NULL. */
static bert_status read_special(token_list *l, const bert_tokenizer_options *o, const bert_tokenizer *pieces,
                                bert_err *err)
{
    bert_status s = BERT_OK;
    tell_other_words(l);
    for (int i = 0; !s && ROLES[i]; i++)
        s = read_role(l, ROLES[i], o, pieces, err);
    if (!s)
        s = read_other_roles(l, SETTINGS_FILE, err);
    if (!s)
        s = read_other_roles(l, SPECIAL_FILE, err);
    for (size_t i = 0; !s && LISTS[i]; i++) {
        tokenizer_file file = json_object_get(l->f->json[SETTINGS_FILE], LISTS[i]) ? SETTINGS_FILE : SPECIAL_FILE;
        json_t *value = json_object_get(l->f->json[file], LISTS[i]);
        if (value && !json_is_null(value))
            s = add_special(l, value, LISTS[i], tokenizer_files_where(l->f, file), err);
    }
    return s;
}

static bert_status read_known_tokens(token_list *l, const tokenizer_source *t, bert_err *err)
{
    bert_tokenizer *pieces = NULL;
    bool decoder = json_object_get(l->f->json[SETTINGS_FILE], "added_tokens_decoder");
    bert_status s = l->f->obey_json || !decoder ? read_list(l, err) : BERT_OK;
    if (!s)
        s = decoder ? read_decoder(l, err) : read_added_file(l, err);
    if (!l->f->obey_json)
        order_by_id(l);
    if (!s && t->vocabulary) /* what is wrong with it is told where it is imported */
        bert_tokenizer_create(t->vocabulary, t->vocabulary_size, t->vocabulary_path, &t->options, &pieces, NULL);
    if (!s)
        s = read_special(l, &t->options, pieces, err);
    bert_tokenizer_free(pieces);
    return s;
}

static bert_status keep_added(const token_list *l, tokenizer_source *t, bert_err *err)
{
    bert_added_token *tokens = arena_array(l->f->a, l->n, sizeof *tokens);
    bert_tokenizer *made = NULL;
    if (!tokens)
        return fail_memory(err, "added tokens");
    if (l->n)
        memcpy(tokens, l->tokens, l->n * sizeof *tokens);
    t->options.added_tokens = tokens;
    t->options.n_added_tokens = l->n;
    if (!l->n || bert_tokenizer_create(t->vocabulary, t->vocabulary_size, t->vocabulary_path, &t->options, &made, NULL))
        return BERT_OK; /* what is wrong is told where it is imported */
    for (size_t i = 0; i < l->n; i++) {
        int32_t id = bert_tokenizer_id(made, tokens[i].content, strlen(tokens[i].content));
        if (l->ids[i] >= 0 && l->ids[i] != id)
            buffer_printf(l->f->notes,
                          "the added token \"%s\" has id %d; the files say %lld, but transformers counts on from the "
                          "vocabulary\n",
                          tokens[i].content, (int)id, (long long)l->ids[i]);
    }
    bert_tokenizer_free(made);
    return BERT_OK;
}

bert_status added_tokens_read(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    token_list l = { .f = f };
    bert_status s = read_known_tokens(&l, t, err);
    if (!s && t->vocabulary)
        s = keep_added(&l, t, err);
    free(l.tokens);
    free(l.ids);
    return s;
}
