/* What stands below the layers: the sum of a token's rows of the embedding tables, a layer norm, dropout, and
 * where the tables are narrower than the layers a dense layer. */
#pragma once

#include "net/encoder.h"
#include "text/packed_batch.h"

/* What backward needs, where the embeddings are tuned; NULL: nothing is kept. */
typedef struct embedding_sums {
    float *sum, *mean, *rstd; /* (n_tok, E), (n_tok), (n_tok) */
    float *narrow;            /* (n_tok, E): what the dense layer reads; NULL: there is none */
} embedding_sums;

/* y (n_tok, H). Memory for what is kept (NULL: nothing is) and for positions is the arena's; false: it is out. */
bool embeddings_forward(const encoder *e, const packed_batch *b, const block_pass *p, embedding_sums *kept, float *y,
                        arena *a);

/* Adds to the gradients of the tables, the norm and the dense layer; d (n_tok, H), the gradient by y, is overwritten.
 * false: memory is out. */
bool embeddings_backward(const encoder *e, const packed_batch *b, const block_pass *p, const embedding_sums *kept,
                         float *d, arena *a);
