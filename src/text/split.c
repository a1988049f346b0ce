/* The fast path takes words of ASCII letters and digits, punctuation and space straight from the bytes. Where it meets
 * anything else it goes back to the start of the chunk (after the last white space) and the general path does that
 * chunk whole, since lower-casing and canonical order look at all of it. */
#include "text/split.h"

#include "text/chunk.h"
#include "text/token_pipeline.h"
#include "text/tokens.h"

#include <stdint.h>
#include <stdlib.h>

/* The loops exist twice, with spans and without: the compiler must see which one it writes, or every token tests for
 * it. */
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

/* Adds the pieces of the word of bytes [first, last), the longest match first, or [UNK]. false: out of memory. */
IN_BOTH_COPIES bool match_ascii(const bert_tokenizer *t, const text_cursor *c, size_t first, size_t last, bool spans,
                                bert_tokens *out)
{
    const trie *pieces = &t->vocabulary.trie;
    if (last - first > t->word_max)
        return tokens_append(out, t->unknown, ascii_span(first, last, c->skew), spans);
    if (!tokens_reserve(out, last - first, spans))
        return false;
    size_t before = out->n, start = first;
    while (start < last) {
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
        return true;
    out->n = before;
    return tokens_append(out, t->unknown, ascii_span(first, last, c->skew), spans);
}

/* Goes on to the limit, to the end, or to the start of a chunk that is not all ASCII. false: out of memory. */
IN_BOTH_COPIES bool split_ascii(const bert_tokenizer *t, text_cursor *cursor, size_t limit, bool spans,
                                bert_tokens *out)
{
    const text_cursor c = *cursor; /* a copy that nobody else can write to stays in registers */
    size_t at = c.at, chunk_at = at, chunk_n = out->n, end;
    while (at < c.size && out->n <= limit) {
        switch ((ascii_class)t->ascii[c.data[at]]) {
        case ASCII_WORD:
            end = ascii_word_end(t, &c, at + 1);
            if ((end == c.size || t->ascii[c.data[end]] != ASCII_NONE) && !match_ascii(t, &c, at, end, spans, out))
                return false;
            at = end;
            break;
        case ASCII_PUNCTUATION:
            if (!tokens_append(out, t->single[c.data[at]], ascii_span(at, at + 1, c.skew), spans))
                return false;
            at++;
            break;
        case ASCII_SPACE:
            chunk_at = ++at;
            chunk_n = out->n;
            break;
        case ASCII_NONE:
            out->n = chunk_n;
            cursor->at = chunk_at;
            return true;
        }
    }
    cursor->at = at;
    return true;
}

/* Splits what stands before byte `end` into words and pieces. false: out of memory. */
static bool split_words(const bert_tokenizer *t, text_cursor *c, size_t end, const split_options *o, bert_tokens *out)
{
    size_t size = c->size;
    bool fine = true;
    c->size = end;
    while (fine && c->at < c->size && out->n <= o->limit) {
        if (!o->general_path)
            fine = o->spans ? split_ascii(t, c, o->limit, true, out) : split_ascii(t, c, o->limit, false, out);
        if (fine && c->at < c->size && out->n <= o->limit)
            fine = chunk_split(t, c, o->spans, out);
    }
    c->size = size;
    return fine;
}

/* Adds an added token of bytes [c->at, end). */
static bool add_whole(text_cursor *c, size_t end, int32_t id, const split_options *o, bert_tokens *out)
{
    token_span span = { .byte_start = (uint32_t)c->at, .char_start = (uint32_t)(c->at - c->skew) };
    cursor_skip(c, end, &out->dropped);
    span.byte_end = (uint32_t)c->at;
    span.char_end = (uint32_t)(c->at - c->skew);
    return tokens_append(out, id, span, o->spans);
}

/* Splits what stands before byte `end`, added tokens found in its normal form. */
static bool split_normal(const bert_tokenizer *t, text_cursor *c, size_t end, const split_options *o, bert_tokens *out)
{
    const text_cursor stretch = { c->data, end, c->at, c->skew };
    const normal_text *form = t->added.normal.n && c->at < end ? chunk_normalize(t, &stretch, out) : NULL;
    if (!form)
        return !t->added.normal.n || c->at >= end ? split_words(t, c, end, o, out) : false;
    added_search search = { 0 };
    added_match m;
    while (out->n <= o->limit && added_find(&t->added.normal, form->bytes, form->size, &search, &m)) {
        size_t start = form->start[m.start], behind = form->end[m.end - 1];
        if (behind < c->at) /* within what another token has taken */
            continue;
        if (!split_words(t, c, start, o, out) || (out->n <= o->limit && !add_whole(c, behind, m.id, o, out)))
            return false;
    }
    return split_words(t, c, end, o, out);
}

/* Splits a whole text. */
static bool split_all(const bert_tokenizer *t, text_cursor *c, const split_options *o, bert_tokens *out)
{
    added_search search = { 0 };
    added_match m;
    while (t->added.raw.n && out->n <= o->limit && added_find(&t->added.raw, c->data, c->size, &search, &m))
        if (!split_normal(t, c, m.start, o, out) || (out->n <= o->limit && !add_whole(c, m.end, m.id, o, out)))
            return false;
    return split_normal(t, c, c->size, o, out);
}

bert_status split_text(const bert_tokenizer *t, bert_text text, split_options options, bert_tokens *out, bert_err *err)
{
    out->n = out->dropped = 0;
    if (text.size > UINT32_MAX)
        return fail(err, BERT_ERR_ARGUMENT, "a text of %zu bytes: the tokeniser takes less than 4 GiB", text.size);
    if (t->pipeline)
        return pipeline_split(t, text, &options, out, err);
    text_cursor c = { .data = (const unsigned char *)text.data, .size = text.size };
    return split_all(t, &c, &options, out) ? BERT_OK : fail_memory(err, "the tokens of a text");
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
    tokens_scratch *scratch = t->scratch;
    if (scratch) {
        chunk_free(scratch->chunk);
        pipeline_work_free(scratch->pipeline);
    }
    free(scratch);
    *t = (bert_tokens){ 0 };
}
