/* A growing run of bytes. */
#include "base/buffer.h"

#include "base/size.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool buffer_reserve(buffer *b, size_t more)
{
    size_t need;
    if (b->failed || !add_size(b->size, more, &need) || !add_size(need, 1, &need))
        return b->failed = true, false;
    if (need <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    char *data = realloc(b->data, capacity);
    if (!data)
        return b->failed = true, false;
    if (!b->data)
        data[0] = 0;
    b->data = data;
    b->capacity = capacity;
    return true;
}

void buffer_string(buffer *b, const char *string)
{
    buffer_add(b, string, strlen(string));
}

void buffer_char(buffer *b, char c)
{
    buffer_add(b, &c, 1);
}

void bert_buffer_printf(buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && buffer_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(args);
    va_end(again);
}

void bert_buffer_clear(buffer *b)
{
    b->size = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = 0;
}

char *buffer_take(buffer *b)
{
    char *data = NULL;
    if (buffer_reserve(b, 0)) {
        data = b->data;
        b->data = NULL;
    }
    buffer_free(b);
    return data;
}

void bert_buffer_free(buffer *b)
{
    free(b->data);
    *b = (buffer){ 0 };
}

void bert_buffer_add(bert_buffer *b, const void *bytes, size_t n)
{
    buffer_add(b, bytes, n);
}
