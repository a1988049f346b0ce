/* From the rows after a layer to what one request asks for: all of them, or one vector a sequence, with the pooler
 * behind it. */
#pragma once

#include "net/encoder.h"

/* What one request gave: rows of the packed batch for tokens, else one row a sequence. */
typedef struct forward_output {
    float *value; /* (n_tok, H) or (n_seq, H) */
    float *first; /* (n_seq, H): what the pooler read; with pooler only */
} forward_output;

/* rows: those of `all`, or where only the first of each sequence are there (`reduced`) those. Memory is the arena's;
 * false: it is out. */
bool pooling_forward(const encoder *e, const output_request *q, const block_pass *p, const float *rows, ragged all,
                     bool reduced, forward_output *out, arena *a);

/* The gradient by what the pooler read, given that by what it gave, in the arena; its own gradients are added to. */
bool pooler_backward(const encoder *e, const block_pass *p, const forward_output *out, size_t n_seq, const float **grad,
                     arena *a);

/* The gradient by the rows from that by a pooled value. rows: what was pooled. */
void pooling_backward(const encoder *e, const output_request *q, const block_pass *p, float *drows, const float *grad,
                      const float *value, const float *rows, ragged all);
