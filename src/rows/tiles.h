/* Rows of tokens in tiles: each thread takes its own tile through all layers, so that activations stay in its cache and
 * no thread waits for another. With fewer tiles than threads the threads share each operation instead. What a row gives
 * does not depend on its tile. */
#ifndef ROWS_TILES_H
#define ROWS_TILES_H

#include "data/token_rows.h"
#include "ops/ops.h"

/* What threads share. */
typedef enum tile_streams {
    STREAMS_AUTO, /* many where there is a tile for every thread, else one */
    STREAMS_ONE,  /* all of them work on the same tile: each operation is cut */
    STREAMS_MANY  /* nothing: each has tiles of its own */
} tile_streams;

/* One thread's calls; memory is reused from call to call. The caller may set the first four; all else zero before the
 * first call. */
typedef struct tiles {
    tile_streams streams;
    ops_precision precision; /* of what f multiplies by */
    size_t token_bytes,
        /* memory that f needs for a token, and the most tokens of a row: then it is allocated once for any tile. 0:
         * found out by running */
        longest;

    arena plan;
    arena *memory; /* (n_threads) a tile's, while it runs */
    size_t n_threads;
} tiles;

typedef struct tile {
    const uint32_t *rows; /* (n) */
    size_t n;
    size_t rows_before, tokens_before; /* among those of the call */
    size_t n_tok;
} tile;

/* What is done with a tile, by any thread; `a` is empty. */
typedef bert_status tile_function(void *context, const tile *t, arena *a, bert_err *err);

/* Calls f for tiles that together are rows (n), in their order. Fails with BERT_ERR_MEMORY, or as f. */
bert_status tiles_run(tiles *s, const token_rows *t, const uint32_t *rows, size_t n, tile_function *f, void *context,
                      bert_err *err);
void tiles_free(tiles *s);

#endif
