/* Rows of tokens in tiles. */
#include "rows/tiles.h"

#include "base/size.h"
#include "base/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The larger a tile, the seldomer weights are read, which take as long as the products of 100 to 200 tokens; but
 * activations should stay near. int8 has a quarter of the weights and should be smaller. Below the last, weights are
 * read more often than it is worth. */
enum { TILE_TOKENS = 384, TILE_TOKENS_INT8 = 192, LEAST_TOKENS = 96 };

/* Every thread has memory of its own. */
static bool grow_threads(tiles *s)
{
    size_t n = threads_allowed();
    if (s->n_threads >= n)
        return true;
    arena *memory = realloc(s->memory, n * sizeof *memory);
    if (!memory)
        return false;
    s->memory = memory;
    while (s->n_threads < n)
        s->memory[s->n_threads++] = (arena){ 0 };
    return true;
}

/* The largest tile has so many tokens, and those of the row that it ends with. */
static size_t tile_tokens(const tiles *s)
{
    size_t tokens = s->precision == OPS_INT8 ? TILE_TOKENS_INT8 : TILE_TOKENS;
    return s->streams == STREAMS_ONE ? tokens * threads_allowed() : tokens;
}

/* Room for any tile that may come, so that none of a later call needs more than those before it. */
static void expect_memory(tiles *s)
{
    size_t bytes;
    if (!mul_size(tile_tokens(s) + s->longest, s->token_bytes, &bytes))
        return;
    for (size_t i = 0; i < s->n_threads; i++)
        if (!s->memory[i].first) /* the first thread may run operations with all of them */
            s->memory[i].hint = bytes + (i ? 1 : threads_allowed()) * OPS_ROOM;
}

void tiles_free(tiles *s)
{
    for (size_t i = 0; i < s->n_threads; i++)
        arena_free(&s->memory[i]);
    free(s->memory);
    arena_free(&s->plan);
    *s = (tiles){ 0 };
}

/* How many tiles so many tokens in so many rows are worth: as many for each thread where that leaves them large
 * enough. */
static size_t count_tiles(const tiles *s, size_t tokens, size_t rows)
{
    size_t threads = threads_allowed(), most = tile_tokens(s);
    size_t n = tokens / most + (tokens % most != 0), even = (n + threads - 1) / threads * threads;
    if (s->streams == STREAMS_ONE)
        return n;
    if (s->streams == STREAMS_MANY && n < threads)
        return threads < rows ? threads : rows;
    return n > 1 && tokens / even >= LEAST_TOKENS ? even : n;
}

/* Whether threads take tiles of their own. */
static bool tiles_run_apart(const tiles *s, size_t n_tiles)
{
    size_t threads = threads_allowed();
    return threads > 1 && n_tiles > 1 && s->streams != STREAMS_ONE &&
           (s->streams == STREAMS_MANY || n_tiles >= threads);
}

/* Cuts the rows into tiles of about as many tokens each, in order. Returns their number. */
static size_t tiles_plan(const tiles *s, tile *out, const token_rows *t, const uint32_t *rows, size_t n)
{
    size_t all = 0, tokens = 0, n_tiles = 0;
    for (size_t i = 0; i < n; i++)
        all += token_rows_length(t, rows[i]);
    size_t wanted = count_tiles(s, all, n);
    for (size_t i = 0; i < n; i++) {
        if (n_tiles == 0 || tokens >= all / wanted * n_tiles)
            out[n_tiles++] = (tile){ .rows = rows + i, .rows_before = i, .tokens_before = tokens };
        size_t length = token_rows_length(t, rows[i]);
        out[n_tiles - 1].n++;
        out[n_tiles - 1].n_tok += length;
        tokens += length;
    }
    return n_tiles;
}

/* A call, as each tile sees it. */
typedef struct tile_call {
    tiles *tiles;
    const tile *all;
    tile_function *f;
    void *context;
    pthread_mutex_t failing;
    size_t failed; /* the first tile that did */
    bert_status status;
    bert_err *err; /* or NULL */
} tile_call;

static void tiles_run_one(void *context, size_t number, size_t thread)
{
    tile_call *call = context;
    bert_err mine = { 0 };
    arena *a = &call->tiles->memory[thread];
    arena_reset(a);
    bert_status failed = call->f(call->context, &call->all[number], a, &mine);
    if (!failed)
        return;
    pthread_mutex_lock(&call->failing);
    if (number < call->failed) {
        call->failed = number;
        call->status = failed;
        if (call->err)
            *call->err = mine;
    }
    pthread_mutex_unlock(&call->failing);
}

bert_status tiles_run(tiles *s, const token_rows *t, const uint32_t *rows, size_t n, tile_function *f, void *context,
                      bert_err *err)
{
    arena_reset(&s->plan);
    tile *all = arena_array(&s->plan, n, sizeof *all);
    if (!all || !grow_threads(s))
        return fail_memory(err, "tiles of tokens");
    expect_memory(s);
    size_t n_tiles = tiles_plan(s, all, t, rows, n);
    tile_call call = { s, all, f, context, PTHREAD_MUTEX_INITIALIZER, n_tiles, BERT_OK, err };
    threads_run(n_tiles, tiles_run_apart(s, n_tiles) ? threads_allowed() : 1, tiles_run_one, &call);
    return call.status;
}
