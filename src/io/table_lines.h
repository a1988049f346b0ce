/* The lines of a table, one at a time through a window that grows to the longest line. */
#ifndef IO_TABLE_LINES_H
#define IO_TABLE_LINES_H

#include "io/table_stream.h"

enum { LINE_MOST = 64 << 20 }; /* bytes of a line, and of a row that spans lines */

/* All zero is closed. */
typedef struct table_lines {
    table_stream stream;
    char *window;
    size_t start, end, capacity; /* window[start .. end) is read and not yet handed out */
    bool ended;                  /* the stream has no more */
    size_t number;               /* of the line handed out last, from 1 */
} table_lines;

bert_status table_lines_open(table_lines *l, const char *path, bert_err *err);

/* The next line with its line break, which the last may lack; it stays until the next call. *end: there is none. A byte order mark at the start
 * of the first is passed over.
 * Fails as table_stream_read; with BERT_ERR_DATA for a line above LINE_MOST. */
bert_status table_lines_next(table_lines *l, bert_text *line, bool *end, bert_err *err);

bert_text line_without_break(bert_text line); /* neither "\n" nor "\r\n" */

bert_status line_too_long(const table_lines *l, size_t number, bert_err *err);

/* Whether the next line is not here yet, and reading it would have to wait. */
bool table_lines_would_wait(const table_lines *l);

void table_lines_close(table_lines *l);

#endif
