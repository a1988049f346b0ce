/* The different labels of a data set. */
#pragma once

#include "data/dataset.h"
#include "data/word_set.h"

/* The labels of a model, to be found by their words. The model may be older or another program's and have "1.0" or
 * "True"; what is written so goes first. */
typedef struct label_index {
    word_set words;
    int32_t *places; /* (words.n) which label a word is */
} label_index;

/* labels must stay. Fails with BERT_ERR_MEMORY, and is empty then. */
bert_status label_index_create(label_index *index, const char *const *labels, size_t n_labels, bert_err *err);
/* The place of a word among the labels; -1: it is none of them. */
int32_t label_place(const label_index *index, bert_text word);
void label_index_free(label_index *index);

/* The next word of a row's label from byte *at on; *at goes behind it. false: there is none left. */
typedef bool label_reader(bert_text label, size_t *at, bert_text *word);
/* The label itself is its only word. */
label_reader label_whole;

/* Adds the words of all rows' labels to the set; *without, where not NULL, receives how many rows have none. Fails with
 * BERT_ERR_MEMORY. */
bert_status labels_gather(const bert_dataset *d, label_reader *next, word_set *set, size_t *without, bert_err *err);

/* Fills label, n_labels and labels from label_texts, which have pointed to bytes of the caller's and point to labels
 * then: their words. The order: whole numbers by their value where all are such, else by their bytes. Fails with
 * BERT_ERR_DATA for a label that holds a NUL; an empty one is a label. */
bert_status labels_number(bert_dataset *d, bert_err *err);

/* Both are BERT_ERR_DATA and name the row: WHAT of the row, "the label", is empty; a label of it is not among those of
 * a model. */
bert_status label_empty(const bert_dataset *d, size_t row, const char *what, bert_err *err);
bert_status label_unknown(const bert_dataset *d, size_t row, bert_text label, const char *const *labels,
                          size_t n_labels, bert_err *err);
/* The same of the tag of a word of the row. */
bert_status tag_unknown(const bert_dataset *d, size_t row, size_t word, bert_text tag, const char *const *labels,
                        size_t n_labels, bert_err *err);
