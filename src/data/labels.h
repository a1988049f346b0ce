/* The different labels of a data set. */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "data/dataset.h"

/* Fills label, n_labels and labels from label_texts, which have pointed to bytes of the caller's and point to labels then. The order: whole
 * numbers by their value where all are such, else by their bytes. Fails with BERT_ERR_DATA for a label that holds a NUL; an empty one is a
 * label. */
bert_status labels_number(bert_dataset *d, bert_err *err);

#endif
