/* The fast path takes words of ASCII letters and digits, punctuation and space straight from the bytes. Where it meets anything else it
 * goes back to the start of the chunk (after the last white space) and the general path does that chunk whole, since lower-casing and
 * canonical order look at all of it. */
#include "text/split.h"

#include "text/chunk.h"
#include "text/tokens.h"

#include <stdint.h>
#include <stdlib.h>

/* The loops exist twice, with spans and without: the compiler must see which one it writes, or every token tests for it. */
#define IN_BOTH_COPIES __attribute__((always_inline)) static inline

/* The span of ASCII bytes [start, end). */
static inline token_span ascii_span(size_t start, size_t end, size_t skew)
{
    return (token_span){ (uint32_t)start, (uint32_t)end, (uint32_t)(start - skew), (uint32_t)(end - skew) };
}

static inline size_t ascii_word_end(const bert_tokenizer *t, const text_cursor *c, size_t at)
{
    while (at < c->size && t->ascii[c->data[at]] == ASCII_WORD)
        at++;
    return at;
}

/* Adds the pieces of the word of bytes [first, last), the longest match first, or [UNK]; the room must be there. */
IN_BOTH_COPIES void match_ascii(const bert_tokenizer *t, const text_cursor *c, size_t first, size_t last, bool spans, bert_tokens *out)
{
    const trie *pieces = &t->vocabulary.trie;
    size_t before = out->n, start = first;
    while (start < last && last - first <= WORD_MAX) {
        int32_t node = start > first ? t->continuation : TRIE_ROOT, id = -1;
        size_t end = start;
        for (size_t i = start; i < last && node >= 0; i++) {
            node = trie_step(pieces, node, t->folded[c->data[i]]);
            if (node >= 0 && pieces->nodes[node].id >= 0) {
                id = pieces->nodes[node].id;
                end = i + 1;
            }
        }
        if (id < 0)
            break;
        tokens_add(out, id, ascii_span(start, end, c->skew), spans);
        start = end;
    }
    if (start == last)
        return;
    out->n = before;
    tokens_add(out, t->unknown, ascii_span(first, last, c->skew), spans);
}

/* Goes on to the limit, to the end, or to the start of a chunk that is not all ASCII. false: out of memory. */
IN_BOTH_COPIES bool split_ascii(const bert_tokenizer *t, text_cursor *c, size_t limit, bool spans, bert_tokens *out)
{
    size_t at = c->at, chunk_at = at, chunk_n = out->n, end;
    while (at < c->size && out->n <= limit) {
        if (!tokens_reserve(out, WORD_MAX, spans))
            return false;
        switch ((ascii_class)t->ascii[c->data[at]]) {
        case ASCII_WORD:
            end = ascii_word_end(t, c, at + 1);
            if (end < c->size && t->ascii[c->data[end]] == ASCII_NONE) {
                at = end;
                break;
            }
            match_ascii(t, c, at, end, spans, out);
            at = end;
            break;
        case ASCII_PUNCTUATION:
            tokens_add(out, t->single[c->data[at]], ascii_span(at, at + 1, c->skew), spans);
            at++;
            break;
        case ASCII_SPACE:
            chunk_at = ++at;
            chunk_n = out->n;
            break;
        case ASCII_NONE:
            out->n = chunk_n;
            c->at = chunk_at;
            return true;
        }
    }
    c->at = at;
    return true;
}

bert_status split_text(const bert_tokenizer *t, bert_text text, split_options options, bert_tokens *out, bert_err *err)
{
    out->n = out->dropped = 0;
    if (text.size > UINT32_MAX)
        return fail(err, BERT_ERR_ARGUMENT, "a text of %zu bytes: the tokeniser takes less than 4 GiB", text.size);
    text_cursor c = { .data = (const unsigned char *)text.data, .size = text.size };
    bool fine = true;
    while (fine && c.at < c.size && out->n <= options.limit) {
        if (!options.general_path)
            fine = options.spans ? split_ascii(t, &c, options.limit, true, out) : split_ascii(t, &c, options.limit, false, out);
        if (fine && c.at < c.size && out->n <= options.limit)
            fine = chunk_split(t, &c, options.spans, out);
    }
    return fine ? BERT_OK : fail_memory(err, "the tokens of a text");
}

bert_status bert_tokenize(const bert_tokenizer *t, bert_text text, bert_tokens *tokens, bert_err *err)
{
    return split_text(t, text, (split_options){ .limit = SIZE_MAX, .spans = true }, tokens, err);
}

void bert_tokens_free(bert_tokens *t)
{
    if (!t)
        return;
    free(t->ids);
    free(t->byte_start);
    free(t->byte_end);
    free(t->char_start);
    free(t->char_end);
    chunk_free(t->scratch);
    *t = (bert_tokens){ 0 };
}
