/* Rows of a table in, lines of results out, in order and with constant memory: what tokenize, embed and predict have in
 * common. */
#pragma once

#include "bert.h"
#include "cli/command.h"
#include "cli/results.h"

extern const char *const LABEL_COLUMN[]; /* the table options that commands which read no labels do not take */

typedef struct rows_options {
    int64_t chunk; /* 0: as many as suit; 1 from a terminal */
    bert_table_options table;
} rows_options;

bert_option_table rows_option_table(void); /* chunk alone */

/* Writes what comes of one chunk of rows. */
typedef bert_status (*rows_write)(void *context, const bert_rows *rows, results *out, bert_err *err);

/* Reads path (NULL: standard input) to its end. most: the largest chunk that the caller has room for; *n counts the
 * rows.
 * Returns an exit status; what went wrong has been told. */
int rows_each(const char *path, const rows_options *options, size_t most, rows_write write, void *context, results *out,
              size_t *n);

/* Whether row i has a second text; one of blanks alone is none. */
bool rows_is_pair(const bert_rows *rows, size_t i);

/* Tells what a person would want to know of how rows were read. */
void rows_note_table(bert_table *table);
void rows_note_dataset(const bert_dataset *dataset);

/* The size of chunk that was asked for, `most` where none or more was. */
size_t rows_most(const rows_options *options, size_t most);
/* The same for a path ("-": standard input): 1 where a person types, who is told how. */
size_t rows_chunk(const char *path, const rows_options *options, size_t most);
