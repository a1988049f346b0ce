/* The general path: any text, one chunk at a time. A chunk is what the original lower-cases and strips as one string: a run of
 * characters between white space, or one Chinese character. */
#ifndef TEXT_CHUNK_H
#define TEXT_CHUNK_H

#include "text/tokenizer.h"

/* A place in a text. The number of code points before `at` is at - skew. */
typedef struct text_cursor {
    const unsigned char *data;
    size_t size, at;
    size_t skew; /* bytes before `at` that do not begin a code point: continuation bytes, and bytes that are not UTF-8 */
} text_cursor;

typedef struct chunk chunk;

/* Splits one chunk (after white space, if any) and adds its tokens to `out`, whose `scratch` is made at the first use.
 * false: out of memory. */
bool chunk_split(const bert_tokenizer *tokenizer, text_cursor *cursor, bool spans, bert_tokens *out);

void chunk_free(chunk *c);

#endif
