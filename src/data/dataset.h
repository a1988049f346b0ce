/* A data set: the rows of a table in memory, with their labels as numbers. What bert_dataset_load and
 * bert_dataset_create make. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "tables/table.h"

/* Words that heads were made of: what is asked of a data set later, while the data set itself does not change. */
typedef struct kept_words kept_words;

struct bert_dataset {
    arena memory;           /* the bytes of the texts and of the names */
    const char *name;       /* the file; NULL: made from memory */
    size_t n;               /* below 2^32 */
    bert_text *texts;       /* (n) */
    bert_text *pairs;       /* (n) or NULL */
    size_t *lines;          /* (n) of the file, from 1; without a file, the row from 0 */
    bert_text *label_texts; /* (n) as they are written */
    uint32_t *label;        /* (n) index into labels */
    size_t n_labels;
    const char **labels; /* (n_labels) the different labels in their order */
    size_t skipped;      /* rows that were left out as it was loaded */
    label_form form;     /* what the labels are, as far as the file tells */
    bool word_lines;     /* the words of a row stand in a line of the file each, from lines[i] on */
    const char **notes;  /* (n_notes) of the table */
    size_t n_notes;
    kept_words *kept;
};

enum { DATASET_PLACE = 512 };

/* Where row i stands, for the start of a message: "train.tsv:17", or "row 17" without a file. Returns out. */
const char *dataset_place(const bert_dataset *d, size_t i, char out[DATASET_PLACE]);

/* Where word k of it stands: in a file with a line for each word, that line. */
const char *dataset_word_place(const bert_dataset *d, size_t i, size_t k, char out[DATASET_PLACE]);

/* A data set of the given rows (n at least 1), with the places that they have in d. Copies what it needs. */
bert_status dataset_of_rows(const bert_dataset *d, const uint32_t *rows, size_t n, bert_dataset **dataset,
                            bert_err *err);

/* Copies of n words that live as long as the data set; NULL: memory is out. Two threads may ask at once. */
const char *const *dataset_keep_words(const bert_dataset *d, const bert_text *words, size_t n);

/* The second text of row i; empty: it has none. */
static inline bert_text dataset_pair(const bert_dataset *d, size_t i)
{
    return d->pairs ? d->pairs[i] : (bert_text){ 0 };
}

/* How many rows have a second text; one of blanks alone is none. */
size_t dataset_pairs(const bert_dataset *d);

/* SHA-256 over all texts, pairs and labels in their order: what a run or a cache was made of. */
void dataset_hash(const bert_dataset *d, unsigned char hash[32]);
