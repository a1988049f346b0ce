/* Written by hand, for most of the text of most models passes here. */
#include "text/byte_words.h"

#include "text/normal_text.h"
#include "text/unicode.h"

#include <string.h>

typedef enum byte_word_kind { WORD_OTHER, WORD_LETTER, WORD_NUMBER, WORD_SPACE } byte_word_kind;

/* O other, L letter, N number, S white space */
static const unsigned char ASCII_KINDS[128] = {
    [0x09] = WORD_SPACE, [0x0A] = WORD_SPACE, [0x0B] = WORD_SPACE, [0x0C] = WORD_SPACE, [0x0D] = WORD_SPACE,
    [' '] = WORD_SPACE,  ['0'] = WORD_NUMBER, ['1'] = WORD_NUMBER, ['2'] = WORD_NUMBER, ['3'] = WORD_NUMBER,
    ['4'] = WORD_NUMBER, ['5'] = WORD_NUMBER, ['6'] = WORD_NUMBER, ['7'] = WORD_NUMBER, ['8'] = WORD_NUMBER,
    ['9'] = WORD_NUMBER, ['A'] = WORD_LETTER, ['B'] = WORD_LETTER, ['C'] = WORD_LETTER, ['D'] = WORD_LETTER,
    ['E'] = WORD_LETTER, ['F'] = WORD_LETTER, ['G'] = WORD_LETTER, ['H'] = WORD_LETTER, ['I'] = WORD_LETTER,
    ['J'] = WORD_LETTER, ['K'] = WORD_LETTER, ['L'] = WORD_LETTER, ['M'] = WORD_LETTER, ['N'] = WORD_LETTER,
    ['O'] = WORD_LETTER, ['P'] = WORD_LETTER, ['Q'] = WORD_LETTER, ['R'] = WORD_LETTER, ['S'] = WORD_LETTER,
    ['T'] = WORD_LETTER, ['U'] = WORD_LETTER, ['V'] = WORD_LETTER, ['W'] = WORD_LETTER, ['X'] = WORD_LETTER,
    ['Y'] = WORD_LETTER, ['Z'] = WORD_LETTER, ['a'] = WORD_LETTER, ['b'] = WORD_LETTER, ['c'] = WORD_LETTER,
    ['d'] = WORD_LETTER, ['e'] = WORD_LETTER, ['f'] = WORD_LETTER, ['g'] = WORD_LETTER, ['h'] = WORD_LETTER,
    ['i'] = WORD_LETTER, ['j'] = WORD_LETTER, ['k'] = WORD_LETTER, ['l'] = WORD_LETTER, ['m'] = WORD_LETTER,
    ['n'] = WORD_LETTER, ['o'] = WORD_LETTER, ['p'] = WORD_LETTER, ['q'] = WORD_LETTER, ['r'] = WORD_LETTER,
    ['s'] = WORD_LETTER, ['t'] = WORD_LETTER, ['u'] = WORD_LETTER, ['v'] = WORD_LETTER, ['w'] = WORD_LETTER,
    ['x'] = WORD_LETTER, ['y'] = WORD_LETTER, ['z'] = WORD_LETTER,
};

static inline byte_word_kind word_kind_at(const unsigned char *text, size_t at, size_t *length)
{
    if (text[at] < 128) {
        *length = 1;
        return (byte_word_kind)ASCII_KINDS[text[at]];
    }
    uint32_t cp = text_character(text + at, length);
    return unicode_is(cp, CATEGORIES_LETTER)   ? WORD_LETTER
           : unicode_is(cp, CATEGORIES_NUMBER) ? WORD_NUMBER
           : unicode_is_space(cp)              ? WORD_SPACE
                                               : WORD_OTHER;
}

/* The end of the run of one kind; *last: where its last character begins. */
static inline size_t kind_end(const unsigned char *text, size_t at, size_t size, byte_word_kind kind, size_t *last)
{
    size_t length;
    *last = at;
    while (at < size && word_kind_at(text, at, &length) == kind) {
        *last = at;
        at += length;
    }
    return at;
}

/* The end of a contraction behind its apostrophe, or 0. */
static size_t contraction_end(const unsigned char *text, size_t at, size_t size)
{
    if (at < size && memchr("stmd", text[at], 4))
        return at + 1;
    if (at + 1 < size &&
        ((text[at + 1] == 'e' && (text[at] == 'r' || text[at] == 'v')) || (text[at] == 'l' && text[at + 1] == 'l')))
        return at + 2;
    return 0;
}

size_t byte_word_end(const unsigned char *text, size_t at, size_t size)
{
    size_t length, last, end;
    byte_word_kind kind = word_kind_at(text, at, &length);
    if (text[at] == '\'' && (end = contraction_end(text, at + 1, size)))
        return end;
    if (text[at] == ' ' && at + 1 < size) {
        byte_word_kind next = word_kind_at(text, at + 1, &length);
        if (next != WORD_SPACE)
            return kind_end(text, at + 1, size, next, &last);
    }
    end = kind_end(text, at, size, kind, &last);
    /* white space leaves its last character to what stands behind it */
    return kind == WORD_SPACE && end < size && last > at ? last : end;
}

uint32_t byte_character(unsigned char byte)
{
    if ((byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD))
        return byte;
    return 0x100u + (byte <= 0x20 ? byte : byte <= 0xA0 ? byte - 0x7Fu + 0x21u : 67u);
}
