/* Which columns of a table are wanted, and where they are. */
#pragma once

#include "base/arena.h"
#include "tables/table_records.h"

/* The columns that options name, into records->columns. Memory for names is the arena's. Fails with
 * BERT_ERR_ARGUMENT. */
bert_status table_columns_want(table_records *r, const bert_table_options *options, bool want_labels, arena *memory,
                               bert_err *err);

/* Finds them; reads the first record where the table has names (no_header: where it has fields). *ended: it has no
 * record. Fails with BERT_ERR_DATA, and as table_records_next. */
bert_status table_columns_find(table_records *r, const bert_table_options *options, arena *memory, bool *ended,
                               bert_err *err);

/* The error that a column is missing: names what there is instead. where: the file, or file and line. */
bert_status no_such_column(const char *where, const table_records *r, size_t column, const bert_text *there, size_t n,
                           bert_err *err);

/* Whether a field of the present record, but not every one, is the same as the name of its column, of columns that were
 * found by their numbers. */
bool table_repeats_names(const table_records *r);
