/* A text on its way through a pipeline: what normalizers have made of it, the place in the original of each byte, and
 * the pieces that pre-tokenizers have cut it into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8, and where each byte of it comes from. */
typedef struct normal_text {
    unsigned char *bytes;  /* (size) */
    uint32_t *start, *end; /* (size) bytes of the original */
    size_t size, capacity;
} normal_text;

/* Makes room for so many bytes, with the arrays of places or without. false: out of memory; the text is as it was. */
bool normal_text_reserve(normal_text *t, size_t capacity, bool spans);
void normal_text_free(normal_text *t);

/* A character that is written, as `tokenizers` counts: 0, it replaces the next one of the text; 1, it is put in, and
 * stands where the one before it stood; -n, it replaces one, and n behind that go. */
typedef struct text_change {
    uint32_t cp;
    int32_t change;
} text_change;

typedef struct text_piece {
    uint32_t start, end; /* bytes of the normal text */
} text_piece;

/* One text's way, and the memory for it, which is kept. All zero before the first use. */
typedef struct text_work {
    normal_text text;
    text_piece *pieces; /* (n_pieces) in their order, none empty */
    size_t n_pieces;
    uint32_t origin; /* where the section begins in the original */
    size_t dropped;  /* bytes of the section that are not UTF-8 */
    bool spans;      /* places are wanted */
    bool failed;     /* memory ran out: what is here is of no use */
    bool refused;    /* a pattern took too many steps */
    /* what is written now */
    normal_text next;
    text_change *changes; /* (n_changes) */
    text_piece *next_pieces;
    size_t n_next, n_changes;
    size_t pieces_capacity, next_capacity, changes_capacity;
    struct pattern_choice *choices; /* of a pattern that is matched */
    size_t choices_capacity;
} text_work;

void text_work_free(text_work *w);

/* Begins with bytes [begin, end) of the original, without those that are not UTF-8. */
void text_work_begin(text_work *w, const unsigned char *original, size_t begin, size_t end, bool spans);
bool text_is_ascii(const normal_text *t);

/* A character and its length; what is in a normal text is always sound. */
static inline uint32_t text_character(const unsigned char *bytes, size_t *length)
{
    uint32_t c = bytes[0];
    if (c < 0x80) {
        *length = 1;
        return c;
    }
    if (c < 0xE0) {
        *length = 2;
        return (c & 0x1F) << 6 | (bytes[1] & 0x3Fu);
    }
    if (c < 0xF0) {
        *length = 3;
        return (c & 0xF) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    }
    *length = 4;
    return (c & 7) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 | (bytes[3] & 0x3Fu);
}

/* The bytes of the character that begins with this one. */
static inline size_t character_size(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* ---- a normalizer writes changes --------------------------------------------------------------------------------- */

void text_change_add(text_work *w, uint32_t cp, int32_t change);
/* The text becomes what the changes say; the first `removed` characters are gone before. */
void text_change_apply(text_work *w, size_t removed);

/* ---- or the next text, byte by byte ------------------------------------------------------------------------------ */

void next_begin(text_work *w, size_t capacity);
/* Bytes of the text as they are. */
void next_copy(text_work *w, size_t from, size_t to);
/* Others, which stand where byte `like` of the text does; SIZE_MAX: at the section's beginning. */
void next_put(text_work *w, const char *bytes, size_t n, size_t like);
void next_end(text_work *w);

/* ---- a pre-tokenizer writes pieces ------------------------------------------------------------------------------- */

/* An empty one is left out. */
void piece_add(text_work *w, size_t start, size_t end);
void pieces_end(text_work *w);
/* The whole text as one piece, or its part. */
void pieces_begin(text_work *w, size_t start, size_t end);
