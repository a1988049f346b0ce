/* The words of a text as tables of tagged words have them: what blanks divide (ASCII's, which none of them holds within
 * a word). The tokeniser's own splitting is finer: a word begins at one of its pieces. */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include "bert.h"

static inline bool word_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word from byte *at on: [*start, *end), *at goes behind it. false: there is none. */
static inline bool word_next(bert_text text, size_t *at, size_t *start, size_t *end)
{
    size_t i = *at;
    while (i < text.size && word_blank(text.data[i]))
        i++;
    *start = i;
    while (i < text.size && !word_blank(text.data[i]))
        i++;
    *at = *end = i;
    return *end > *start;
}

/* Whether a text has no word. */
static inline bool text_blank(bert_text text)
{
    size_t at = 0, start, end;
    return !word_next(text, &at, &start, &end);
}

#endif
