/* Rows of tokens in tiles. */
#include "model/tiles.h"

#include <omp.h>
#include <stdlib.h>

/* Activations of so many tokens stay in a core's cache through all layers; of fewer than the second, weights are read more often than it is
 * worth. */
enum { TILE_TOKENS = 192, LEAST_TOKENS = 96 };

/* Every thread has memory of its own. */
static bool grow_threads(tiles *s)
{
    size_t n = (size_t)omp_get_max_threads();
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

void tiles_free(tiles *s)
{
    for (size_t i = 0; i < s->n_threads; i++)
        arena_free(&s->memory[i]);
    free(s->memory);
    arena_free(&s->plan);
    *s = (tiles){ 0 };
}

/* How many tiles so many tokens are worth: as many for each thread where that leaves them large enough. */
static size_t count_tiles(size_t tokens)
{
    size_t threads = (size_t)omp_get_max_threads(), n = tokens / TILE_TOKENS + (tokens % TILE_TOKENS != 0);
    size_t even = (n + threads - 1) / threads * threads;
    return n > 1 && tokens / even >= LEAST_TOKENS ? even : n;
}

/* Cuts the rows into tiles of about as many tokens each, in order. Returns their number. */
static size_t plan(tile *out, const token_rows *t, const uint32_t *rows, size_t n)
{
    size_t all = 0, tokens = 0, n_tiles = 0;
    for (size_t i = 0; i < n; i++)
        all += token_rows_length(t, rows[i]);
    size_t wanted = count_tiles(all);
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

bert_status tiles_run(tiles *s, const token_rows *t, const uint32_t *rows, size_t n, tile_function *f, void *context, bert_err *err)
{
    arena_reset(&s->plan);
    tile *all = arena_array(&s->plan, n, sizeof *all);
    if (!all || !grow_threads(s))
        return fail_memory(err, "tiles of tokens");
    size_t n_tiles = plan(all, t, rows, n);
    bert_status status = BERT_OK;
#pragma omp parallel for schedule(dynamic, 1) if (n_tiles >= (size_t)omp_get_max_threads())
    for (size_t i = 0; i < n_tiles; i++) {
        bert_err mine = { 0 };
        arena *a = &s->memory[omp_get_thread_num()];
        arena_reset(a);
        bert_status failed = f(context, &all[i], a, &mine);
        if (failed) {
#pragma omp critical(tiles_error)
            {
                status = failed;
                if (err)
                    *err = mine;
            }
        }
    }
    return status;
}
