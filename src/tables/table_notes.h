/* What a person would want to know of how a table was read. */
#ifndef TABLES_TABLE_NOTES_H
#define TABLES_TABLE_NOTES_H

#include "tables/table_records.h"

/* The i-th note into out; false: there are fewer. */
bool table_note(const table_records *r, size_t i, buffer *out);

#endif
