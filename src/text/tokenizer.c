/* Making and asking a tokenizer. */
#include "text/tokenizer.h"

#include "base/file.h"

#include <stdlib.h>

static bert_status find_special(const vocabulary *v, const char *token, const char *name, int32_t *id, bert_err *err)
{
    *id = vocabulary_id(v, token, 5);
    return *id >= 0 ? BERT_OK : fail(err, BERT_ERR_FORMAT, "%s: no %s among its %zu tokens", name, token, v->n);
}

static bert_status find_specials(bert_tokenizer *t, const char *name, bert_err *err)
{
    bert_status s = find_special(&t->vocabulary, "[UNK]", name, &t->unknown, err);
    if (!s)
        s = find_special(&t->vocabulary, "[CLS]", name, &t->classify, err);
    if (!s)
        s = find_special(&t->vocabulary, "[SEP]", name, &t->separate, err);
    return s;
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

bert_status bert_tokenizer_create(const char *bytes, size_t size, const char *name, bool do_lower_case, bert_tokenizer **tokenizer,
                                  bert_err *err)
{
    *tokenizer = NULL;
    bert_tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return fail_memory(err, name);
    t->do_lower_case = do_lower_case;
    bert_status s = vocabulary_create(&t->vocabulary, bytes, size, name, err);
    if (!s)
        s = find_specials(t, name, err);
    if (!s)
        s = character_table_create(&t->characters, do_lower_case, err);
    if (s) {
        bert_tokenizer_free(t);
        return s;
    }
    t->continuation = trie_walk(&t->vocabulary.trie, TRIE_ROOT, (const unsigned char *)"##", 2);
    fill_ascii(t);
    *tokenizer = t;
    return BERT_OK;
}

bert_status bert_tokenizer_load(const char *path, bool do_lower_case, bert_tokenizer **tokenizer, bert_err *err)
{
    *tokenizer = NULL;
    file_mapping file = { 0 };
    bert_status s = file_map(&file, path, err);
    if (!s)
        s = bert_tokenizer_create((const char *)file.data, file.size, path, do_lower_case, tokenizer, err);
    file_unmap(&file);
    return s;
}

void bert_tokenizer_free(bert_tokenizer *t)
{
    if (!t)
        return;
    vocabulary_free(&t->vocabulary);
    character_table_free(&t->characters);
    free(t);
}

size_t bert_tokenizer_size(const bert_tokenizer *t)
{
    return t->vocabulary.n;
}

const char *bert_tokenizer_token(const bert_tokenizer *t, int32_t id, size_t *size)
{
    bool known = id >= 0 && (size_t)id < t->vocabulary.n;
    if (size)
        *size = known ? t->vocabulary.tokens[id].size : 0;
    return known ? t->vocabulary.tokens[id].data : NULL;
}

int32_t bert_tokenizer_id(const bert_tokenizer *t, const char *token, size_t size)
{
    return vocabulary_id(&t->vocabulary, token, size);
}
