/* Texts through the encoder to vectors. */
#include "model/encode.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Activations of so many tokens stay in a core's second-level cache through all layers; measured in bench/ (120 to 240 are alike). */
enum { TILE_TOKENS = 192, CHUNK_TEXTS = 2048 };

void encode_workspace_free(encode_workspace *w)
{
    for (size_t t = 0; t < w->n_threads; t++) {
        arena_free(&w->tiles[t]);
        encode_scratch_free(&w->words[t]);
    }
    free(w->tiles);
    free(w->words);
    arena_free(&w->chunk);
    *w = (encode_workspace){ 0 };
}

static bert_status grow_workspace(encode_workspace *w, bert_err *err)
{
    size_t n = (size_t)omp_get_max_threads();
    if (w->n_threads >= n)
        return BERT_OK;
    arena *tiles = realloc(w->tiles, n * sizeof *tiles);
    if (tiles)
        w->tiles = tiles;
    encode_scratch *words = realloc(w->words, n * sizeof *words);
    if (words)
        w->words = words;
    if (!tiles || !words)
        return fail_memory(err, "a session");
    for (; w->n_threads < n; w->n_threads++) {
        w->tiles[w->n_threads] = (arena){ 0 };
        w->words[w->n_threads] = (encode_scratch){ 0 };
    }
    return BERT_OK;
}

/* The texts at hand as ids: text i has ids[i * seq_len ...], sizes[i] of them, those from seconds[i] on in segment 1. */
typedef struct chunk {
    size_t n;
    int32_t *ids;
    encoded *texts;
    size_t *first; /* (n + 1) the first vector of each text, counted in rows of the output */
    size_t *tiles; /* (n_tiles + 1) the first text of each tile */
    size_t n_tiles;
} chunk;

static bert_status tokenise(const text_encoder *e, const bert_text *texts, const bert_text *pairs, chunk *c, encode_workspace *w, bert_err *err)
{
    bert_status status = BERT_OK;
#pragma omp parallel for schedule(dynamic, 16) if (c->n > 16)
    for (size_t i = 0; i < c->n; i++) {
        bert_err mine = { 0 };
        bert_text none = { 0 };
        bert_status s = encode_pair(e->tokenizer, texts[i], pairs ? pairs[i] : none, e->seq_len, &w->words[omp_get_thread_num()],
                                    c->ids + i * e->seq_len, &c->texts[i], &mine);
        if (s) {
#pragma omp critical(encode_texts_error)
            {
                status = s;
                if (err)
                    *err = mine;
            }
        }
    }
    return status;
}

/* Cuts the texts into tiles, in order, each of at least TILE_TOKENS tokens. */
static void plan_tiles(chunk *c, bool tokens)
{
    size_t in_tile = 0;
    c->n_tiles = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (in_tile == 0)
            c->tiles[c->n_tiles++] = i;
        in_tile += c->texts[i].n;
        if (in_tile >= TILE_TOKENS)
            in_tile = 0;
        c->first[i + 1] = c->first[i] + (tokens ? c->texts[i].n : 1);
    }
    c->tiles[c->n_tiles] = c->n;
}

/* One tile through all layers; its vectors go to their places in the output. */
static bert_status run_tile(const text_encoder *e, const chunk *c, size_t tile, float *vectors, arena *a, bert_err *err)
{
    size_t from = c->tiles[tile], to = c->tiles[tile + 1], n_tok = 0;
    size_t H = (size_t)e->encoder->config->hidden_size;
    for (size_t i = from; i < to; i++)
        n_tok += c->texts[i].n;
    packed_batch batch;
    arena_reset(a);
    bert_status s = packed_batch_create(&batch, n_tok, to - from, a, err);
    if (s)
        return s;
    for (size_t i = from; i < to; i++)
        packed_batch_add(&batch, c->ids + i * e->seq_len, c->texts[i].n, c->texts[i].second);
    forward f = { .e = e->encoder, .batch = &batch, .requests = e->request, .n_requests = 1, .first_kept = e->encoder->n_layers };
    s = forward_run(&f, a, err);
    if (!s)
        memcpy(vectors + c->first[from] * H, f.outputs[0].value, (c->first[to] - c->first[from]) * H * sizeof *vectors);
    return s;
}

static bert_status run_tiles(const text_encoder *e, const chunk *c, float *vectors, encode_workspace *w, bert_err *err)
{
    bert_status status = BERT_OK;
    /* With fewer tiles than threads the threads share each operation instead. */
#pragma omp parallel for schedule(dynamic, 1) if (c->n_tiles >= (size_t)omp_get_max_threads())
    for (size_t t = 0; t < c->n_tiles; t++) {
        bert_err mine = { 0 };
        bert_status s = run_tile(e, c, t, vectors, &w->tiles[omp_get_thread_num()], &mine);
        if (s) {
#pragma omp critical(encode_texts_error)
            {
                status = s;
                if (err)
                    *err = mine;
            }
        }
    }
    return status;
}

static bert_status encode_chunk(const text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *rows,
                                size_t *counts, size_t *truncated, encode_workspace *w, bert_err *err)
{
    arena_reset(&w->chunk);
    chunk c = { .n = n };
    c.ids = arena_alloc_raw(&w->chunk, n * e->seq_len * sizeof *c.ids);
    c.texts = arena_array(&w->chunk, n, sizeof *c.texts);
    c.first = arena_array(&w->chunk, n + 1, sizeof *c.first);
    c.tiles = arena_array(&w->chunk, n + 1, sizeof *c.tiles);
    if (!c.ids || !c.texts || !c.first || !c.tiles)
        return fail_memory(err, "a session");
    bert_status s = tokenise(e, texts, pairs, &c, w, err);
    if (s)
        return s;
    plan_tiles(&c, e->request->tokens);
    for (size_t i = 0; i < n; i++) {
        if (counts)
            counts[i] = c.texts[i].n;
        if (truncated)
            *truncated += c.texts[i].truncated;
    }
    *rows = c.first[n];
    return run_tiles(e, &c, vectors, w, err);
}

bert_status encode_texts(const text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                         size_t *truncated, encode_workspace *w, bert_err *err)
{
    bert_status s = grow_workspace(w, err);
    size_t H = (size_t)e->encoder->config->hidden_size;
    for (size_t i = 0; !s && i < n; i += CHUNK_TEXTS) {
        size_t part = n - i < CHUNK_TEXTS ? n - i : CHUNK_TEXTS, rows = 0;
        s = encode_chunk(e, texts + i, pairs ? pairs + i : NULL, part, vectors, &rows, counts ? counts + i : NULL, truncated, w, err);
        vectors += rows * H;
    }
    return s;
}
