/* A data set's rows as the ids that BERT reads, one row behind the other without padding. */
#ifndef DATA_TOKEN_ROWS_H
#define DATA_TOKEN_ROWS_H

#include "data/dataset.h"
#include "text/packed_batch.h"

/* All zero is empty. Immutable once made. */
typedef struct token_rows {
    size_t n;
    size_t *start;    /* (n + 1) row i is ids[start[i] .. start[i + 1]) */
    uint32_t *second; /* (n) how many of its ids are segment 0: all of them where there is no pair */
    int32_t *ids;     /* (start[n]) */
    size_t longest;   /* ids of the longest row */
    packed_losses losses;
} token_rows;

/* Tokenises every row, in threads; the result does not depend on their number. Fails as encode_pair, the message begins with the row's place. */
bert_status token_rows_create(token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len, bert_err *err);
void token_rows_free(token_rows *t);

static inline size_t token_rows_length(const token_rows *t, size_t row)
{
    return t->start[row + 1] - t->start[row];
}

/* The given rows as one batch in arena memory. Fails as packed_batch_create. */
bert_status token_rows_pack(const token_rows *t, const uint32_t *rows, size_t n, packed_batch *batch, arena *memory, bert_err *err);

#endif
