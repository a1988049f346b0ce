/* Fuzz target: the first byte chooses, the rest is a text (uncased, cased) or a vocabulary. Any text: the fast path and
 * the general path give the same, spans are in order and stand on code points, a limit gives the same start. Any
 * vocabulary: refused, or each of its tokens is found. */
#include "base/utf8.h"
#include "text/split.h"
#include "fuzz/expect.h"
#include "with_case.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char VOCABULARY[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n.\n,\n'\n!\n#\n;\n`\nthe\nun\n##aff\n##able\n##ing\nplay\n##ed\nThe\n1\n##1\n##"
    "23\n1234\n"
    "a\nb\nc\nd\ne\ni\nk\n##a\n##b\n##c\n##d\n##e\n##i\n##k\nA\nB\n##A\n##B\ncafe\n\xC3\xA9\n##\xC3\xA9\n" /* e acute */
    "\xCF\x83\n##\xCF\x83\n##\xCF\x82\n\xCE\xA3\n##\xCE\xA3\n"                                             /* sigmas */
    "\xE4\xB8\x80\n\xE4\xB8\x81\n\xF0\xA0\x80\x80\n"                                                       /* Chinese */
    /* Hangul letters, a syllable */
    "\xE1\x84\x80\n##\xE1\x85\xA1\n##\xE1\x86\xA8\n\xEA\xB0\x81\n"
    /* marks that reorder */
    "\xF0\x9D\x85\x97\n##\xF0\x9D\x85\xA5\n##\xE3\x80\xAE\n##\xE3\x80\xAF\n##\xE1\xAD\x84\n"
    "\xF0\x9F\x98\x80\n\xE2\x80\x94\n\xE3\x80\x82\n##\xCC\x81\n##\xCC\xA7";

static const bert_tokenizer *tokenizer(bool do_lower_case)
{
    static bert_tokenizer *made[2];
    const bert_tokenizer_options options = with_case(do_lower_case);
    if (!made[do_lower_case])
        expect(!bert_tokenizer_create(VOCABULARY, sizeof VOCABULARY - 1, "fuzz", &options, &made[do_lower_case], NULL),
               "a tokenizer");
    return made[do_lower_case];
}

static bert_tokens split(const bert_tokenizer *t, bert_text text, split_options options)
{
    bert_tokens tokens = { 0 };
    expect(!split_text(t, text, options, &tokens, NULL), "every text can be split");
    return tokens;
}

static void expect_same(const bert_tokens *a, const bert_tokens *b)
{
    expect(a->n == b->n && a->dropped == b->dropped, "both paths: the same number of tokens and of dropped bytes");
    for (size_t i = 0; i < a->n; i++) {
        expect(a->ids[i] == b->ids[i], "both paths: the same ids");
        expect(a->byte_start[i] == b->byte_start[i] && a->byte_end[i] == b->byte_end[i], "both paths: the same bytes");
        expect(a->char_start[i] == b->char_start[i] && a->char_end[i] == b->char_end[i],
               "both paths: the same code points");
    }
}

/* places[b]: 1 + how many code points begin before byte b, where b is the start of one or the end of one; else 0. */
static uint32_t *code_points(bert_text text, size_t *dropped)
{
    uint32_t *places = calloc(text.size + 1, sizeof *places), n = 1, cp;
    expect(places != NULL, "memory");
    for (size_t at = 0; at < text.size;) {
        size_t length = utf8_decode((const unsigned char *)text.data + at, text.size - at, &cp);
        if (!length) {
            ++*dropped;
            at++;
            continue;
        }
        places[at] = n++;
        at += length;
        places[at] = n;
    }
    return places;
}

static void expect_spans_in_order(const bert_tokens *t, bert_text text)
{
    size_t dropped = 0;
    uint32_t *places = code_points(text, &dropped);
    for (size_t i = 0; i < t->n; i++) {
        expect(t->byte_start[i] < t->byte_end[i] && t->byte_end[i] <= text.size, "a span lies in the text");
        expect(!i || (t->byte_start[i] >= t->byte_start[i - 1] && t->byte_end[i] >= t->byte_end[i - 1]),
               "spans are in order");
        expect(places[t->byte_start[i]] == t->char_start[i] + 1 && places[t->byte_end[i]] == t->char_end[i] + 1,
               "bytes and code points agree");
    }
    expect(t->dropped == dropped, "what is no code point is dropped");
    free(places);
}

static void expect_limit_keeps_start(const bert_tokenizer *t, bert_text text, const bert_tokens *whole)
{
    for (size_t limit = 0; limit < whole->n; limit = 2 * limit + 1) {
        bert_tokens some = split(t, text, (split_options){ .limit = limit });
        expect(some.n > limit && some.n <= whole->n && !memcmp(some.ids, whole->ids, some.n * sizeof *some.ids),
               "a limit gives the same start");
        bert_tokens_free(&some);
    }
}

static void try_text(const bert_tokenizer *t, bert_text text)
{
    bert_tokens fast = split(t, text, (split_options){ .limit = SIZE_MAX, .spans = true });
    bert_tokens general = split(t, text, (split_options){ .limit = SIZE_MAX, .spans = true, .general_path = true });
    expect_same(&fast, &general);
    expect_spans_in_order(&fast, text);
    expect_limit_keeps_start(t, text, &fast);
    bert_tokens_free(&fast);
    bert_tokens_free(&general);
}

static void try_vocabulary(bert_text bytes)
{
    vocabulary v = { 0 };
    if (vocabulary_create(&v, bytes.data, bytes.size, (ready_trie){ 0 }, true, "fuzz", NULL))
        return;
    for (size_t i = 0; i < v.n; i++) {
        int32_t id = vocabulary_id(&v, v.tokens[i].data, v.tokens[i].size);
        expect(v.tokens[i].size ? id >= (int32_t)i : id == -1, "a token has the id of its last line");
        expect(id < 0 || (v.tokens[id].size == v.tokens[i].size &&
                          !memcmp(v.tokens[id].data, v.tokens[i].data, v.tokens[i].size)),
               "an id leads back to its token");
    }
    vocabulary_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    bert_text rest = { (const char *)data + 1, size - 1 };
    if (data[0] % 3 == 2)
        try_vocabulary(rest);
    else
        try_text(tokenizer(data[0] % 3 == 0), rest);
    return 0;
}
