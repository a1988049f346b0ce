/* Token rows through an encoder to vectors, in inference, in tiles of tokens: each thread takes its own tile through
 * all layers, so that activations stay in its cache and no thread waits for another. With fewer tiles than threads the
 * threads share each operation instead. What sessions, validation and the filling of kept outputs share. */
#pragma once

#include "rows/kept.h"

/* What threads share. */
typedef enum tile_streams {
    STREAMS_AUTO, /* many where there is a tile for every thread, else one */
    STREAMS_ONE,  /* all of them work on the same tile: each operation is cut */
    STREAMS_MANY  /* nothing: each has tiles of its own */
} tile_streams;

/* One thread's calls; memory is reused from call to call. The caller sets the first three, and may set the next three;
 * all else zero before the first call. */
typedef struct row_encoder {
    const encoder *encoder; /* packed or not: the same bits */
    output_request request;
    kept_outputs *kept; /* NULL: from the embeddings on; else of the rows that are run: from its layer on */
    tile_streams streams;
    /* the most tokens of a sequence that may come: then memory is allocated for all tiles of a call before it is run,
     * and never for one of fewer tokens. 0: found out by running */
    size_t longest;
    size_t tile; /* tokens of one, but for its last row. 0: what the processor's caches like, set by the first call */

    arena call;     /* lists of the rows at hand, and their tiles */
    arena *threads; /* (n_threads) a tile's, while it runs */
    size_t n_threads;
    size_t expected; /* tokens of a tile that they have room for */
} row_encoder;

void row_encoder_free(row_encoder *r);
/* Frees its memory until the next call. */
void row_encoder_rest(row_encoder *r);

/* Rows first .. first + n - 1. vectors: (their sequences, H), or where the request is for tokens (their tokens, H), in
 * the order of the rows. The same row gives the same bits whatever its neighbours and however many threads; without
 * kept outputs, sequences of the same tokens are computed once. Fails with BERT_ERR_MEMORY. */
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

typedef struct tile {
    const uint32_t *rows; /* (n) */
    size_t n;
    size_t rows_before; /* among those of the call */
    size_t n_tok;
} tile;

/* What is done with a tile, by any thread; `a` is empty. */
typedef bert_status tile_function(void *context, const tile *t, arena *a, bert_err *err);

/* The tiles alone: calls f for tiles that together are rows (n), in their order. What is needed of r->call for the call
 * goes on living in it; the caller resets it before. Fails with BERT_ERR_MEMORY, or as f. */
bert_status row_encoder_tiles(row_encoder *r, const token_rows *t, const uint32_t *rows, size_t n, tile_function *f,
                              void *context, bert_err *err);
