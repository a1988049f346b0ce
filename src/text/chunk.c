/* A chunk is read character by character into its normal form: cleaned, lower-cased, decomposed, put in canonical
 * order, marks stripped; then cut at punctuation and matched with the vocabulary. */
#include "text/chunk.h"
#include "base/size.h"

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
    /* chars[run .. n) have a combining class other than 0 and nothing between them that stops reordering */
    size_t run;
    bool cased;   /* the last character that is not case-ignorable was a letter with case */
    size_t sigma; /* 1 + index of a capital sigma that is final unless a letter with case follows; 0: none */
    normal_text form;
};

void chunk_free(chunk *c)
{
    if (c) {
        free(c->chars);
        normal_text_free(&c->form);
    }
    free(c);
}

void cursor_skip(text_cursor *c, size_t to, size_t *dropped)
{
    uint32_t cp;
    while (c->at < to) {
        size_t length = utf8_decode(c->data + c->at, c->size - c->at, &cp);
        *dropped += !length;
        c->at += length ? length : 1;
        c->skew += length ? length - 1 : 1;
    }
}

/* Moves the last character to its place in canonical order. Characters that change places all count as standing where
 * their run stands, so that spans stay in order. */
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

static void chunk_add_parts(chunk *c, const character_table *table, uint32_t cp, uint32_t entry, token_span span)
{
    if (entry & CHARACTER_HANGUL)
        add_hangul(c, cp, span);
    else
        add_expansion(c, table, entry & CHARACTER_BECOMES, span);
}

/* Python's rule for a capital sigma: final after a letter with case and not before one, case-ignorable characters not
 * counted. */
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

__attribute__((always_inline)) static inline void add_original(chunk *c, const bert_tokenizer *t, uint32_t cp,
                                                               uint32_t entry, token_span span)
{
    uint32_t becomes = entry & CHARACTER_BECOMES;
    if (entry & (CHARACTER_EXPANDS | CHARACTER_HANGUL))
        chunk_add_parts(c, &t->characters, cp, entry, span);
    else
        add_char(c, becomes ? becomes : cp, entry, span);
    if (t->final_sigma)
        follow_case(c, cp, entry);
}

/* The next character that cleaning keeps, with its entry and its place; the cursor goes behind it. false: there is
 * none. */
static inline bool next_character(const bert_tokenizer *t, text_cursor *at, uint32_t *cp, uint32_t *entry,
                                  token_span *span, size_t *dropped)
{
    while (at->at < at->size) {
        size_t length = utf8_decode(at->data + at->at, at->size - at->at, cp);
        if (!length) {
            ++*dropped;
            at->at++;
            at->skew++;
            continue;
        }
        *span = (token_span){ (uint32_t)at->at, (uint32_t)(at->at + length), (uint32_t)(at->at - at->skew),
                              (uint32_t)(at->at - at->skew + 1) };
        at->at += length;
        at->skew += length - 1;
        *entry = character_entry(&t->characters, *cp);
        if (!(*entry & CHARACTER_DROP))
            return true;
    }
    return false;
}

static bool chunk_reserve(chunk *c)
{
    return ARRAY_HOLDS(c->chars, c->capacity, c->n + MOST_PARTS);
}

static void chunk_clear(chunk *c)
{
    c->n = c->run = c->sigma = 0;
    c->cased = false;
}

/* Reads one chunk and moves the cursor behind it (and the white space that ends it). false: out of memory. */
static bool read_chunk(chunk *c, const bert_tokenizer *t, text_cursor *cursor, size_t *dropped)
{
    text_cursor at = *cursor; /* a copy that nobody else can write to stays in registers */
    uint32_t cp, entry;
    token_span span;
    bool more, begun = false;
    chunk_clear(c);
    while ((more = next_character(t, &at, &cp, &entry, &span, dropped)) &&
           !(entry & (CHARACTER_SPACE | CHARACTER_CHINESE))) {
        if (!chunk_reserve(c))
            return false;
        add_original(c, t, cp, entry, span);
        begun = true;
    }
    if (more && (entry & CHARACTER_CHINESE) && begun) { /* it begins the next one */
        at.at = span.byte_start;
        at.skew = span.byte_start - span.char_start;
    } else if (more && (entry & CHARACTER_CHINESE)) {
        if (!chunk_reserve(c))
            return false;
        add_original(c, t, cp, entry, span);
    }
    *cursor = at;
    return true;
}

/* ---- the normal form of a whole text ----------------------------------------------------------------------------- */

/* The blank before a Chinese character stands where that begins, the one behind it where it ends. */
static token_span edge_of(token_span span, bool end)
{
    span.byte_start = span.byte_end = end ? span.byte_end : span.byte_start;
    span.char_start = span.char_end = end ? span.char_end : span.char_start;
    return span;
}

static void add_blank(chunk *c, uint32_t cp, token_span span)
{
    c->chars[c->n++] = (chunk_char){ cp, false, span };
    c->run = c->n;
    c->sigma = 0;
    c->cased = false;
}

static bool normalize_chars(chunk *c, const bert_tokenizer *t, text_cursor *at)
{
    uint32_t cp, entry;
    token_span span;
    size_t dropped = 0;
    chunk_clear(c);
    while (next_character(t, at, &cp, &entry, &span, &dropped)) {
        if (!chunk_reserve(c))
            return false;
        if (entry & CHARACTER_SPACE)
            add_blank(c, t->options.clean_text ? ' ' : cp, span);
        if (entry & CHARACTER_CHINESE)
            add_blank(c, ' ', edge_of(span, false));
        if (!(entry & CHARACTER_SPACE))
            add_original(c, t, cp, entry, span);
        if (entry & CHARACTER_CHINESE)
            add_blank(c, ' ', edge_of(span, true));
    }
    return true;
}

static chunk *chunk_of(bert_tokens *out)
{
    tokens_scratch *scratch = tokens_scratch_of(out);
    if (scratch && !scratch->chunk)
        scratch->chunk = calloc(1, sizeof(chunk));
    return scratch ? scratch->chunk : NULL;
}

const normal_text *chunk_normalize(const bert_tokenizer *t, const text_cursor *from, bert_tokens *out)
{
    chunk *c = chunk_of(out);
    text_cursor at = *from;
    if (!c || !normalize_chars(c, t, &at) || !normal_text_reserve(&c->form, 4 * c->n + 1, true))
        return NULL;
    normal_text *f = &c->form;
    f->size = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t length = utf8_encode(c->chars[i].cp, f->bytes + f->size);
        for (size_t k = 0; k < length; k++, f->size++) {
            f->start[f->size] = c->chars[i].span.byte_start;
            f->end[f->size] = c->chars[i].span.byte_end;
        }
    }
    return f;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

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
static bool match_word(const bert_tokenizer *t, const chunk_char *chars, size_t n, bool spans, bert_tokens *out)
{
    const trie *pieces = &t->vocabulary.trie;
    if (n > t->word_max)
        return tokens_append(out, t->unknown, span_over(&chars[0], &chars[n - 1]), spans);
    if (!tokens_reserve(out, n, spans))
        return false;
    size_t before = out->n, start = 0;
    while (start < n) {
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
        return true;
    out->n = before;
    return tokens_append(out, t->unknown, span_over(&chars[0], &chars[n - 1]), spans);
}

bool chunk_split(const bert_tokenizer *t, text_cursor *cursor, bool spans, bert_tokens *out)
{
    chunk *c = chunk_of(out);
    if (!c || !read_chunk(c, t, cursor, &out->dropped))
        return false;
    for (size_t start = 0, end; start < c->n; start = end) {
        end = start + 1;
        while (!c->chars[start].punctuation && end < c->n && !c->chars[end].punctuation)
            end++;
        if (!match_word(t, c->chars + start, end - start, spans, out))
            return false;
    }
    return true;
}
