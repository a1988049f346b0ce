/* The texts of JSON rows: one a line, or the items of one list, whose lines may end anywhere. */
#pragma once

#include "tables/table_records.h"

/* The next one, until the one after it; r->line is where it starts, *column the characters that stand before it in that
 * line. An empty line is an empty text. Fails as table_records_line; with BERT_ERR_DATA for a list that is not closed,
 * or has something behind it: r is lost then. */
bert_status table_json_text(table_records *r, bert_text *text, size_t *column, bool *end, bert_err *err);
