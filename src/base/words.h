/* The words of a text as tables of tagged words have them: what blanks divide (ASCII's, which none of them holds within
 * a word). The tokeniser's own splitting is finer: a word begins at one of its pieces. */
#pragma once

#include "bert.h"

#include <string.h>

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

/* A text without the blanks around it. */
static inline bert_text text_bare(bert_text t)
{
    while (t.size && word_blank(t.data[0]))
        t = (bert_text){ t.data + 1, t.size - 1 };
    while (t.size && word_blank(t.data[t.size - 1]))
        t.size--;
    return t;
}

static inline bool text_equal(bert_text a, bert_text b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static inline bool text_is(bert_text text, const char *string)
{
    return text_equal(text, (bert_text){ string, strlen(string) });
}

/* Whether a list, which ends with NULL, has the word. */
static inline bool word_listed(const char *const *list, const char *word)
{
    while (*list && strcmp(*list, word))
        list++;
    return *list != NULL;
}
