/* Any bytes as the files that describe a published tokeniser: refused, or a tokeniser whose ids are within its
 * vocabulary, and which is the same after its settings were written and read again. Input: tokenizer_config.json,
 * tokenizer.json, special_tokens_map.json, added_tokens.json and vocab.txt, with a NUL between two; a file of no bytes
 * is absent, vocab.txt then a small one. */
#include "modules/tokenizer_info.h"
#include "imports/tokenizer_source.h"
#include "text/tokenizer.h"

#include "fuzz/expect.h"
#include "fuzz/input.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const FILES[] = { "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json",
                                     "added_tokens.json", "vocab.txt" };
enum { N_FILES = sizeof FILES / sizeof *FILES };
static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\ncat\n,\nA\n";
static const char TEXT[] = "The cats, [MASK] <e1>A\xC3\xA9 \xE4\xB8\x80 [CLS]";

static void write_files(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < N_FILES; i++) {
        const uint8_t *end = i + 1 < N_FILES && size ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        bool lines = i + 1 == N_FILES && !n;
        const char *path = input_file(FILES[i],
                                      lines ? (const void *)VOCABULARY
                                      : n   ? data
                                            : (const void *)"",
                                      lines ? sizeof VOCABULARY - 1 : n);
        if (!n && !lines)
            remove(path);
        data += end ? n + 1 : n;
        size -= end ? n + 1 : n;
    }
}

static bert_tokenizer *make(const tokenizer_source *t, const bert_tokenizer_options *options)
{
    bert_tokenizer *made;
    return bert_tokenizer_create(t->vocabulary, t->vocabulary_size, "input", options, &made, NULL) ? NULL : made;
}

static bert_tokens tokens_of(const bert_tokenizer *t)
{
    bert_tokens tokens = { 0 };
    bert_status s = bert_tokenize(t, (bert_text){ TEXT, sizeof TEXT - 1 }, &tokens, NULL);
    expect(!s || t->pipeline, "word pieces can split every text");
    tokens.n = s ? 0 : tokens.n;
    for (size_t i = 0; i < tokens.n; i++)
        expect(tokens.ids[i] >= 0 && (size_t)tokens.ids[i] < bert_tokenizer_size(t), "an id of the vocabulary");
    return tokens;
}

static void try_again(const tokenizer_source *t, const bert_tokenizer *first)
{
    arena a = { 0 };
    bert_tokenizer_options options;
    json_t *written = tokenizer_to_json(first);
    expect(written && !tokenizer_info_from_json(written, &options, &a, "written", NULL),
           "settings are read as they are written");
    bert_tokenizer *second = make(t, &options);
    expect(second != NULL, "a tokeniser of the settings that were written");
    bert_tokens one = tokens_of(first), two = tokens_of(second);
    expect(one.n == two.n && (!one.n || !memcmp(one.ids, two.ids, one.n * sizeof *one.ids)), "the same ids");
    bert_tokens_free(&one);
    bert_tokens_free(&two);
    bert_tokenizer_free(second);
    json_decref(written);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = { 0 };
    buffer notes = { 0 };
    tokenizer_source t = { 0 };
    write_files(data, size);
    const tokenizer_place place = {
        .folder = input_folder, .transformers = true, .specials = &SPECIALS_OF_BERT, .tokenizer_class = "BertTokenizer"
    };
    if (!tokenizer_source_read(&t, &place, &a, &notes, NULL) && t.vocabulary) {
        bert_tokenizer *tokenizer = make(&t, &t.options);
        if (tokenizer)
            try_again(&t, tokenizer);
        bert_tokenizer_free(tokenizer);
    }
    buffer_free(&notes);
    arena_free(&a);
    return 0;
}
