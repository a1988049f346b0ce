/* A growing run of bytes: text to be printed, a header to be written, a stream to be read. Always ends with a NUL that
 * is not counted. */
#pragma once

#include "bert.h"

#include <string.h>

/* The inner names of what is bert.h's. */
typedef bert_buffer buffer;
#define buffer_printf bert_buffer_printf
#define buffer_clear bert_buffer_clear
#define buffer_free bert_buffer_free

bool buffer_reserve(buffer *b, size_t more); /* room for `more` bytes and the NUL; false: out of memory */

/* Here, for a table's rows are made of appends of a few bytes. */
static inline void buffer_add(buffer *b, const void *bytes, size_t n)
{
    if ((b->failed || n >= b->capacity - b->size) && !buffer_reserve(b, n))
        return;
    if (n)
        memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = 0;
}

void buffer_string(buffer *b, const char *string);
void buffer_char(buffer *b, char c);
char *buffer_take(buffer *b); /* the bytes, now the caller's to free; NULL if it failed; the buffer is empty then */
