/* What a person would want to know of how a table was read. */
#ifndef TABLES_TABLE_NOTES_H
#define TABLES_TABLE_NOTES_H

#include "tables/table_records.h"

/* Of the rows so far. */
typedef struct table_counts {
    size_t skipped; /* rows that were left out */
    bert_err first; /* what the first of them has */
    size_t empty;   /* empty lines between rows that are none */
    bool ended;
} table_counts;

/* The i-th note into out; false: there are fewer. */
bool table_note(const table_records *r, const table_counts *counts, size_t i, buffer *out);

#endif
