/* The lines of a table. */
#include "io/table_lines.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 18 };

/* Reads more behind window[start .. end), which may move. */
static bert_status read_more(table_lines *l, bert_err *err)
{
    if (l->start) {
        memmove(l->window, l->window + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (l->capacity - l->end < CHUNK / 2) {
        size_t capacity = l->capacity * 2; /* no overflow: lines are limited */
        char *window = realloc(l->window, capacity);
        if (!window)
            return fail_memory(err, l->stream.name);
        l->window = window;
        l->capacity = capacity;
    }
    size_t n = 0;
    bert_status s = table_stream_read(&l->stream, l->window + l->end, l->capacity - l->end, &n, err);
    if (s)
        return s;
    l->ended = n == 0;
    l->end += n;
    return BERT_OK;
}

bert_status table_lines_open(table_lines *l, const char *path, bert_err *err)
{
    *l = (table_lines){ .window = malloc(CHUNK), .capacity = CHUNK };
    bert_status s = l->window ? table_stream_open(&l->stream, path, err) : fail_memory(err, path);
    if (s)
        table_lines_close(l);
    return s;
}

bert_status line_too_long(const table_lines *l, size_t number, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s:%zu: more than %d bytes in one row", l->stream.name, number, LINE_MOST);
}

bert_status table_lines_next(table_lines *l, bert_text *line, bool *end, bert_err *err)
{
    size_t seen = 0; /* bytes of the line in which there is no line break */
    const char *newline;
    while (!(newline = memchr(l->window + l->start + seen, '\n', l->end - l->start - seen)) && !l->ended && l->end - l->start <= LINE_MOST) {
        seen = l->end - l->start;
        bert_status s = read_more(l, err);
        if (s)
            return s;
    }
    size_t size = newline ? (size_t)(newline + 1 - (l->window + l->start)) : l->end - l->start;
    if (size > LINE_MOST)
        return line_too_long(l, l->number + 1, err);
    *line = (bert_text){ l->window + l->start, size };
    l->start += size;
    if (l->number == 0 && size >= 3 && !memcmp(line->data, "\xEF\xBB\xBF", 3))
        *line = (bert_text){ line->data + 3, size - 3 };
    *end = line->size == 0;
    l->number += !*end;
    return BERT_OK;
}

bert_text line_without_break(bert_text line)
{
    if (line.size && line.data[line.size - 1] == '\n') {
        line.size--;
        if (line.size && line.data[line.size - 1] == '\r')
            line.size--;
    }
    return line;
}

bool table_lines_would_wait(const table_lines *l)
{
    return !l->ended && !memchr(l->window + l->start, '\n', l->end - l->start) && table_stream_would_wait(&l->stream);
}

void table_lines_close(table_lines *l)
{
    table_stream_close(&l->stream);
    free(l->window);
    *l = (table_lines){ 0 };
}
