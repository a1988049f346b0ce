/* Making and asking a tokenizer. */
#include "text/tokenizer.h"

#include "base/file.h"
#include "text/token_pipeline.h"
#include "text/tokenizer_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bert_status find_special(const bert_tokenizer *t, const char *token, const char *name, int32_t *id,
                                bert_err *err)
{
    *id = bert_tokenizer_id(t, token, strlen(token));
    return *id >= 0 ? BERT_OK
                    : fail(err, BERT_ERR_FORMAT, "%s: no %s among its %zu tokens", name, token, t->vocabulary.n);
}

static bert_status find_specials(bert_tokenizer *t, const char *name, bert_err *err)
{
    bert_status s = find_special(t, t->options.unk_token, name, &t->unknown, err);
    if (!s)
        s = find_special(t, t->options.cls_token, name, &t->special[SPECIAL_CLASSIFY], err);
    return s ? s : find_special(t, t->options.sep_token, name, &t->special[SPECIAL_SEPARATE], err);
}

/* The fast path's tables are the general table's first 128 entries, so that the two cannot disagree. */
static void fill_ascii(bert_tokenizer *t)
{
    for (uint32_t c = 0; c < 256; c++) {
        uint32_t entry = c < 128 ? character_entry(&t->characters, c) : CHARACTER_DROP;
        uint32_t becomes = entry & CHARACTER_BECOMES;
        t->ascii[c] = entry & CHARACTER_DROP          ? ASCII_NONE
                      : entry & CHARACTER_SPACE       ? ASCII_SPACE
                      : entry & CHARACTER_PUNCTUATION ? ASCII_PUNCTUATION
                                                      : ASCII_WORD;
        t->folded[c] = (unsigned char)(c < 128 && becomes ? becomes : c);
        int32_t id = vocabulary_id(&t->vocabulary, (const char *)&t->folded[c], 1);
        t->single[c] = id >= 0 ? id : t->unknown;
    }
}

/* All but the vocabulary, which is made. */
static bert_status tokenizer_complete(bert_tokenizer *t, const char *name, bert_err *err)
{
    const bert_tokenizer_options *o = &t->options;
    const character_rules rules = { .lower = o->do_lower_case,
                                    .strip = tokenizer_strips(o),
                                    .chinese = o->tokenize_chinese_chars,
                                    .clean_text = o->clean_text,
                                    .huggingface = o->normalizer };
    t->rows = SIZE_MAX;
    t->specials = &SPECIALS_OF_BERT;
    t->word_max = (size_t)o->max_word_chars;
    t->final_sigma = o->do_lower_case && !o->normalizer;
    bert_status s = character_table_create(&t->characters, &rules, err);
    if (!s)
        s = added_tokens_create(t, err);
    if (!s)
        s = find_specials(t, name, err);
    t->continuation = s ? -1
                        : trie_walk(&t->vocabulary.trie, TRIE_ROOT, (const unsigned char *)o->prefix,
                                    strlen(o->prefix));
    return s;
}

/* Special tokens that a template names by their ids. */
static bert_status check_specials(const bert_tokenizer *t, const char *name, bert_err *err)
{
    for (size_t i = 0; i < MOST_SPECIALS; i++)
        if ((size_t)t->special[i] >= bert_tokenizer_size(t))
            return fail(err, BERT_ERR_FORMAT, "%s: the post_processor has a token with id %d, the vocabulary %zu ids",
                        name, t->special[i], bert_tokenizer_size(t));
    return BERT_OK;
}

/* The word of a token, where nobody has told it. */
static bool name_special(bert_tokenizer *t, const char **word, int32_t id)
{
    const char *token = bert_tokenizer_token(t, id, NULL);
    return **word || !token || (*word = arena_string(&t->memory, token));
}

/* What the options leave open of a pipeline's special tokens is told by its template and its model. */
static bert_status name_specials(bert_tokenizer *t, const char *name, bert_err *err)
{
    const special_run *before = &t->specials->before, *after = &t->specials->after;
    bert_tokenizer_options *o = &t->options;
    bool fine = name_special(t, &o->cls_token, before->n ? t->special[before->roles[0]] : -1) &&
                name_special(t, &o->sep_token, after->n ? t->special[after->roles[after->n - 1]] : -1) &&
                name_special(t, &o->unk_token, pipeline_unknown(t->pipeline));
    int32_t padding = bert_tokenizer_id(t, o->pad_token, strlen(o->pad_token));
    t->padding = padding < 0 ? 0 : padding;
    return fine ? BERT_OK : fail_memory(err, name);
}

/* One that is a pipeline. */
static bert_status create_pipeline(bert_tokenizer *t, const char *bytes, size_t size, ready_trie ready,
                                   const char *name, bert_err *err)
{
    packed_vocabulary packed;
    bert_status s = packed_vocabulary_open(&packed, bytes, size, name, err);
    t->rows = SIZE_MAX;
    t->unknown = t->continuation = -1;
    if (!s)
        s = vocabulary_unpack(&t->vocabulary, &packed, ready, name, err);
    if (!s)
        s = pipeline_create(t, &packed, name, err);
    if (!s)
        s = added_tokens_create(t, err);
    if (!s)
        s = check_specials(t, name, err);
    return s ? s : name_specials(t, name, err);
}

/* One of BERT's, by lines. */
static bert_status create_word_pieces(bert_tokenizer *t, const char *bytes, size_t size, ready_trie ready,
                                      const char *name, bert_err *err)
{
    bert_status s = vocabulary_create(&t->vocabulary, bytes, size, ready, !t->options.normalizer, name, err);
    if (!s)
        s = tokenizer_complete(t, name, err);
    if (!s)
        fill_ascii(t);
    return s;
}

bert_status tokenizer_create_ready(const char *bytes, size_t size, ready_trie ready, const char *name,
                                   const bert_tokenizer_options *options, bert_tokenizer **tokenizer, bert_err *err)
{
    *tokenizer = NULL;
    bert_tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return fail_memory(err, name);
    bert_status s = tokenizer_options_copy(&t->options, options, &t->memory, err);
    if (!s)
        s = packed_vocabulary_is(bytes, size) ? create_pipeline(t, bytes, size, ready, name, err)
                                              : create_word_pieces(t, bytes, size, ready, name, err);
    if (s) {
        bert_tokenizer_free(t);
        return s;
    }
    *tokenizer = t;
    return BERT_OK;
}

bert_status bert_tokenizer_create(const char *bytes, size_t size, const char *name,
                                  const bert_tokenizer_options *options, bert_tokenizer **tokenizer, bert_err *err)
{
    return tokenizer_create_ready(bytes, size, (ready_trie){ 0 }, name, options, tokenizer, err);
}

static bool is_json(const char *path)
{
    size_t n = strlen(path);
    return n >= 5 && !strcmp(path + n - 5, ".json");
}

/* What the file says, and its added tokens. */
static bert_status load_json(const char *path, const bert_tokenizer_options *options, bert_tokenizer **tokenizer,
                             bert_err *err)
{
    bert_tokenizer_options o;
    buffer entries = { 0 }, notes = { 0 };
    arena a = { 0 };
    json_t *json = NULL;
    tokenizer_start_as_transformers(&o);
    if (options) {
        o.special_in_text = options->special_in_text;
        o.truncation_side = options->truncation_side;
        o.odd_token = options->odd_token;
    }
    bert_status s = json_read_file(&json, path, err);
    if (!s)
        s = tokenizer_json_read(json, &SPECIALS_OF_BERT, &o, &entries, &a, &notes, path, err);
    if (!s)
        s = tokenizer_json_added(json, &o, &a, path, err);
    if (!s)
        s = bert_tokenizer_create(entries.data, entries.size, path, &o, tokenizer, err);
    json_decref(json);
    buffer_free(&entries);
    buffer_free(&notes);
    arena_free(&a);
    return s;
}

bert_status bert_tokenizer_load(const char *path, const bert_tokenizer_options *options, bert_tokenizer **tokenizer,
                                bert_err *err)
{
    *tokenizer = NULL;
    if (is_json(path))
        return load_json(path, options, tokenizer, err);
    file_mapping file = { 0 };
    bert_status s = file_map(&file, path, err);
    if (!s)
        s = bert_tokenizer_create((const char *)file.data, file.size, path, options, tokenizer, err);
    file_unmap(&file);
    return s;
}

void bert_tokenizer_free(bert_tokenizer *t)
{
    if (!t)
        return;
    vocabulary_free(&t->vocabulary);
    character_table_free(&t->characters);
    added_tokens_free(&t->added);
    pipeline_free(t->pipeline);
    arena_free(&t->memory);
    free(t);
}

const bert_tokenizer_options *bert_tokenizer_settings(const bert_tokenizer *t)
{
    return &t->options;
}

size_t bert_tokenizer_size(const bert_tokenizer *t)
{
    return t->vocabulary.n + t->added.n_behind;
}

const char *bert_tokenizer_token(const bert_tokenizer *t, int32_t id, size_t *size)
{
    bert_text token = { NULL, 0 };
    if (id >= 0 && (size_t)id < t->vocabulary.n)
        token = t->vocabulary.tokens[id];
    else if (id >= 0 && (size_t)id < bert_tokenizer_size(t))
        token = t->added.behind[(size_t)id - t->vocabulary.n];
    if (size)
        *size = token.size;
    return token.data;
}

int32_t bert_tokenizer_id(const bert_tokenizer *t, const char *token, size_t size)
{
    int32_t id = vocabulary_id(&t->vocabulary, token, size);
    for (size_t i = 0; id < 0 && i < t->added.n_behind; i++)
        if (t->added.behind[i].size == size && !memcmp(t->added.behind[i].data, token, size))
            id = (int32_t)(t->vocabulary.n + i);
    return id;
}

bert_status tokenizer_check_rows(const bert_tokenizer *t, const int32_t *ids, size_t n, bert_err *err)
{
    if (bert_tokenizer_size(t) <= t->rows)
        return BERT_OK;
    for (size_t i = 0; i < n; i++)
        if ((size_t)ids[i] >= t->rows)
            return fail(err, BERT_ERR_DATA,
                        "token %zu is \"%s\", id %d, for which the word embedding of %zu rows has none", i + 1,
                        bert_tokenizer_token(t, ids[i], NULL), ids[i], t->rows);
    return BERT_OK;
}
