/* Texts through the encoder to vectors. */
#include "model/text_encoder.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Activations of so many tokens stay in a core's second-level cache through all layers. */
enum { TILE_TOKENS = 192, CHUNK_TEXTS = 2048 };

/* Whether training would change a weight under the encoder: packing copies the matrices of layers and pooler, and nothing else. */
static bool may_change(const text_encoder *e, const bert_layer *l, size_t i)
{
    size_t layer;
    const bert_param *p = &e->weights.items[i];
    bool packed = p->cols > 1 && weight_group_of(&e->weights, i, &layer) != GROUP_EMBEDDINGS;
    return !packed && layer_owns(l, p->value);
}

/* Copies what may change, one behind another in the order of the list: the biases of query, key and value stay side by side. */
static bert_status copy_changing(text_encoder *e, const bert_layer *l, bert_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < e->weights.n; i++)
        n += may_change(e, l, i) ? weight_size(&e->weights.items[i]) : 0;
    float *at = arena_array(&e->memory, n, sizeof *at);
    if (!at)
        return fail_memory(err, "a session");
    for (size_t i = 0; i < e->weights.n; i++) {
        bert_param *p = &e->weights.items[i];
        if (!may_change(e, l, i))
            continue;
        p->value = memcpy(at, p->value, weight_size(p) * sizeof *at);
        at += weight_size(p);
    }
    return BERT_OK;
}

bert_status text_encoder_create(text_encoder *e, const bert_model *model, bert_pooling pooling, size_t seq_len, bert_err *err)
{
    const bert_layer *l = model->layer;
    *e = (text_encoder){ .tokenizer = model->module->tokenizer, .seq_len = seq_len };
    if (seq_len < 3 || seq_len > (size_t)l->config.max_position_embeddings)
        return fail(err, BERT_ERR_ARGUMENT, "seq_len %zu: from 3 to the module's %lld positions", seq_len, (long long)l->config.max_position_embeddings);
    if (pooling == BERT_POOLING_AUTO)
        pooling = (bert_pooling)l->spec.pooling;
    bert_status s = request_of_pooling(&e->request, pooling, l, err);
    if (!s)
        s = layer_ready(l, err);
    size_t n_layers = (size_t)(e->request.layer + 1);
    if (!s)
        s = request_weights(&e->request, l, 0, &e->weights, &e->memory, err);
    if (!s && e->request.pooler && !weight_at(&e->weights, POOLER_WEIGHT, 0)->value)
        s = fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; take another pooling");
    if (!s)
        s = copy_changing(e, l, err);
    if (!s)
        s = encoder_create(&e->encoder, &e->memory, l->encoder.ops, &l->config, &e->weights, n_layers, err);
    if (!s)
        s = encoder_pack(&e->encoder, true, &l->encoder, err);
    if (s)
        text_encoder_free(e);
    return s;
}

void text_encoder_free(text_encoder *e)
{
    for (size_t t = 0; t < e->n_threads; t++) {
        arena_free(&e->tiles[t]);
        encode_scratch_free(&e->words[t]);
    }
    free(e->tiles);
    free(e->words);
    encoder_unpack(&e->encoder);
    arena_free(&e->chunk);
    arena_free(&e->memory);
    *e = (text_encoder){ 0 };
}

/* Every thread has memory of its own. */
static bert_status grow_threads(text_encoder *e, bert_err *err)
{
    size_t n = (size_t)omp_get_max_threads();
    if (e->n_threads >= n)
        return BERT_OK;
    arena *tiles = realloc(e->tiles, n * sizeof *tiles);
    if (tiles)
        e->tiles = tiles;
    encode_scratch *words = realloc(e->words, n * sizeof *words);
    if (words)
        e->words = words;
    if (!tiles || !words)
        return fail_memory(err, "a session");
    for (; e->n_threads < n; e->n_threads++) {
        e->tiles[e->n_threads] = (arena){ 0 };
        e->words[e->n_threads] = (encode_scratch){ 0 };
    }
    return BERT_OK;
}

/* The texts at hand as ids: text i has ids[i * seq_len ...], as texts[i] says. */
typedef struct chunk {
    size_t n;
    int32_t *ids;
    encoded *texts;
    size_t *first; /* (n + 1) the first vector of each text, counted in rows of the output */
    size_t *tiles; /* (n_tiles + 1) the first text of each tile */
    size_t n_tiles;
} chunk;

static bert_status tokenise(text_encoder *e, const bert_text *texts, const bert_text *pairs, chunk *c, bert_err *err)
{
    bert_status status = BERT_OK;
#pragma omp parallel for schedule(dynamic, 16) if (c->n > 16)
    for (size_t i = 0; i < c->n; i++) {
        bert_err mine = { 0 };
        bert_text none = { 0 };
        bert_status s = encode_pair(e->tokenizer, texts[i], pairs ? pairs[i] : none, e->seq_len, &e->words[omp_get_thread_num()],
                                    c->ids + i * e->seq_len, &c->texts[i], &mine);
        if (s) {
#pragma omp critical(text_encoder_error)
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
static bert_status run_tile(text_encoder *e, const chunk *c, size_t tile, float *vectors, arena *a, bert_err *err)
{
    size_t from = c->tiles[tile], to = c->tiles[tile + 1], n_tok = 0;
    size_t H = (size_t)e->encoder.config->hidden_size;
    for (size_t i = from; i < to; i++)
        n_tok += c->texts[i].n;
    packed_batch batch;
    arena_reset(a);
    bert_status s = packed_batch_create(&batch, n_tok, to - from, a, err);
    if (s)
        return s;
    for (size_t i = from; i < to; i++)
        packed_batch_add(&batch, c->ids + i * e->seq_len, c->texts[i].n, c->texts[i].second);
    forward f = { .e = &e->encoder, .batch = &batch, .requests = &e->request, .n_requests = 1, .first_kept = e->encoder.n_layers };
    s = forward_run(&f, a, err);
    if (!s)
        memcpy(vectors + c->first[from] * H, f.outputs[0].value, (c->first[to] - c->first[from]) * H * sizeof *vectors);
    return s;
}

static bert_status run_tiles(text_encoder *e, const chunk *c, float *vectors, bert_err *err)
{
    bert_status status = BERT_OK;
    /* With fewer tiles than threads the threads share each operation instead. */
#pragma omp parallel for schedule(dynamic, 1) if (c->n_tiles >= (size_t)omp_get_max_threads())
    for (size_t t = 0; t < c->n_tiles; t++) {
        bert_err mine = { 0 };
        bert_status s = run_tile(e, c, t, vectors, &e->tiles[omp_get_thread_num()], &mine);
        if (s) {
#pragma omp critical(text_encoder_error)
            {
                status = s;
                if (err)
                    *err = mine;
            }
        }
    }
    return status;
}

static bert_status encode_chunk(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *rows,
                                size_t *counts, size_t *truncated, bert_err *err)
{
    arena_reset(&e->chunk);
    chunk c = { .n = n };
    c.ids = arena_alloc_raw(&e->chunk, n * e->seq_len * sizeof *c.ids);
    c.texts = arena_array(&e->chunk, n, sizeof *c.texts);
    c.first = arena_array(&e->chunk, n + 1, sizeof *c.first);
    c.tiles = arena_array(&e->chunk, n + 1, sizeof *c.tiles);
    if (!c.ids || !c.texts || !c.first || !c.tiles)
        return fail_memory(err, "a session");
    bert_status s = tokenise(e, texts, pairs, &c, err);
    if (s)
        return s;
    plan_tiles(&c, e->request.tokens);
    for (size_t i = 0; i < n; i++) {
        if (counts)
            counts[i] = c.texts[i].n;
        if (truncated)
            *truncated += c.texts[i].truncated;
    }
    *rows = c.first[n];
    return run_tiles(e, &c, vectors, err);
}

bert_status text_encoder_run(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                             size_t *truncated, bert_err *err)
{
    bert_status s = grow_threads(e, err);
    size_t H = (size_t)e->encoder.config->hidden_size;
    for (size_t i = 0; !s && i < n; i += CHUNK_TEXTS) {
        size_t part = n - i < CHUNK_TEXTS ? n - i : CHUNK_TEXTS, rows = 0;
        s = encode_chunk(e, texts + i, pairs ? pairs + i : NULL, part, vectors, &rows, counts ? counts + i : NULL, truncated, err);
        vectors += rows * H;
    }
    return s;
}
