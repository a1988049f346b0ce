/* A data set: the rows of a table in memory, with their labels as numbers. What bert_dataset_load and bert_dataset_create make. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/arena.h"
#include "base/error.h"

struct bert_dataset {
    arena memory;     /* the bytes of the texts and of the names */
    const char *name; /* the file; NULL: made from memory */
    size_t n;         /* below 2^32 */
    bert_text *texts; /* (n) */
    bert_text *pairs; /* (n) or NULL */
    size_t *lines;    /* (n) of the file, from 1; without a file, the row from 0 */
    uint32_t *label;  /* (n) index into labels */
    size_t n_labels;
    const char **labels; /* (n_labels) the different labels in their order */
};

enum { DATASET_PLACE = 512 };

/* Where row i stands, for the start of a message: "train.tsv:17", or "row 17" without a file. Returns out. */
const char *dataset_place(const bert_dataset *d, size_t i, char out[DATASET_PLACE]);

/* ids (n): the place of each row's label among `labels`, those of a model. Fails with BERT_ERR_DATA, naming the row, for a label that is not
 * among them. */
bert_status dataset_label_ids(const bert_dataset *d, const char *const *labels, size_t n_labels, int32_t *ids, bert_err *err);

#endif
