/* Of tables, what data sets want to know besides rows. */
#pragma once

#include "bert.h"

/* What a table's labels are, as far as it tells. */
typedef enum label_form {
    LABELS_WORDS, /* one a row */
    LABELS_LISTS, /* any number of them, commas between */
    LABELS_SPANS, /* tags made of stretches of a text: a row without one has no tags */
    LABELS_TAGS   /* one for each word */
} label_form;

/* Of the rows so far. */
typedef struct table_facts {
    label_form form;           /* what their labels are */
    bool word_lines;           /* the words of a row stand in a line each, from the row's on */
    const char *skipped_first; /* what is wrong with the first row that was left out; "": none was */
} table_facts;

table_facts table_facts_of(const bert_table *table);
