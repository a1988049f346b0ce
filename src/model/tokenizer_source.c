/* Which file wins is transformers' choice: its BertTokenizer takes the vocabulary and the added tokens of tokenizer.json and all else of
 * tokenizer_config.json; a PreTrainedTokenizerFast, and who has no tokenizer_config.json, obeys tokenizer.json. */
#include "model/tokenizer_source.h"

#include "base/file.h"
#include "io/foreign.h"
#include "model/hf_tokenizer_json.h"
#include "model/tokenizer_info.h"
#include "text/cased.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { THEIR_WORD_CHARS = 100 };

/* What is being read. */
typedef struct reading {
    const tokenizer_place *place;
    tokenizer_source *t;
    arena *a;
    buffer *notes;
    json_t *settings, *tokenizer, *special, *added; /* the files' roots; NULL where there is none */
    bool obey_json;                                 /* tokenizer.json tells the rules */
    bert_added_token *tokens;                       /* (n) */
    int64_t *ids;                                   /* (n) their ids as the files have them; -1 where they do not say */
    size_t n, capacity;
} reading;

/* One of the files and where it goes. */
static const struct {
    const char *name;
    size_t offset;
} FILES[] = {
    { "tokenizer_config.json", offsetof(reading, settings) },
    { "tokenizer.json", offsetof(reading, tokenizer) },
    { "special_tokens_map.json", offsetof(reading, special) },
    { "added_tokens.json", offsetof(reading, added) },
};
enum { SETTINGS, TOKENIZER, SPECIAL, ADDED, N_FILES = sizeof FILES / sizeof *FILES };

/* "FOLDER: FILE", or the path where a message begins with it; NULL: out of memory. */
static const char *where_of(const reading *r, int file)
{
    return path_join(r->a, r->place->folder, FILES[file].name);
}

/* ---- the class of the tokeniser --------------------------------------------------------------------------------------------- */

/* Tokenisers that are BERT's, and those that are what tokenizer.json says. */
static const struct {
    const char *name;
    bool obey_json;
} CLASSES[] = {
    { "BertTokenizer", false },    { "BertTokenizerFast", false },    { "DistilBertTokenizer", false },    { "DistilBertTokenizerFast", false },
    { "ElectraTokenizer", false }, { "ElectraTokenizerFast", false }, { "PreTrainedTokenizerFast", true }, { "TokenizersBackend", true },
};

static bert_status check_word(const reading *r, const char *key, const char *word, const char *class, bert_err *err)
{
    const char *found;
    bert_status s = json_get_string_or(r->settings, key, word, &found, where_of(r, SETTINGS), err);
    if (!s && strcmp(found, word))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s \"%s\"%s%s: libbert has BERT's own tokeniser alone", where_of(r, SETTINGS), key, found,
                 class ? " of " : "", class ? class : "");
    return s;
}

static bert_status find_class(reading *r, bert_err *err)
{
    const char *class = NULL, *where = where_of(r, SETTINGS);
    bert_status s = json_get_string_or(r->settings, "tokenizer_class", NULL, &class, where, err);
    if (!s && !class)
        s = json_get_string_or(r->place->config, "tokenizer_class", NULL, &class, "config.json", err);
    if (!s)
        s = check_word(r, "word_tokenizer_type", "basic", class, err);
    if (!s)
        s = check_word(r, "subword_tokenizer_type", "wordpiece", class, err);
    r->obey_json = !r->settings && r->tokenizer;
    if (s || !class)
        return s;
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (!strcmp(class, CLASSES[i].name)) {
            r->obey_json = CLASSES[i].obey_json || r->obey_json;
            if (CLASSES[i].obey_json && !r->tokenizer)
                return fail(err, BERT_ERR_FORMAT, "%s: tokenizer_class %s is what tokenizer.json says, and there is none", r->place->folder,
                            class);
            return BERT_OK;
        }
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: tokenizer_class %s: libbert has BERT's own tokeniser alone", r->place->folder, class);
}

/* ---- the rules -------------------------------------------------------------------------------------------------------------- */

/* As transformers does it where no file says otherwise. */
static void start_as_transformers(bert_tokenizer_options *o)
{
    o->normalizer = 1;
    o->max_word_chars = THEIR_WORD_CHARS;
    o->special_in_text = 1;
    o->odd_token = 1;
}

/* A special token is a text, or an object with a content; null: there is none. */
static bert_status special_content(const json_t *value, const char *key, const char **content, const char *where, bert_err *err)
{
    if (json_is_object(value))
        return json_get_string(value, "content", content, where, err);
    *content = json_is_null(value) ? "" : json_string_value(value);
    return *content ? BERT_OK : fail(err, BERT_ERR_FORMAT, "%s: %s is neither a text nor an added token", where, key);
}

static const char *const ROLES[] = { "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token" };
enum { N_ROLES = sizeof ROLES / sizeof *ROLES };

/* Where the word for a role goes; NULL: BERT has no such role. */
static const char **role_field(bert_tokenizer_options *o, const char *role)
{
    const char **const fields[N_ROLES] = { NULL, NULL, &o->unk_token, &o->sep_token, &o->pad_token, &o->cls_token, &o->mask_token };
    for (int i = 0; i < N_ROLES; i++)
        if (!strcmp(role, ROLES[i]))
            return fields[i];
    return NULL;
}

/* The words of tokenizer_config.json, then, in folders of before added_tokens_decoder, those of special_tokens_map.json. */
static bert_status read_roles(reading *r, bert_err *err)
{
    bert_status s = BERT_OK;
    const json_t *from[] = { r->settings, r->special };
    const int files[] = { SETTINGS, SPECIAL };
    for (int k = 0; !s && k < 2; k++)
        for (int i = 0; !s && i < N_ROLES; i++) {
            const json_t *value = json_object_get(from[k], ROLES[i]);
            const char *content, **field = role_field(&r->t->options, ROLES[i]);
            if (!value || !field || (r->obey_json && i != 4 && i != 6)) /* there model and template name the others */
                continue;
            s = special_content(value, ROLES[i], &content, where_of(r, files[k]), err);
            if (!s && !(*field = arena_string(r->a, content)))
                s = fail_memory(err, r->place->folder);
        }
    return s;
}

static bert_status read_settings(reading *r, bert_err *err)
{
    bert_tokenizer_options *o = &r->t->options;
    const char *where = where_of(r, SETTINGS), *side = NULL;
    bool strip, split;
    bert_status s = BERT_OK;
    if (!r->obey_json) {
        s = json_get_bool_or(r->settings, "do_lower_case", true, &o->do_lower_case, where, err);
        if (!s)
            s = json_get_bool_or(r->settings, "tokenize_chinese_chars", true, &o->tokenize_chinese_chars, where, err);
        if (!s)
            s = json_get_bool_or(r->settings, "strip_accents", true, &strip, where, err);
        o->strip_accents = s || !json_is_boolean(json_object_get(r->settings, "strip_accents")) ? 0 : strip ? 1 : 2;
    }
    if (!s)
        s = json_get_bool_or(r->settings, "split_special_tokens", false, &split, where, err);
    if (!s)
        s = json_get_string_or(r->settings, "truncation_side", NULL, &side, where, err);
    if (!s && side && strcmp(side, "left") && strcmp(side, "right"))
        s = fail(err, BERT_ERR_FORMAT, "%s: truncation_side \"%s\" is neither left nor right", where, side);
    if (s)
        return s;
    o->special_in_text = !split;
    const char *direction = json_string_value(json_object_get(json_object_get(r->tokenizer, "truncation"), "direction"));
    o->truncation_side = side ? !strcmp(side, "left") : direction && !strcmp(direction, "Left");
    return read_roles(r, err);
}

/* What tokenizer.json says otherwise, where it is not obeyed. */
static void compare_rules(reading *r)
{
    static const char *const KEYS[] = { "do_lower_case", "strip_accents", "tokenize_chinese_chars", "clean_text", "max_word_chars", "prefix" };
    bert_tokenizer_options theirs;
    bert_err err;
    bert_tokenizer_defaults(&theirs);
    if (hf_tokenizer_rules(r->tokenizer, &theirs, r->a, FILES[TOKENIZER].name, &err)) {
        buffer_printf(r->notes, "%s; passed over, as by transformers' BertTokenizer, which obeys tokenizer_config.json\n", err.message);
        return;
    }
    bert_tokenizer_options own = r->t->options;
    own.strip_accents = tokenizer_strips(&own) ? 1 : 2;
    theirs.strip_accents = tokenizer_strips(&theirs) ? 1 : 2;
    json_t *ours = tokenizer_info_to_json(&own), *other = tokenizer_info_to_json(&theirs);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (ours && other && !json_equal(json_object_get(ours, KEYS[i]), json_object_get(other, KEYS[i])))
            buffer_printf(r->notes,
                          "tokenizer.json has another %s than tokenizer_config.json, which is obeyed, as by transformers' BertTokenizer\n",
                          KEYS[i]);
    json_decref(ours);
    json_decref(other);
}

static bert_status read_rules(reading *r, bert_err *err)
{
    bert_tokenizer_options *o = &r->t->options;
    start_as_transformers(o);
    if (r->obey_json)
        o->pad_token = o->mask_token = ""; /* unless tokenizer_config.json names them */
    bert_status s = r->obey_json ? hf_tokenizer_rules(r->tokenizer, o, r->a, where_of(r, TOKENIZER), err) : BERT_OK;
    if (!s)
        s = read_settings(r, err);
    if (!s && !r->obey_json && r->tokenizer)
        compare_rules(r);
    return s;
}

/* ---- fields that are passed over -------------------------------------------------------------------------------------------- */

/* Members of tokenizer_config.json that are read here or elsewhere, or that change no id. */
static const char *const KNOWN[] = {
    "add_prefix_space",
    "added_tokens_decoder",
    "additional_special_tokens",
    "backend",
    "chat_template",
    "clean_up_tokenization_spaces",
    "do_basic_tokenize",
    "do_lower_case",
    "extra_special_tokens",
    "is_local",
    "local_files_only",
    "max_len",
    "max_length",
    "model_input_names",
    "model_max_length",
    "model_specific_special_tokens",
    "name_or_path",
    "never_split",
    "pad_to_multiple_of",
    "pad_token_type_id",
    "padding",
    "padding_side",
    "processor_class",
    "special_tokens_map_file",
    "split_special_tokens",
    "stride",
    "strip_accents",
    "subword_tokenizer_type",
    "tokenize_chinese_chars",
    "tokenizer_class",
    "tokenizer_file",
    "truncation",
    "truncation_side",
    "truncation_strategy",
    "use_fast",
    "vocab_file",
    "word_tokenizer_type",
};

static int by_name(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool ends_in_token(const char *key)
{
    size_t n = strlen(key);
    return n > 6 && !strcmp(key + n - 6, "_token");
}

/* A list of special tokens as transformers 5 calls it. */
static bool is_further_list(const char *key)
{
    return !strcmp(key, "extra_special_tokens");
}

static void note_passed_over(reading *r)
{
    const char *key;
    json_t *value;
    json_object_foreach(r->settings, key, value)
    {
        if (!ends_in_token(key) && !bsearch(key, KNOWN, sizeof KNOWN / sizeof *KNOWN, sizeof *KNOWN, by_name))
            buffer_printf(r->notes, "tokenizer_config.json: %s is not known to libbert and passed over\n", key);
    }
    if (json_is_false(json_object_get(r->settings, "do_basic_tokenize")))
        buffer_string(r->notes, "tokenizer_config.json: do_basic_tokenize false is passed over, as by transformers 5\n");
    if (json_array_size(json_object_get(r->settings, "never_split")))
        buffer_string(r->notes, "tokenizer_config.json: never_split is passed over, as by transformers 5\n");
    const char *strategy = json_string_value(json_object_get(json_object_get(r->tokenizer, "truncation"), "strategy"));
    if (strategy && strcmp(strategy, "LongestFirst"))
        buffer_printf(r->notes, "tokenizer.json: truncation strategy %s; libbert cuts the longer text of a pair first\n", strategy);
}

/* ---- added tokens ----------------------------------------------------------------------------------------------------------- */

/* Adds a token that has not been named yet; id -1: none is told. */
static bert_status add_token(reading *r, const bert_added_token *token, int64_t id, bert_err *err)
{
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(r->tokens[i].content, token->content))
            return BERT_OK;
    if (!token->content[0])
        return BERT_OK;
    if (r->n == r->capacity) {
        size_t larger = 2 * r->capacity + 16;
        bert_added_token *tokens = realloc(r->tokens, larger * sizeof *tokens);
        r->tokens = tokens ? tokens : r->tokens;
        int64_t *ids = tokens ? realloc(r->ids, larger * sizeof *ids) : NULL;
        r->ids = ids ? ids : r->ids;
        if (!ids)
            return fail_memory(err, "added tokens");
        r->capacity = larger;
    }
    r->tokens[r->n] = *token;
    r->ids[r->n] = id;
    return (r->tokens[r->n++].content = arena_string(r->a, token->content)) ? BERT_OK : fail_memory(err, "added tokens");
}

/* Puts the tokens from `first` on in the order of their ids; few of them are out of it. */
static void order_by_id(reading *r, size_t first)
{
    for (size_t i = first + 1; i < r->n; i++)
        for (size_t k = i; k > first && r->ids[k] < r->ids[k - 1]; k--) {
            int64_t id = r->ids[k];
            bert_added_token token = r->tokens[k];
            r->ids[k] = r->ids[k - 1], r->tokens[k] = r->tokens[k - 1];
            r->ids[k - 1] = id, r->tokens[k - 1] = token;
        }
}

/* {"67": {"content": "[E1]", ...}} of tokenizer_config.json. */
static bert_status read_decoder(reading *r, bert_err *err)
{
    const char *key, *where = where_of(r, SETTINGS);
    json_t *value, *decoder = json_object_get(r->settings, "added_tokens_decoder");
    bert_status s = decoder && !json_is_object(decoder) ? fail(err, BERT_ERR_FORMAT, "%s: added_tokens_decoder is no object", where) : BERT_OK;
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
            s = add_token(r, &token, id, err);
    }
    return s;
}

/* [{"id": 67, "content": "[E1]", ...}] of tokenizer.json. */
static bert_status read_list(reading *r, bert_err *err)
{
    size_t i;
    json_t *value, *list = json_object_get(r->tokenizer, "added_tokens");
    const char *where = where_of(r, TOKENIZER);
    bert_status s = list && !json_is_array(list) ? fail(err, BERT_ERR_FORMAT, "%s: added_tokens is no array", where) : BERT_OK;
    json_array_foreach(list, i, value)
    {
        bert_added_token token;
        int64_t id = -1;
        if (!s)
            s = added_token_from_json(value, &token, where, err);
        if (!s)
            s = json_get_int_or(value, "id", 0, INT32_MAX, -1, &id, where, err);
        if (!s)
            s = add_token(r, &token, id, err);
    }
    return s;
}

/* Whether a value, a list of them or an object of them is that token. */
static bool names_token(const json_t *value, const char *content)
{
    const char *key, *word;
    json_t *inner;
    bool found = (json_is_string(value) || json_object_get(value, "content")) && !special_content(value, "", &word, "", NULL) &&
                 !strcmp(word, content);
    for (size_t i = 0; !found && i < json_array_size(value); i++)
        found = names_token(json_array_get(value, i), content);
    json_object_foreach((json_t *)(uintptr_t)value, key, inner)
    {
        found = found || ((ends_in_token(key) || is_further_list(key)) && names_token(inner, content));
    }
    return found;
}

/* {"[E1]": 67} of added_tokens.json: special where a role names it. */
static bert_status read_added_file(reading *r, bert_err *err)
{
    const char *content, *where = where_of(r, ADDED);
    json_t *id;
    bert_status s = BERT_OK;
    json_object_foreach(r->added, content, id)
    {
        bool special = names_token(r->settings, content) || names_token(r->special, content) ||
                       names_token(json_object_get(r->settings, "additional_special_tokens"), content);
        if (!s && (!json_is_integer(id) || json_integer_value(id) < 0))
            s = fail(err, BERT_ERR_FORMAT, "%s: \"%s\" has no id", where, content);
        if (!s)
            s = add_token(r, &(bert_added_token){ .content = content, .special = special, .normalized = !special }, json_integer_value(id), err);
    }
    return s;
}

/* Special tokens that stand in no list of added ones: those of roles that BERT has not, and lists of further ones. */
static bert_status add_special(reading *r, const json_t *value, const char *key, const char *where, bert_err *err)
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
            s = add_special(r, json_array_get(value, i), key, where, err);
        const char *inner;
        json_t *one;
        json_object_foreach((json_t *)(uintptr_t)value, inner, one)
        {
            if (!s)
                s = add_special(r, one, inner, where, err);
        }
        return s;
    } else
        s = special_content(value, key, &token.content, where, err);
    return s ? s : add_token(r, &token, -1, err);
}

/* Whether a token's object says more than that it is special. */
static bool has_flags(const json_t *token)
{
    static const char *const FLAGS[] = { "single_word", "lstrip", "rstrip", "normalized" };
    bool any = false;
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        any |= json_is_true(json_object_get(token, FLAGS[i]));
    return any;
}

static bert_status read_further(reading *r, const json_t *from, int file, bert_err *err)
{
    static const char *const LISTS[] = { "extra_special_tokens", "additional_special_tokens", "model_specific_special_tokens" };
    const char *key;
    json_t *value;
    bert_status s = BERT_OK;
    json_object_foreach((json_t *)(uintptr_t)from, key, value)
    {
        bool told = has_flags(value) || !role_field(&r->t->options, key); /* a role's word alone is looked for in any case */
        if (!s && ends_in_token(key) && !json_is_boolean(value) && told)
            s = add_special(r, value, key, where_of(r, file), err);
    }
    for (size_t i = 0; !s && i < sizeof LISTS / sizeof *LISTS; i++)
        if ((value = json_object_get(from, LISTS[i])) && !json_is_null(value))
            s = add_special(r, value, LISTS[i], where_of(r, file), err);
    return s;
}

static bert_status read_added(reading *r, bert_err *err)
{
    bool decoder = json_object_get(r->settings, "added_tokens_decoder");
    bert_status s = r->obey_json || !decoder ? read_list(r, err) : BERT_OK;
    if (!s)
        s = decoder ? read_decoder(r, err) : read_added_file(r, err);
    if (!r->obey_json)
        order_by_id(r, 0);
    if (!s)
        s = read_further(r, r->settings, SETTINGS, err);
    return s ? s : read_further(r, r->special, SPECIAL, err);
}

/* The tokens go into the options. Their ids are their places, whatever the files say; where they say otherwise, that is told. */
static bert_status keep_added(reading *r, bert_err *err)
{
    tokenizer_source *t = r->t;
    bert_added_token *tokens = arena_array(r->a, r->n, sizeof *tokens);
    bert_tokenizer *made = NULL;
    if (!tokens)
        return fail_memory(err, "added tokens");
    if (r->n)
        memcpy(tokens, r->tokens, r->n * sizeof *tokens);
    t->options.added_tokens = tokens;
    t->options.n_added_tokens = r->n;
    if (!r->n || bert_tokenizer_create(t->vocabulary, t->vocabulary_size, t->vocabulary_path, &t->options, &made, NULL))
        return BERT_OK; /* what is wrong is told where it is imported */
    for (size_t i = 0; i < r->n; i++) {
        int32_t id = bert_tokenizer_id(made, tokens[i].content, strlen(tokens[i].content));
        if (r->ids[i] >= 0 && r->ids[i] != id)
            buffer_printf(r->notes, "the added token \"%s\" has id %d; the files say %lld, but transformers counts on from the vocabulary\n",
                          tokens[i].content, (int)id, (long long)r->ids[i]);
    }
    bert_tokenizer_free(made);
    return BERT_OK;
}

/* ---- the vocabulary --------------------------------------------------------------------------------------------------------- */

static bert_status find_lines(reading *r, char **path, bert_err *err)
{
    const char *named = r->place->hub ? r->place->hub->vocab_file : NULL;
    const char *const names[] = { "vocab.txt", "assets/vocab.txt",
                                  named ? arena_printf(r->a, "assets/%s", path_name(named)) : "assets/vocab.txt" };
    *path = NULL;
    for (size_t i = 0; !*path && i < sizeof names / sizeof *names; i++) {
        char *joined = names[i] ? path_join(r->a, r->place->folder, names[i]) : NULL;
        if (!joined)
            return fail_memory(err, r->place->folder);
        if (file_exists(joined))
            *path = joined;
    }
    return BERT_OK;
}

static bert_status read_lines(reading *r, char *path, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (!s && file.size)
        s = foreign_check_bytes(file.data, file.size, path, err);
    if (s) {
        file_unmap(&file);
        return s;
    }
    r->t->vocabulary_path = path;
    r->t->vocabulary_size = file.size;
    r->t->vocabulary = arena_copy(r->a, (const char *)file.data, file.size);
    file_unmap(&file);
    return r->t->vocabulary ? BERT_OK : fail_memory(err, path);
}

static bool same_lines(const tokenizer_source *t, const buffer *lines)
{
    size_t n = t->vocabulary_size - (t->vocabulary_size && t->vocabulary[t->vocabulary_size - 1] == '\n');
    return n + 1 == lines->size && !memcmp(t->vocabulary, lines->data, n);
}

/* The word pieces of tokenizer.json; those of vocab.txt where they are the same. */
static bert_status read_pieces(reading *r, bert_err *err)
{
    tokenizer_source *t = r->t;
    buffer lines = { 0 };
    const char *where = where_of(r, TOKENIZER);
    bert_status s = where ? hf_tokenizer_vocabulary(r->tokenizer, &lines, r->a, where, r->notes, err) : fail_memory(err, r->place->folder);
    if (!s && !(t->vocabulary && same_lines(t, &lines))) {
        if (t->vocabulary)
            buffer_printf(r->notes, "%s is not the vocabulary of tokenizer.json, which is read, as by transformers\n", t->vocabulary_path);
        t->vocabulary_path = arena_string(r->a, where);
        t->vocabulary = arena_copy(r->a, lines.size ? lines.data : "", lines.size);
        t->vocabulary_size = lines.size;
        if (!t->vocabulary || !t->vocabulary_path)
            s = fail_memory(err, where);
    }
    buffer_free(&lines);
    return s;
}

static bert_status read_vocabulary(reading *r, bert_err *err)
{
    char *path;
    bert_status s = find_lines(r, &path, err);
    if (!s && path)
        s = read_lines(r, path, err);
    return s || !r->tokenizer ? s : read_pieces(r, err);
}

/* ---- case ------------------------------------------------------------------------------------------------------------------- */

/* Nothing tells whether texts are lower-cased: the vocabulary decides by its share of tokens with capitals. Where tokenizer_config.json is silent,
 * transformers lower-cases; that is told where the vocabulary speaks against it. */
static bert_status settle_case(reading *r, bert_err *err)
{
    tokenizer_source *t = r->t;
    const tf_hub_info *hub = r->place->hub;
    if (!r->settings && !r->tokenizer && hub && hub->graph && hub->do_lower_case >= 0) {
        t->options.do_lower_case = hub->do_lower_case;
        return BERT_OK;
    }
    if (!t->vocabulary || r->obey_json || json_object_get(r->settings, "do_lower_case"))
        return BERT_OK;
    cased_lines lines;
    bert_status s = cased_lines_count(&lines, t->vocabulary, t->vocabulary_size, err);
    bool cased = cased_lines_are_many(&lines);
    if (s)
        return s;
    if (!r->settings)
        t->options.do_lower_case = !cased;
    else if (!cased)
        return BERT_OK;
    t->guess = arena_printf(r->a,
                            r->settings
                                ? "%s: tokenizer_config.json lacks do_lower_case: texts are lower-cased, as by transformers, though of the "
                                  "vocabulary's %zu tokens with letters %zu have capitals; --do-lower-case settles it"
                                : "%s: nothing tells whether texts are lower-cased; of the vocabulary's %zu tokens with letters %zu have "
                                  "capitals, so %s; --do-lower-case settles it",
                            r->place->folder, lines.letters, lines.capitals, cased ? "they are not" : "they are");
    return t->guess ? BERT_OK : fail_memory(err, r->place->folder);
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

/* libbert's own folder says it itself. */
static bert_status read_module(reading *r, const json_t *module, bert_err *err)
{
    const json_t *info = json_object_get(json_object_get(module, "signatures"), "tokenization_info");
    char *where = path_join(r->a, r->place->folder, "module.json"), *lines = path_join(r->a, r->place->folder, "vocab.txt");
    bert_status s = where && lines ? tokenizer_info_from_json(info, &r->t->options, r->a, where, err) : fail_memory(err, r->place->folder);
    return s ? s : read_lines(r, lines, err);
}

static bert_status read_files(reading *r, bert_err *err)
{
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < N_FILES; i++)
        s = json_read_beside((json_t **)(void *)((char *)r + FILES[i].offset), r->place->folder, FILES[i].name, err);
    if (!s && json_object_get(r->settings, "added_tokens_decoder")) { /* these two are of before it */
        json_decref(r->special);
        json_decref(r->added);
        r->special = r->added = NULL;
    }
    bool theirs = r->settings || r->tokenizer || r->place->transformers;
    if (!s && theirs)
        s = find_class(r, err);
    if (!s)
        s = read_vocabulary(r, err);
    if (!s && theirs)
        s = read_rules(r, err);
    if (!s && theirs)
        s = read_added(r, err);
    if (!s)
        s = settle_case(r, err);
    if (!s)
        note_passed_over(r);
    return s || !r->t->vocabulary ? s : keep_added(r, err);
}

bert_status tokenizer_source_read(tokenizer_source *t, const tokenizer_place *place, arena *a, buffer *notes, bert_err *err)
{
    reading r = { .place = place, .t = t, .a = a, .notes = notes };
    json_t *module = NULL;
    *t = (tokenizer_source){ 0 };
    bert_tokenizer_defaults(&t->options);
    bert_status s = json_read_beside(&module, place->folder, "module.json", err);
    if (!s)
        s = module ? read_module(&r, module, err) : read_files(&r, err);
    json_decref(module);
    json_decref(r.settings);
    json_decref(r.tokenizer);
    json_decref(r.special);
    json_decref(r.added);
    free(r.tokens);
    free(r.ids);
    return s;
}
