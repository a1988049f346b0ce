/* Which rows of a data set hold the same text (and pair): found by a hash, compared byte for byte. */
#pragma once

#include "data/dataset.h"

/* All zero is empty. Immutable once made; the data set must outlive it. */
typedef struct same_rows {
    const bert_dataset *d;
    uint32_t *first; /* (n) the first row with the texts of this one: itself where none came before */
    uint32_t *table; /* (slots) 1 + a row that is its own first; 0: free */
    size_t slots;    /* a power of two */
} same_rows;

enum { NO_SUCH_ROW = -1 };

/* Fails with BERT_ERR_MEMORY. */
bert_status same_rows_create(same_rows *s, const bert_dataset *d, bert_err *err);
void same_rows_free(same_rows *s);

/* The first row with the texts of row i of another data set; NO_SUCH_ROW where there is none. */
int64_t same_rows_find(const same_rows *s, const bert_dataset *other, size_t i);
