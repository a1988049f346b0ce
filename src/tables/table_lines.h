/* The lines of a table, one at a time through a window that grows to the longest line. */
#pragma once

#include "tables/encoding_guess.h"
#include "tables/table_encoding.h"

enum { LINE_MOST = 64 << 20 }; /* bytes of a line, and of a row that spans lines */

/* All zero is closed. */
typedef struct table_lines {
    table_text text;
    const char *name; /* the stream's */
    char *window;
    size_t start, end, capacity; /* window[start .. end) is read and not yet handed out */
    size_t sound;                /* window[start .. sound) is UTF-8 */
    size_t searched;             /* window[start .. searched) has no line break, but for that before next: */
    size_t next;                 /* where the line behind the next one starts; not above start: not known */
    bool ended;                  /* the text has no more */
    /* the last character of a line: '\r' where there is no '\n' for a long way; 0: not known yet */
    char newline;
    size_t number; /* of the line handed out last, from 1 */
    /* the character of that line, from 1, where its first byte stands that is not UTF-8; 0: there is none */
    size_t fault;
    unsigned char fault_byte;
    char guess[ENCODING_GUESS]; /* what the first such byte looks like; "" before */
} table_lines;

/* encoding: as table_text_open. */
bert_status table_lines_open(table_lines *l, const char *path, const char *encoding, bert_err *err);

/* The next line with its line break, which the last may lack; it stays until the next call. *end: there is none.
 * Fails as table_stream_read; with BERT_ERR_DATA for a line above LINE_MOST, or where the text is broken. */
bert_status table_lines_next(table_lines *l, bert_text *line, bool *end, bert_err *err);

/* Neither "\n", "\r\n" nor "\r". */
static inline bert_text line_without_break(bert_text line)
{
    line.size -= line.size && line.data[line.size - 1] == '\n';
    line.size -= line.size && line.data[line.size - 1] == '\r';
    return line;
}

size_t count_characters(const char *bytes, size_t n); /* of UTF-8 */

bert_status line_too_long(const table_lines *l, size_t number, bert_err *err);

/* Whether the next line is not here yet, and reading it would have to wait. */
bool table_lines_would_wait(table_lines *l);

void table_lines_close(table_lines *l);
