/* Of tables, what data sets want to know besides rows. */
#ifndef TABLES_TABLE_H
#define TABLES_TABLE_H

#include "bert.h"

/* What a table's labels are, as far as it tells. */
typedef enum label_form {
    LABELS_WORDS, /* one a row */
    LABELS_LISTS, /* any number of them, commas between */
    LABELS_SPANS, /* tags made of stretches of a text: a row without one has no tags */
    LABELS_TAGS   /* one for each word */
} label_form;

/* What the labels of the rows so far are. */
label_form table_label_form(const bert_table *table);

/* Whether the words of a row stand in a line each, from the row's on. */
bool table_word_lines(const bert_table *table);

/* What is wrong with the first row that was left out; "": none was. */
const char *table_skipped_first(const bert_table *table);

#endif
