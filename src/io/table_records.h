/* The rows of a table before its columns are chosen: one way to read a record for each format.
 *
 *     tsv     fields between tabs; no quoting at all, as in the files of GLUE
 *     csv     RFC 4180: fields between commas, quotes around what holds commas, quotes (doubled) or line breaks
 *     jsonl   a JSON object a line
 *     txt     a line is a text, or a pair "a ||| b": cut at the first |||, blanks around it dropped
 * Lines end with "\n" or "\r\n". NUL and bytes that are not UTF-8 are passed on as they are, but for JSON, which must be UTF-8. */
#ifndef IO_TABLE_RECORDS_H
#define IO_TABLE_RECORDS_H

#include "base/buffer.h"
#include "io/table_lines.h"

#include <jansson.h>

typedef enum table_role { TABLE_TEXT, TABLE_PAIR, TABLE_LABEL, TABLE_ROLES } table_role;

/* A column that the caller wants. */
typedef struct table_column {
    const char *name;
    bool required; /* else a row, or the table, may lack it: it is empty there */
    bool present;  /* the table has it, as far as can be known beforehand */
    size_t index;  /* of its field in a record */
} table_column;

typedef enum table_naming {
    NAMED_BY_HEADER, /* the first record holds the names */
    NAMED_BY_KEY,    /* each record names its fields; it has those of the wanted columns, in the order of table_role */
    NAMED_BY_PLACE   /* text and pair */
} table_naming;

typedef struct table_records table_records;

/* Reads a record into fields, n, line and blank. */
typedef struct table_format {
    const char *name;
    table_naming naming;
    bert_status (*next)(table_records *r, bool *end, bert_err *err);
} table_format;

/* The format of that name; NULL: none. */
const table_format *table_format_find(const char *name, size_t size);

struct table_records {
    table_lines lines;
    table_column columns[TABLE_ROLES];
    /* the present record, until the next */
    bert_text *fields; /* (n) */
    size_t n, capacity;
    size_t line; /* where it starts, from 1 */
    bool blank;  /* an empty line */
    /* what fields point into */
    buffer bytes;
    json_t *json;
};

void table_records_close(table_records *r);

/* The error that a column is missing: names what there is instead. where: the file, or file and line. */
bert_status no_such_column(const char *where, table_role role, const char *name, const bert_text *there, size_t n, bert_err *err);

/* Appends a field to the record. */
bert_status table_records_add(table_records *r, const char *data, size_t size, bert_err *err);

/* The reader of jsonl, in table_jsonl.c. A label may be a string, a number (as few digits as give it back) or true and false (1 and 0). */
bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err);

#endif
