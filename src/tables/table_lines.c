/* The lines of a table. */
#include "tables/table_lines.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 18 };

size_t count_characters(const char *bytes, size_t n)
{
    size_t characters = 0;
    for (size_t i = 0; i < n; i++)
        characters += (bytes[i] & 0xC0) != 0x80;
    return characters;
}

static void find_sound(table_lines *l)
{
    l->sound += utf8_sound((const unsigned char *)l->window + l->sound, l->end - l->sound);
}

/* Reads more behind window[start .. end), which may move. */
static bert_status read_more(table_lines *l, bert_err *err)
{
    if (l->start) {
        memmove(l->window, l->window + l->start, l->end - l->start);
        l->end -= l->start;
        l->sound -= l->start;
        l->searched -= l->start;
        l->start = l->next = 0;
    }
    if (l->capacity - l->end < CHUNK / 2) {
        size_t capacity = l->capacity * 2; /* no overflow: lines are limited */
        char *window = realloc(l->window, capacity);
        if (!window)
            return fail_memory(err, l->name);
        l->window = window;
        l->capacity = capacity;
    }
    size_t n = 0;
    bert_status s = table_text_read(&l->text, l->window + l->end, l->capacity - l->end, &n, err);
    if (s)
        return s;
    if (!n && l->text.broken) /* there is no line break behind start, or it would not read */
        return table_text_broken(&l->text, l->number + 1, 1 + count_characters(l->window + l->start, l->end - l->start),
                                 err);
    l->ended = n == 0;
    l->end += n;
    find_sound(l);
    return BERT_OK;
}

bert_status table_lines_open(table_lines *l, const char *path, const char *encoding, bert_err *err)
{
    *l = (table_lines){ .window = malloc(CHUNK), .capacity = CHUNK };
    bert_status s = l->window ? table_text_open(&l->text, path, encoding, err) : fail_memory(err, path);
    l->name = l->text.stream.name;
    if (s)
        table_lines_close(l);
    return s;
}

bert_status line_too_long(const table_lines *l, size_t number, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s:%zu: more than %d bytes in one row", l->name, number, LINE_MOST);
}

static bool has(const table_lines *l, char what)
{
    return memchr(l->window + l->start, what, l->end - l->start);
}

/* Whether the next line is in the window with its break. */
static bool find_break(table_lines *l)
{
    if (l->next > l->start)
        return true;
    const char *newline = memchr(l->window + l->searched, l->newline, l->end - l->searched);
    l->searched = l->end;
    l->next = newline ? (size_t)(newline + 1 - l->window) : 0;
    return newline;
}

/* Old Macs end lines with '\r' alone; elsewhere it is a character like any other, but for one before '\n'. */
static bert_status choose_newline(table_lines *l, bert_err *err)
{
    bert_status s = BERT_OK;
    while (!s && !has(l, '\n') && !l->ended && l->end - l->start < CHUNK)
        s = read_more(l, err);
    l->newline = !has(l, '\n') && has(l, '\r') ? '\r' : '\n';
    return s;
}

/* Where the line that was handed out has a byte that is not UTF-8. */
static void find_fault(table_lines *l, bert_text line)
{
    l->fault = 0;
    if (l->sound >= l->start)
        return;
    const char *at = l->window + l->sound;
    l->fault = 1 + count_characters(line.data, (size_t)(at - line.data));
    l->fault_byte = (unsigned char)*at;
    if (!*l->guess)
        encoding_guess(l->guess, l->window + (line.data - l->window), (size_t)(l->window + l->end - line.data));
    l->sound = l->start;
    find_sound(l);
}

bert_status table_lines_next(table_lines *l, bert_text *line, bool *end, bert_err *err)
{
    bert_status s = l->newline ? BERT_OK : choose_newline(l, err);
    if (s)
        return s;
    bool whole;
    while (!(whole = find_break(l)) && !l->ended && l->end - l->start <= LINE_MOST)
        if ((s = read_more(l, err)))
            return s;
    size_t size = (whole ? l->next : l->end) - l->start;
    if (size > LINE_MOST)
        return line_too_long(l, l->number + 1, err);
    *line = (bert_text){ l->window + l->start, size };
    l->start += size;
    l->searched = l->start;
    *end = line->size == 0;
    l->number += !*end;
    find_fault(l, *line);
    return BERT_OK;
}

bool table_lines_would_wait(table_lines *l)
{
    return !l->ended && !(l->newline && find_break(l)) && table_text_would_wait(&l->text);
}

void table_lines_close(table_lines *l)
{
    table_text_close(&l->text);
    free(l->window);
    *l = (table_lines){ 0 };
}
