/* The different labels of a data set. */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "data/dataset.h"

/* A label is the same word whatever file it stands in: without the blanks around it; a whole number without "+" and without ".0" ("1", " 1.0" and
 * "+1" are "1", but "01" and "1e0" are words of their own); "True" and "TRUE" are "true", "False" and "FALSE" are "false", and neither is a number.
 * Points into the label, or to constant words. */
bert_text label_word(bert_text label);

/* The place of such a word among the labels of a model, which may be older or another program's and have "1.0" or "True"; -1: it is none of them. */
int32_t label_place(bert_text word, const char *const *labels, size_t n_labels);

/* Fills label, n_labels and labels from label_texts, which have pointed to bytes of the caller's and point to labels then: their words. The order:
 * whole numbers by their value where all are such, else by their bytes. Fails with BERT_ERR_DATA for a label that holds a NUL; an empty one is a
 * label. */
bert_status labels_number(bert_dataset *d, bert_err *err);

/* Both are BERT_ERR_DATA and name the row: WHAT of the row, "the label", is empty; a label of it is not among those of a model. */
bert_status label_empty(const bert_dataset *d, size_t row, const char *what, bert_err *err);
bert_status label_unknown(const bert_dataset *d, size_t row, bert_text label, const char *const *labels, size_t n_labels, bert_err *err);

#endif
