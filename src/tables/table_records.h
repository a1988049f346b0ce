/* The rows of a table before its columns are chosen: one way to read a record for each format.
 *
 *     tsv     fields between tabs; no quoting at all, as in the files of GLUE
 *     csv     RFC 4180: fields between commas, quotes around what holds commas, quotes (doubled) or line breaks
 *     jsonl   a JSON object a line, or one list of objects; an array of words is a text, an array of tags, labels or
 *             spans a label
 *     conll   a word and its tags a line, between tabs where the line has one, else between blanks; an empty line or
 *             -DOCSTART- ends a sentence, which is a record
 *     txt     a line is a text, or a pair "a ||| b": cut at the first |||, blanks around it dropped
 * Lines end with "\n" or "\r\n", or with "\r" where there is no "\n". All is UTF-8; NUL is a character like any
 * other. */
#pragma once

#include "base/buffer.h"
#include "base/words.h"
#include "tables/table.h"
#include "tables/table_lines.h"
#include "tables/table_tags.h"

#include <jansson.h>

enum { COLUMNS_MOST = 65536 };

/* Columns in their order; those from TABLE_LABEL on are labels. */
enum { TABLE_TEXT, TABLE_PAIR, TABLE_LABEL, TABLE_LEAST };

/* A column that the caller wants. */
typedef struct table_column {
    const char *name;
    bool required; /* else a row, or the table, may lack it: it is empty there */
    bool named;    /* the caller gave its name */
    bool present;  /* the table has it, as far as can be known beforehand */
    size_t index;  /* of its field in a record */
    size_t number; /* conll: of the column in a line, from 1; 0: the last */
    buffer bytes;  /* jsonl, conll: of the present record */
} table_column;

typedef enum table_naming {
    NAMED_BY_HEADER, /* the first record holds the names */
    NAMED_BY_KEY,    /* each record names its fields; it has those of the wanted columns, in their order */
    NAMED_BY_NUMBER, /* likewise, found by table_column.number */
    NAMED_BY_PLACE   /* text and pair */
} table_naming;

/* The words of bert_table_options.quoting, in their order. */
typedef enum table_quoting { QUOTING_AUTO, QUOTING_NONE, QUOTING_CSV, QUOTING_BACKSLASH } table_quoting;

typedef struct table_records table_records;

/* Reads a record into fields, n, line and blank. */
typedef struct table_format {
    const char *name;
    table_naming naming;
    bert_status (*next)(table_records *r, bool *end, bert_err *err);
    char delimiter;        /* of fields, where they are named by a header */
    table_quoting quoting; /* what auto is */
} table_format;

/* The format of that name; NULL: none. */
const table_format *table_format_find(const char *name, size_t size);

/* What a person would want to know: how often, and where first. */
typedef struct table_told {
    size_t comments;           /* conll: lines that begin with # */
    size_t quoted;             /* the first line with a field in quotes, which are read as text; 0: none */
    size_t others, other_line; /* rows of other widths than the first one, and where the first of them stands */
    size_t spans, within;      /* spans, and those that begin or end within a word */
    size_t renamed;            /* spans whose label has blanks */
    bool first_row;            /* the names of columns look like a row */
    const bert_text *names;    /* (n_names) where columns were found by their numbers, those of all */
    size_t n_names;
    bool ranges;               /* conll: lines of ranges (1-2) were passed over */
    bool indexed, index_known; /* conll: the first column counts the words */
    size_t width;              /* conll: columns of the first line, where the last one is the tag; 0: not known yet */
} table_told;

/* Of the rows so far: what only who keeps them knows. */
typedef struct table_counts {
    size_t skipped; /* rows that were left out */
    bert_err first; /* what the first of them has */
    size_t empty;   /* empty lines between rows that are none */
    bool ended;
} table_counts;

/* Rows of JSON: where they stand. */
typedef struct json_items {
    /* a row a line, or items of one list */
    enum { JSON_UNKNOWN, JSON_LINES, JSON_LIST_BEGINS, JSON_LIST, JSON_LIST_ENDED } form;
    bert_text line, rest; /* of it, not yet used */
} json_items;

struct table_records {
    const table_format *format;
    table_lines lines;
    table_column *columns; /* (n_columns) */
    size_t n_columns;
    char delimiter;
    table_quoting quoting;  /* not auto */
    bool quoting_chosen;    /* by the caller */
    bool word_tags;         /* a label is tags, as the caller says */
    const bert_text *names; /* (n_names) of labels: one that is a number stands for one of them */
    size_t n_names;
    bool flags;        /* labels are a 0 or 1 for each name */
    size_t flags_line; /* where that was seen first; 0: not known yet */
    size_t *uses;      /* (n_names) how often each was a label */
    /* the present record, until the next */
    bert_text *fields; /* (n) */
    size_t n, capacity;
    size_t line;   /* where it starts, from 1 */
    bool blank;    /* an empty line */
    bool lost;     /* behind an error: where the next record starts is not known */
    bool passing;  /* conll: the rest of a sentence that is wrong is passed over */
    bool tagged;   /* its label is tags, by their names already */
    bool unquoted; /* a field opens a quote that it does not close */
    struct {
        size_t line, column; /* of the first byte that is not UTF-8, from 1; 0: there is none */
        unsigned char byte;
    } fault;
    buffer bytes; /* what fields of csv, or with backslashes, point into; JSON that stands in several lines */
    json_t *json;
    json_items items;
    /* of all records so far */
    label_form form;
    table_tags tags;
    table_told told;
    table_counts counts;
};

void table_records_close(table_records *r);

/* Reads a record. Fails as its format; with BERT_ERR_DATA for a byte that is not UTF-8. */
bert_status table_records_next(table_records *r, bool *end, bert_err *err);

bert_status table_records_widen(table_records *r, bert_err *err); /* room for another field */

/* Appends a field to the record. */
static inline bert_status table_records_add(table_records *r, const char *data, size_t size, bert_err *err)
{
    bert_status s = r->n < r->capacity ? BERT_OK : table_records_widen(r, err);
    if (!s)
        r->fields[r->n++] = (bert_text){ data, size };
    return s;
}

/* What the present record has in a column of columns; empty where it has none. */
static inline bert_text table_field(const table_records *r, size_t column)
{
    const table_column *c = &r->columns[column];
    return c->present && c->index < r->n ? r->fields[c->index] : (bert_text){ "", 0 };
}

/* As table_lines_next; what fails there leaves the records lost. */
bert_status table_records_line(table_records *r, bert_text *line, bool *end, bert_err *err);

/* Appends a word to a text of words; blanks within it become U+00A0, which is a blank to BERT and divides no words. */
void table_add_word(buffer *out, bert_text word);

/* The reader of tsv and csv, in table_delimited.c. */
bert_status table_delimited_next(table_records *r, bool *end, bert_err *err);

/* The reader of jsonl, in table_jsonl.c. A label may be a string, a number (as few digits as give it back) or true and
 * false. */
bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err);

/* The tags of a text's words by the spans in list, in table_spans.c; appended to out. Fails with BERT_ERR_DATA. */
bert_status table_spans_read(table_records *r, const json_t *list, bert_text text, buffer *out, bert_err *err);

/* The reader of conll, in table_conll.c. */
bert_status table_conll_next(table_records *r, bool *end, bert_err *err);
