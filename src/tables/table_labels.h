/* The label of a row: numbers by their names or without exponents, columns of 0 and 1 as a list, tags as BIO. */
#pragma once

#include "base/arena.h"
#include "tables/table_records.h"

/* Splits "neg,pos" into r->names; with several label columns their names are the labels unless given. Memory is the
 * arena's. Fails with BERT_ERR_ARGUMENT. */
bert_status table_names_open(table_records *r, const char *names, arena *memory, bert_err *err);

/* The place of a label among the names: that of the name, or the number that it is; SIZE_MAX: neither. */
size_t table_name_place(const table_records *r, bert_text word);

/* Appends a tag to a sentence's, by its name where it is a number; as it is where no labels are wanted. Returns NULL,
 * or why it is none. */
const char *table_add_tag(table_records *r, buffer *out, bert_text tag);

/* At the beginning of a sentence: its label is tags. */
void table_tags_start(table_records *r);

/* The error that a tag of this line is none. */
bert_status table_tag_wrong(const table_records *r, size_t line, bert_text tag, const char *why, bert_err *err);

bool table_label_has_exponent(bert_text label); /* a number like 1e0 */

/* Whether the label is made of what the table has: by names, by flags, as tags, as a number is written. */
static inline bool table_label_changes(const table_records *r, bert_text field)
{
    return r->n_columns > TABLE_LEAST || r->word_tags || r->n_names ||
           (field.size > 2 && table_label_has_exponent(field));
}

/* Appends the label of the present record, which is required. Fails with BERT_ERR_DATA. */
bert_status table_label_add(table_records *r, buffer *out, bert_err *err);
