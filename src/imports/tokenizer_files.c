/* Opens the files, tells whose word counts by the tokeniser's class, and what no part reads. */
#include "imports/tokenizer_files.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static const char *const NAMES[N_TOKENIZER_FILES] = { "tokenizer_config.json", "tokenizer.json",
                                                      "special_tokens_map.json", "added_tokens.json" };

const char *tokenizer_files_where(const tokenizer_files *f, tokenizer_file file)
{
    return path_join(f->a, f->place->folder, file == TOKENIZER_FILE && f->made_of ? f->made_of : NAMES[file]);
}

bert_status tokenizer_files_open(tokenizer_files *f, bert_err *err)
{
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < N_TOKENIZER_FILES; i++)
        s = json_read_beside(&f->json[i], f->place->folder, NAMES[i], err);
    for (int i = SPECIAL_FILE; json_object_get(f->json[SETTINGS_FILE], "added_tokens_decoder") && i <= ADDED_FILE;
         i++) {
        json_decref(f->json[i]); /* these two are of before it */
        f->json[i] = NULL;
    }
    return s;
}

void tokenizer_files_close(tokenizer_files *f)
{
    for (int i = 0; i < N_TOKENIZER_FILES; i++)
        json_decref(f->json[i]);
}

/* ---- the class of the tokeniser ---------------------------------------------------------------------------------- */

static bert_status check_word(const tokenizer_files *f, const char *key, const char *word, const char *class,
                              bert_err *err)
{
    const char *found;
    bert_status s = json_get_string_or(f->json[SETTINGS_FILE], key, word, &found,
                                       tokenizer_files_where(f, SETTINGS_FILE), err);
    if (!s && strcmp(found, word))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s \"%s\"%s%s: libbert has BERT's own tokeniser alone",
                 tokenizer_files_where(f, SETTINGS_FILE), key, found, class ? " of " : "", class ? class : "");
    return s;
}

bert_status tokenizer_files_class(tokenizer_files *f, bert_err *err)
{
    const char *class = NULL, *where = tokenizer_files_where(f, SETTINGS_FILE);
    bert_status s = json_get_string_or(f->json[SETTINGS_FILE], "tokenizer_class", NULL, &class, where, err);
    if (!s && !class)
        s = json_get_string_or(f->place->config, "tokenizer_class", NULL, &class, "config.json", err);
    if (!s)
        s = check_word(f, "word_tokenizer_type", "basic", class, err);
    if (!s)
        s = check_word(f, "subword_tokenizer_type", "wordpiece", class, err);
    if (s)
        return s;
    bool silent = !class && !f->json[SETTINGS_FILE];
    class = class ? class : f->place->tokenizer_class;
    f->class = tokenizer_class_of(class);
    f->obey_json = f->json[TOKENIZER_FILE] && (silent || !f->class || !f->class->own_rules);
    if (f->json[TOKENIZER_FILE] || (f->class && f->class->own_rules))
        return BERT_OK;
    if (f->class && f->class->make_json) {
        f->obey_json = true;
        return f->class->make_json(f, err);
    }
    return fail(err, f->class ? BERT_ERR_FORMAT : BERT_ERR_UNSUPPORTED,
                "%s: tokenizer_class %s is what tokenizer.json says, and there is none", f->place->folder, class);
}

/* ---- special tokens ---------------------------------------------------------------------------------------------- */

bert_status special_token_word(const json_t *value, const char *key, const char **word, const char *where,
                               bert_err *err)
{
    if (json_is_object(value))
        return json_get_string(value, "content", word, where, err);
    *word = json_is_null(value) ? "" : json_string_value(value);
    return *word ? BERT_OK : fail(err, BERT_ERR_FORMAT, "%s: %s is neither a text nor an added token", where, key);
}

/* BERT's roles. Where tokenizer.json is obeyed and is BERT's, its model and template name all but two. */
static const struct {
    const char *name;
    size_t field;
    bool beside_json;
} ROLES[] = {
    { "unk_token", offsetof(bert_tokenizer_options, unk_token), false },
    { "sep_token", offsetof(bert_tokenizer_options, sep_token), false },
    { "cls_token", offsetof(bert_tokenizer_options, cls_token), false },
    { "pad_token", offsetof(bert_tokenizer_options, pad_token), true },
    { "mask_token", offsetof(bert_tokenizer_options, mask_token), true },
};
enum { N_ROLES = sizeof ROLES / sizeof *ROLES };

static bert_status read_words(const tokenizer_files *f, tokenizer_file file, bool pipeline, bert_tokenizer_options *o,
                              bert_err *err)
{
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < N_ROLES; i++) {
        const json_t *value = json_object_get(f->json[file], ROLES[i].name);
        const char *word, **field = (const char **)(void *)((char *)o + ROLES[i].field);
        if (!value || (f->obey_json && !pipeline && !ROLES[i].beside_json))
            continue;
        s = special_token_word(value, ROLES[i].name, &word, tokenizer_files_where(f, file), err);
        if (!s && !(*field = arena_string(f->a, word)))
            s = fail_memory(err, f->place->folder);
    }
    return s;
}

bert_status special_tokens_read(const tokenizer_files *f, bool pipeline, bert_tokenizer_options *o, bert_err *err)
{
    bert_status s = read_words(f, SETTINGS_FILE, pipeline, o, err);
    return s ? s : read_words(f, SPECIAL_FILE, pipeline, o, err);
}

const char *special_token_of_role(const bert_tokenizer_options *o, const char *key)
{
    const char *word = NULL;
    for (int i = 0; i < N_ROLES; i++)
        if (!strcmp(key, ROLES[i].name))
            word = *(const char *const *)((const char *)o + ROLES[i].field);
    return word;
}

bool special_token_is_named(const char *key)
{
    size_t n = strlen(key);
    return n > 6 && !strcmp(key + n - 6, "_token");
}

/* ---- fields that are passed over --------------------------------------------------------------------------------- */

/* Members of tokenizer_config.json that are read here or elsewhere, or that change no id. */
/* clang-format off */
static const char *const KNOWN[] = {
    "add_prefix_space", "added_tokens_decoder", "additional_special_tokens", "backend", "chat_template",
    "clean_up_tokenization_spaces", "do_basic_tokenize", "do_lower_case", "extra_special_tokens", "is_local",
    "local_files_only", "max_len", "max_length", "model_input_names", "model_max_length",
    "model_specific_special_tokens", "name_or_path", "never_split", "pad_to_multiple_of", "pad_token_type_id",
    "padding", "padding_side", "processor_class", "special_tokens_map_file", "split_special_tokens", "stride",
    "strip_accents", "subword_tokenizer_type", "tokenize_chinese_chars", "tokenizer_class", "tokenizer_file",
    "truncation", "truncation_side", "truncation_strategy", "use_fast", "vocab_file", "word_tokenizer_type",
};
/* clang-format on */

static int by_name(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

void tokenizer_files_note(const tokenizer_files *f)
{
    const char *key;
    json_t *value;
    json_object_foreach(f->json[SETTINGS_FILE], key, value)
    {
        if (!special_token_is_named(key) && !bsearch(key, KNOWN, sizeof KNOWN / sizeof *KNOWN, sizeof *KNOWN, by_name))
            buffer_printf(f->notes, "tokenizer_config.json: %s is not known to libbert and passed over\n", key);
    }
    if (json_is_false(json_object_get(f->json[SETTINGS_FILE], "do_basic_tokenize")))
        buffer_string(f->notes,
                      "tokenizer_config.json: do_basic_tokenize false is passed over, as by transformers 5\n");
    if (json_array_size(json_object_get(f->json[SETTINGS_FILE], "never_split")))
        buffer_string(f->notes, "tokenizer_config.json: never_split is passed over, as by transformers 5\n");
    const char *strategy = json_string_value(
        json_object_get(json_object_get(f->json[TOKENIZER_FILE], "truncation"), "strategy"));
    if (strategy && strcmp(strategy, "LongestFirst"))
        buffer_printf(f->notes,
                      "tokenizer.json: truncation strategy %s; libbert cuts the longer text of a pair first\n",
                      strategy);
}
