/* The general path: any text, one chunk at a time. A chunk is what the original lower-cases and strips as one string: a
 * run of characters between white space, or one Chinese character. */
#pragma once

#include "text/normal_text.h"
#include "text/tokenizer.h"

/* A place in a text. The number of code points before `at` is at - skew. */
typedef struct text_cursor {
    const unsigned char *data;
    size_t size, at;
    /* bytes before `at` that do not begin a code point: continuation bytes, and bytes that are not UTF-8 */
    size_t skew;
} text_cursor;

typedef struct chunk chunk;

/* Splits one chunk (after white space, if any) and adds its tokens to `out`, whose `scratch` is made at the first use.
 * false: out of memory. */
bool chunk_split(const bert_tokenizer *tokenizer, text_cursor *cursor, bool spans, bert_tokens *out);

/* What a text from the cursor on is cleaned, lower-cased and stripped, white space kept and put around Chinese
 * characters. It belongs to `out` and stays until its next use. NULL: out of memory. */
const normal_text *chunk_normalize(const bert_tokenizer *tokenizer, const text_cursor *from, bert_tokens *out);

/* Moves the cursor on to byte `to`, and counts the bytes between that are not UTF-8. */
void cursor_skip(text_cursor *cursor, size_t to, size_t *dropped);

void chunk_free(chunk *c);
