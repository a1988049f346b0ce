/* Token rows through an encoder to vectors. */
#include "rows/row_encoder.h"

#include "base/size.h"
#include "base/threads.h"
#include "rows/same_tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- tiles ------------------------------------------------------------------------------------------------------- */

/* The larger a tile, the seldomer weights are read, which take as long as the products of 100 to 200 tokens. int8 has a
 * quarter of them, and should rather have its activations near. Below the last, weights are read more often than it is
 * worth. docs/notes-ops.md has what other sizes did on machines of several caches; BERT_TILE is for measuring them. */
enum { TILE_TOKENS = 384, TILE_TOKENS_INT8 = 192, LEAST_TOKENS = 96 };

static size_t choose_tile(const encoder *e)
{
    const char *wanted = getenv("BERT_TILE");
    size_t tokens = wanted ? strtoul(wanted, NULL, 10) : 0;
    return tokens ? size_least(tokens, INT32_MAX) : e->precision == OPS_INT8 ? TILE_TOKENS_INT8 : TILE_TOKENS;
}

/* Every thread has memory of its own. */
static bool grow_threads(row_encoder *r)
{
    size_t n = threads_allowed();
    if (r->n_threads >= n)
        return true;
    arena *memory = realloc(r->threads, n * sizeof *memory);
    if (!memory)
        return false;
    r->threads = memory;
    while (r->n_threads < n)
        r->threads[r->n_threads++] = (arena){ 0 };
    return true;
}

/* The largest tile has so many tokens, and those of the row that it ends with. */
static size_t tile_tokens(const row_encoder *r)
{
    return r->streams == STREAMS_ONE ? r->tile * threads_allowed() : r->tile;
}

/* Room for any tile of a call of so many tokens or fewer, in steps of two, so that no later call of as many needs more
 * than those before it. */
static void expect_memory(row_encoder *r, size_t tokens)
{
    enum { FEWEST = 32, PAGE = 4096 };
    size_t most = tile_tokens(r) + r->longest, n = FEWEST, bytes;
    while (n < tokens && n < most)
        n *= 2;
    n = size_least(n, most);
    if (!r->longest || !mul_size(size_most(n, r->expected), encoder_token_bytes(r->encoder), &bytes))
        return;
    for (size_t i = 0; i < r->n_threads; i++) {
        if (n > r->expected)
            arena_free(&r->threads[i]);
        if (!r->threads[i].first) /* the first thread may run operations with all of them */
            r->threads[i].hint = bytes + (i ? 1 : threads_allowed()) * OPS_ROOM + PAGE;
    }
    r->expected = size_most(n, r->expected);
}

/* How many tiles so many tokens in so many rows are worth: as many for each thread where that leaves them large
 * enough. */
static size_t count_tiles(const row_encoder *r, size_t tokens, size_t rows)
{
    size_t threads = threads_allowed(), most = tile_tokens(r);
    size_t n = tokens / most + (tokens % most != 0), even = (n + threads - 1) / threads * threads;
    if (r->streams == STREAMS_ONE)
        return n;
    if (r->streams == STREAMS_MANY && n < threads)
        return threads < rows ? threads : rows;
    return n > 1 && tokens / even >= LEAST_TOKENS ? even : n;
}

/* Whether threads take tiles of their own. */
static bool tiles_run_apart(const row_encoder *r, size_t n_tiles)
{
    size_t threads = threads_allowed();
    return threads > 1 && n_tiles > 1 && r->streams != STREAMS_ONE &&
           (r->streams == STREAMS_MANY || n_tiles >= threads);
}

/* Cuts the rows, of so many tokens in all, into tiles of about as many each, in order. Returns their number. */
static size_t tiles_plan(const row_encoder *r, tile *out, const token_rows *t, const uint32_t *rows, size_t n,
                         size_t all)
{
    size_t tokens = 0, n_tiles = 0, wanted = count_tiles(r, all, n);
    for (size_t i = 0; i < n; i++) {
        if (n_tiles == 0 || tokens >= all / wanted * n_tiles)
            out[n_tiles++] = (tile){ .rows = rows + i, .rows_before = i };
        size_t length = token_rows_length(t, rows[i]);
        out[n_tiles - 1].n++;
        out[n_tiles - 1].n_tok += length;
        tokens += length;
    }
    return n_tiles;
}

/* A call, as each tile sees it. */
typedef struct tile_call {
    arena *threads;
    const tile *all;
    tile_function *f;
    void *context;
    pthread_mutex_t failing;
    size_t failed; /* the first tile that did */
    bert_status status;
    bert_err *err; /* or NULL */
} tile_call;

static void run_tile(void *context, size_t number, size_t thread)
{
    tile_call *call = context;
    bert_err mine = { 0 };
    arena *a = &call->threads[thread];
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

bert_status row_encoder_tiles(row_encoder *r, const token_rows *t, const uint32_t *rows, size_t n, tile_function *f,
                              void *context, bert_err *err)
{
    tile *all = arena_array(&r->call, n, sizeof *all);
    size_t tokens = 0;
    if (!all || !grow_threads(r))
        return fail_memory(err, "tiles of tokens");
    if (!r->tile)
        r->tile = choose_tile(r->encoder);
    for (size_t i = 0; i < n; i++)
        tokens += token_rows_length(t, rows[i]);
    expect_memory(r, tokens);
    size_t n_tiles = tiles_plan(r, all, t, rows, n, tokens);
    tile_call call = { r->threads, all, f, context, PTHREAD_MUTEX_INITIALIZER, n_tiles, BERT_OK, err };
    threads_run(n_tiles, tiles_run_apart(r, n_tiles) ? threads_allowed() : 1, run_tile, &call);
    return call.status;
}

/* ---- a tile to vectors ------------------------------------------------------------------------------------------- */

/* A call, as its tiles see it. */
typedef struct row_run {
    const row_encoder *encoder;
    const token_rows *rows;
    size_t first;
    const row_outputs *outputs;
    size_t to; /* one past the last layer that is asked for */
} row_run;

/* One past the last layer whose output or attention is asked for. */
static size_t layers_of(const row_outputs *o)
{
    int last = -1;
    for (size_t i = 0; i < o->n_requests; i++)
        last = o->requests[i].layer > last ? o->requests[i].layer : last;
    for (size_t i = 0; i < o->n_attention; i++)
        last = o->attention[i].layer > last ? o->attention[i].layer : last;
    return (size_t)(last + 1);
}

/* Where the tile's attention maps go, behind those of the rows before it. */
static void place_attention(const row_run *run, const tile *t, forward_attention *places)
{
    const row_outputs *o = run->outputs;
    size_t NH = (size_t)run->encoder->encoder->config->num_attention_heads, before = 0;
    for (size_t i = 0; i < t->rows_before; i++) {
        size_t T = token_rows_length(run->rows, run->first + i);
        before += NH * T * T;
    }
    for (size_t i = 0; i < o->n_attention; i++)
        places[i] = (forward_attention){ o->attention[i].layer, o->attention[i].maps + before };
}

/* What the kept outputs' layer reads, where the pass can begin there. */
static bert_status begin_with_kept(const row_run *run, const tile *t, forward *f, arena *a, bert_err *err)
{
    const row_encoder *r = run->encoder;
    if (!r->kept || kept_layer(r->kept) > run->to) /* the requests may be for a layer below those */
        return BERT_OK;
    float *x = arena_alloc_raw(a, t->n_tok * (size_t)r->encoder->config->hidden_size * sizeof *x);
    f->x = x;
    f->from = kept_layer(r->kept);
    return x ? kept_tile(r->kept, t->rows, t->n, x, a, err) : fail_memory(err, "rows of vectors");
}

/* A row's place among the numbers of an output, and how many they are. */
typedef struct output_place {
    size_t at, n;
} output_place;

static output_place row_place(const row_run *run, const output_request *request, size_t row)
{
    const token_rows *t = run->rows;
    size_t H = (size_t)run->encoder->encoder->config->hidden_size, sequences = token_rows_sequences(t);
    return request->tokens ? (output_place){ (t->start[row] - t->start[run->first]) * H, token_rows_length(t, row) * H }
                           : (output_place){ (row - run->first) * sequences * H, sequences * H };
}

static void copy_outputs(const row_run *run, const tile *t, const forward *f)
{
    for (size_t i = 0; i < f->n_requests; i++) {
        const float *from = f->outputs[i].value;
        for (size_t k = 0; k < t->n; k++) {
            output_place to = row_place(run, &f->requests[i], t->rows[k]);
            memcpy(run->outputs->values[i] + to.at, from, to.n * sizeof *from);
            from += to.n;
        }
    }
}

static bert_status encode_tile(void *context, const tile *t, arena *a, bert_err *err)
{
    const row_run *run = context;
    const row_outputs *o = run->outputs;
    const encoder *e = run->encoder->encoder;
    packed_batch batch;
    forward f = { .e = e,
                  .batch = &batch,
                  .requests = o->requests,
                  .n_requests = o->n_requests,
                  .n_attention = o->n_attention,
                  .first_kept = e->n_layers,
                  .to = run->to };
    bert_status s = token_rows_pack(run->rows, t->rows, t->n, &batch, a, err);
    if (!s && o->n_attention) {
        forward_attention *places = arena_array(a, o->n_attention, sizeof *places);
        f.attention = places;
        s = places ? BERT_OK : fail_memory(err, "attention maps");
        if (!s)
            place_attention(run, t, places);
    }
    if (!s)
        s = begin_with_kept(run, t, &f, a, err);
    if (!s)
        s = forward_run(&f, a, err);
    if (!s)
        copy_outputs(run, t, &f);
    return s;
}

/* Rows `same` (n), counted from the first, get what the others have that they are the same as. */
static void copy_same(const row_run *run, const uint32_t *same, size_t n)
{
    const row_outputs *o = run->outputs;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < o->n_requests && same[i] != i; k++) {
            output_place from = row_place(run, &o->requests[k], run->first + same[i]),
                         to = row_place(run, &o->requests[k], run->first + i);
            memcpy(o->values[k] + to.at, o->values[k] + from.at, to.n * sizeof(float));
        }
}

/* Each row but those that are the same as one before them; same NULL: each. */
static bert_status run_rows(row_encoder *r, row_run *run, size_t n, const uint32_t *same, bert_err *err)
{
    uint32_t *numbers = arena_array(&r->call, n, sizeof *numbers);
    size_t m = 0;
    if (!numbers)
        return fail_memory(err, "rows of vectors");
    for (size_t i = 0; i < n; i++)
        if (!same || same[i] == i)
            numbers[m++] = (uint32_t)(run->first + i);
    bert_status s = row_encoder_tiles(r, run->rows, numbers, m, encode_tile, run, err);
    if (!s && same)
        copy_same(run, same, n);
    return s;
}

bert_status row_encoder_run_all(row_encoder *r, const token_rows *rows, size_t first, size_t n,
                                const row_outputs *outputs, bert_err *err)
{
    row_run run = { r, rows, first, outputs, layers_of(outputs) };
    token_rows split;
    arena_reset(&r->call);
    /* kept outputs know rows by their numbers; maps stand one behind another, each of its own size */
    if (r->kept || outputs->n_attention)
        return run_rows(r, &run, n, NULL, err);
    if (rows->form == ROW_APART) {
        if (!same_tokens_split(&split, rows, first, n, &r->call))
            return fail_memory(err, "rows of vectors");
        run.rows = &split;
        run.first = 0;
        n *= 2;
    }
    const uint32_t *same = same_tokens_find(run.rows, run.first, n, &r->call);
    return same ? run_rows(r, &run, n, same, err) : fail_memory(err, "rows of vectors");
}

bert_status row_encoder_run(row_encoder *r, const token_rows *rows, size_t first, size_t n, float *vectors,
                            bert_err *err)
{
    const row_outputs outputs = { .requests = &r->request, .values = &vectors, .n_requests = 1 };
    return row_encoder_run_all(r, rows, first, n, &outputs, err);
}

void row_encoder_rest(row_encoder *r)
{
    for (size_t i = 0; i < r->n_threads; i++)
        arena_free(&r->threads[i]);
    free(r->threads);
    r->threads = NULL;
    r->n_threads = r->expected = 0;
    arena_free(&r->call);
}

void row_encoder_free(row_encoder *r)
{
    row_encoder_rest(r);
    *r = (row_encoder){ 0 };
}
