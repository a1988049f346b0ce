/* The rows of a table before its columns are chosen: one way to read a record for each format.
 *
 *     tsv     fields between tabs; no quoting at all, as in the files of GLUE
 *     csv     RFC 4180: fields between commas, quotes around what holds commas, quotes (doubled) or line breaks
 *     jsonl   a JSON object a line; an array of words is a text, an array of tags or labels a label
 *     conll   a word and its tags a line, between blanks; an empty line or -DOCSTART- ends a sentence, which is a record
 *     txt     a line is a text, or a pair "a ||| b": cut at the first |||, blanks around it dropped
 * Lines end with "\n" or "\r\n". NUL and bytes that are not UTF-8 are passed on as they are, but for JSON, which must be UTF-8. */
#ifndef IO_TABLE_RECORDS_H
#define IO_TABLE_RECORDS_H

#include "base/buffer.h"
#include "io/table_lines.h"

#include <jansson.h>

enum { COLUMNS_MOST = 65536 };

typedef enum table_role { TABLE_TEXT, TABLE_PAIR, TABLE_LABEL, TABLE_ROLES } table_role;

/* A column that the caller wants. */
typedef struct table_column {
    const char *name;
    bool required; /* else a row, or the table, may lack it: it is empty there */
    bool present;  /* the table has it, as far as can be known beforehand */
    size_t index;  /* of its field in a record */
    size_t number; /* conll: of the column in a line, from 1; 0: the last */
} table_column;

typedef enum table_naming {
    NAMED_BY_HEADER, /* the first record holds the names */
    NAMED_BY_KEY,    /* each record names its fields; it has those of the wanted columns, in the order of table_role */
    NAMED_BY_NUMBER, /* likewise, found by table_column.number */
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
    size_t line;  /* where it starts, from 1 */
    bool blank;   /* an empty line */
    bool lost;    /* behind an error: where the next record starts is not known */
    bool passing; /* conll: the rest of a sentence that is wrong is passed over */
    /* what fields point into */
    buffer bytes[TABLE_ROLES]; /* csv: the first alone */
    json_t *json;
};

void table_records_close(table_records *r);

/* The error that a column is missing: names what there is instead. where: the file, or file and line. */
bert_status no_such_column(const char *where, table_role role, const char *name, const bert_text *there, size_t n, bert_err *err);

/* Appends a field to the record. */
bert_status table_records_add(table_records *r, const char *data, size_t size, bert_err *err);

/* As table_lines_next; what fails there leaves the records lost. */
bert_status table_records_line(table_records *r, bert_text *line, bool *end, bert_err *err);

/* What divides words: the white space of ASCII. None stands in a word. */
static inline bool table_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The reader of jsonl, in table_jsonl.c. A label may be a string, a number (as few digits as give it back) or true and false. */
bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err);

/* The reader of conll, in table_conll.c. */
bert_status table_conll_next(table_records *r, bool *end, bert_err *err);

#endif
