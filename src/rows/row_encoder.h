/* Token rows through an encoder to vectors, in inference: in tiles of tokens, each thread its own tile through all
 * layers. What sessions, validation and the filling of kept outputs share. */
#ifndef ROWS_ROW_ENCODER_H
#define ROWS_ROW_ENCODER_H

#include "rows/kept.h"
#include "rows/tiles.h"

/* One thread's calls; memory is reused from call to call. The caller sets the first three, and of tiles what a caller
 * may; all else zero before the first call. */
typedef struct row_encoder {
    const encoder *encoder; /* packed or not: the same bits */
    output_request request;
    kept_outputs *kept; /* NULL: from the embeddings on; else of the rows that are run: from its layer on */

    tiles tiles;
    arena numbers; /* of the rows at hand */
} row_encoder;

void row_encoder_free(row_encoder *r);

/* Rows first .. first + n - 1. vectors: (their sequences, H), or where the request is for tokens (their tokens, H), in
 * the order of the rows. The same row gives the same bits whatever its neighbours and however many threads. Fails with
 * BERT_ERR_MEMORY. */
bert_status row_encoder_run(row_encoder *r, const token_rows *rows, size_t first, size_t n, float *vectors,
                            bert_err *err);

/* What one pass over rows gives. */
typedef struct row_outputs {
    const output_request *requests; /* (n_requests) */
    float *const *values;           /* (n_requests) each as row_encoder_run's vectors */
    size_t n_requests;
    const forward_attention *attention; /* (n_attention) maps of one row behind another */
    size_t n_attention;
} row_outputs;

/* As row_encoder_run, for several outputs; r->request is not read. */
bert_status row_encoder_run_all(row_encoder *r, const token_rows *rows, size_t first, size_t n,
                                const row_outputs *outputs, bert_err *err);

#endif
