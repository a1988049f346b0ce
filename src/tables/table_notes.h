/* What a person would want to know of how a table was read. */
#pragma once

#include "tables/table_records.h"

/* The i-th note into out; false: there are fewer. */
bool table_note(const table_records *r, size_t i, buffer *out);
