/* A chunk is read character by character into its normal form: cleaned, lower-cased, decomposed, put in canonical order, marks stripped;
 * then cut at punctuation and matched with the vocabulary. */
#include "text/chunk.h"

#include "base/utf8.h"
#include "text/tokens.h"

#include <stdlib.h>

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2, MOST_PARTS = 8 };

/* A character of the normal form and where it came from. */
typedef struct chunk_char {
    uint32_t cp;
    bool punctuation;
    token_span span;
} chunk_char;

struct chunk {
    chunk_char *chars; /* (n) */
    size_t n, capacity;
    size_t run;   /* chars[run .. n) have a combining class other than 0 and nothing between them that stops reordering */
    bool cased;   /* the last character that is not case-ignorable was a letter with case */
    size_t sigma; /* 1 + index of a capital sigma that is final unless a letter with case follows; 0: none */
};

void chunk_free(chunk *c)
{
    if (c)
        free(c->chars);
    free(c);
}

static bool chunk_grow(chunk *c)
{
    size_t larger = 2 * c->capacity + 256;
    chunk_char *moved = realloc(c->chars, larger * sizeof *moved);
    if (!moved)
        return false;
    c->chars = moved;
    c->capacity = larger;
    return true;
}

/* Moves the last character to its place in canonical order. Characters that change places all count as standing where their run stands,
 * so that spans stay in order. */
static void reorder_last(chunk *c)
{
    chunk_char last = c->chars[c->n - 1];
    size_t place = c->n - 1;
    while (place > c->run && character_combining_class(c->chars[place - 1].cp) > character_combining_class(last.cp)) {
        c->chars[place] = c->chars[place - 1];
        place--;
    }
    if (place == c->n - 1)
        return;
    c->chars[place] = last;
    token_span all = last.span;
    all.byte_start = c->chars[place + 1].span.byte_start;
    all.char_start = c->chars[place + 1].span.char_start;
    for (size_t i = place; i < c->n; i++)
        c->chars[i].span = all;
}

/* Adds one character of the normal form, with the flags of its entry; the room must be there. */
static inline void add_char(chunk *c, uint32_t cp, uint32_t flags, token_span span)
{
    if (!(flags & CHARACTER_MARK))
        c->chars[c->n++] = (chunk_char){ cp, flags & CHARACTER_PUNCTUATION, span };
    if (!(flags & CHARACTER_NONSTARTER))
        c->run = c->n;
    else if (!(flags & CHARACTER_MARK))
        reorder_last(c);
}

static void add_hangul(chunk *c, uint32_t cp, token_span span)
{
    uint32_t syllable = cp - 0xAC00; /* The Unicode Standard, section 3.12 */
    add_char(c, 0x1100 + syllable / 588, 0, span);
    add_char(c, 0x1161 + syllable % 588 / 28, 0, span);
    if (syllable % 28)
        add_char(c, 0x11A7 + syllable % 28, 0, span);
}

static void add_expansion(chunk *c, const character_table *table, uint32_t place, token_span span)
{
    const uint32_t *parts = table->expansions + place;
    for (uint32_t i = 1; i <= parts[0]; i++)
        add_char(c, parts[i], character_entry(table, parts[i]), span);
}

/* Python's rule for a capital sigma: final after a letter with case and not before one, case-ignorable characters not counted. */
static void follow_case(chunk *c, uint32_t cp, uint32_t entry)
{
    if (entry & CHARACTER_CASE_IGNORABLE)
        return;
    bool cased = entry & CHARACTER_CASED;
    if (cased && c->sigma)
        c->chars[c->sigma - 1].cp = SMALL_SIGMA;
    c->sigma = 0;
    if (cp == CAPITAL_SIGMA && c->cased) {
        c->chars[c->n - 1].cp = FINAL_SIGMA;
        c->sigma = c->n;
    }
    c->cased = cased;
}

static void add_original(chunk *c, const bert_tokenizer *t, uint32_t cp, uint32_t entry, token_span span)
{
    uint32_t becomes = entry & CHARACTER_BECOMES;
    if (entry & CHARACTER_EXPANDS)
        add_expansion(c, &t->characters, becomes, span);
    else if (entry & CHARACTER_HANGUL)
        add_hangul(c, cp, span);
    else
        add_char(c, becomes ? becomes : cp, entry, span);
    if (t->do_lower_case)
        follow_case(c, cp, entry);
}

/* Reads one chunk and moves the cursor behind it (and the white space that ends it). false: out of memory. */
static bool read_chunk(chunk *c, const bert_tokenizer *t, text_cursor *at, size_t *dropped)
{
    c->n = c->run = c->sigma = 0;
    c->cased = false;
    bool begun = false;
    while (at->at < at->size) {
        uint32_t cp;
        size_t length = utf8_decode(at->data + at->at, at->size - at->at, &cp);
        if (!length) {
            ++*dropped;
            at->at++;
            at->skew++;
            continue;
        }
        uint32_t entry = character_entry(&t->characters, cp);
        if (begun && (entry & CHARACTER_CHINESE))
            break;
        token_span span = { (uint32_t)at->at, (uint32_t)(at->at + length), (uint32_t)(at->at - at->skew), (uint32_t)(at->at - at->skew + 1) };
        at->at += length;
        at->skew += length - 1;
        if (entry & CHARACTER_SPACE)
            break;
        if (entry & CHARACTER_DROP)
            continue;
        if (c->n + MOST_PARTS > c->capacity && !chunk_grow(c))
            return false;
        add_original(c, t, cp, entry, span);
        begun = true;
        if (entry & CHARACTER_CHINESE)
            break;
    }
    return true;
}

static int32_t step_char(const trie *pieces, int32_t node, uint32_t cp)
{
    unsigned char bytes[4];
    return trie_walk(pieces, node, bytes, utf8_encode(cp, bytes));
}

static token_span span_over(const chunk_char *first, const chunk_char *last)
{
    return (token_span){ first->span.byte_start, last->span.byte_end, first->span.char_start, last->span.char_end };
}

/* Adds the pieces of one word, the longest match first, or [UNK] where it cannot be made of pieces. */
static void match_word(const bert_tokenizer *t, const chunk_char *chars, size_t n, bool spans, bert_tokens *out)
{
    const trie *pieces = &t->vocabulary.trie;
    size_t before = out->n, start = 0;
    while (start < n && n <= WORD_MAX) {
        int32_t node = start ? t->continuation : TRIE_ROOT, id = -1;
        size_t end = start;
        for (size_t i = start; i < n && node >= 0; i++) {
            node = step_char(pieces, node, chars[i].cp);
            if (node >= 0 && pieces->nodes[node].id >= 0) {
                id = pieces->nodes[node].id;
                end = i + 1;
            }
        }
        if (id < 0)
            break;
        tokens_add(out, id, span_over(&chars[start], &chars[end - 1]), spans);
        start = end;
    }
    if (start == n)
        return;
    out->n = before;
    tokens_add(out, t->unknown, span_over(&chars[0], &chars[n - 1]), spans);
}

bool chunk_split(const bert_tokenizer *t, text_cursor *cursor, bool spans, bert_tokens *out)
{
    if (!out->scratch && !(out->scratch = calloc(1, sizeof(chunk))))
        return false;
    chunk *c = out->scratch;
    if (!read_chunk(c, t, cursor, &out->dropped))
        return false;
    for (size_t start = 0, end; start < c->n; start = end) {
        end = start + 1;
        while (!c->chars[start].punctuation && end < c->n && !c->chars[end].punctuation)
            end++;
        if (!tokens_reserve(out, WORD_MAX, spans))
            return false;
        match_word(t, c->chars + start, end - start, spans, out);
    }
    return true;
}
