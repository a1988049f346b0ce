/* Kept outputs: computing what is not kept yet. The arithmetic below the lowest tuned layer is part of what the numbers
 * are, as is the form in which they are kept: a file of the one is made anew for the other. */
#include "rows/kept.h"

#include "base/bf16.h"
#include "rows/kept_store.h"
#include "rows/row_encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept_outputs {
    bert_layer *layer;
    const token_rows *rows;
    row_encoder below; /* its request is for the tokens' rows below layer first_kept */
    bool bf16;
    size_t hidden;
    kept_store store;
};

/* ---- numbers of two bytes ---------------------------------------------------------------------------------------- */

static void expand(float *x, const uint16_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = bf16_to_f32(from[i]);
}

static void shorten(uint16_t *to, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = bf16_of(x[i]);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static kept_header header_of(const kept_outputs *k, const unsigned char key[32])
{
    const bert_module *m = k->layer->module;
    kept_header h;
    memset(&h, 0, sizeof h);
    h.rows = k->rows->n;
    h.tokens = k->rows->start[k->rows->n];
    h.layer = k->layer->first_kept;
    h.hidden = k->hidden;
    h.token_bytes = k->hidden * (k->bf16 ? sizeof(uint16_t) : sizeof(float));
    snprintf(h.module, sizeof h.module, "%s", m->sha256);
    snprintf(h.weights, sizeof h.weights, "%s", m->weights_sha256);
    const block *below = encoder_layer(&k->layer->encoder, 0);
    snprintf(h.arithmetic, sizeof h.arithmetic, "%s %d", below->ops->name, (int)below->precision);
    snprintf(h.library, sizeof h.library, "%s", BERT_VERSION);
    memcpy(h.key, key, sizeof h.key);
    return h;
}

bert_status kept_create(kept_outputs **kept, bert_layer *layer, const token_rows *rows, const kept_options *options,
                        const char **note, bert_err *err)
{
    const char *words;
    *kept = NULL;
    kept_outputs *k = calloc(1, sizeof *k);
    if (!k)
        return fail_memory(err, "kept outputs");
    *k = (kept_outputs){
        .layer = layer, .rows = rows, .bf16 = options->bf16, .hidden = (size_t)layer->config.hidden_size
    };
    k->below.encoder = &layer->encoder;
    k->below.request = (output_request){ .name = "kept", .layer = (int)layer->first_kept - 1, .tokens = true };
    kept_header what = header_of(k, options->key);
    bert_status s = kept_store_open(&k->store, options->path, &what, rows, options->budget, &words, err);
    if (note)
        *note = s ? NULL : words;
    if (s) {
        kept_free(k);
        return s;
    }
    *kept = k;
    return BERT_OK;
}

void kept_free(kept_outputs *k)
{
    if (!k)
        return;
    kept_store_close(&k->store);
    row_encoder_free(&k->below);
    free(k);
}

void kept_rest(kept_outputs *k)
{
    row_encoder_rest(&k->below);
}

size_t kept_layer(const kept_outputs *k)
{
    return k->layer->first_kept;
}

uint64_t kept_bytes(const kept_outputs *k)
{
    return k->store.mapping ? (uint64_t)(k->store.data - k->store.mapping) + k->store.used * k->store.token_bytes : 0;
}

size_t kept_rows(const kept_outputs *k)
{
    return k->store.kept;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Rows that have to be computed, and where their first token goes, counted in tokens of x. */
typedef struct missing {
    uint32_t *rows;
    size_t *at;
    size_t n;
} missing;

static bool missing_create(missing *m, size_t most, arena *a)
{
    *m = (missing){ arena_array(a, most, sizeof *m->rows), arena_array(a, most, sizeof *m->at), 0 };
    return m->rows && m->at;
}

/* Those that are kept go into x, the others into the list. */
static void read_kept(kept_outputs *k, const uint32_t *rows, size_t n, float *x, missing *m)
{
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t tokens = token_rows_length(k->rows, rows[i]);
        const void *found = kept_store_find(&k->store, rows[i]);
        if (!found) {
            m->rows[m->n] = rows[i];
            m->at[m->n++] = at;
        } else if (k->bf16)
            expand(x + at * k->hidden, found, tokens * k->hidden);
        else
            memcpy(x + at * k->hidden, found, tokens * k->hidden * sizeof *x);
        at += tokens;
    }
}

/* One row that was computed, from y to x (NULL: nobody reads it yet) and to where it is kept. */
static void put_row(kept_outputs *k, uint32_t row, const float *y, float *x, uint16_t *shortened)
{
    size_t n = token_rows_length(k->rows, row) * k->hidden;
    if (k->bf16)
        shorten(shortened, y, n);
    kept_store_add(&k->store, row, k->bf16 ? (const void *)shortened : y);
    if (x && k->bf16)
        expand(x, shortened, n);
    else if (x)
        memcpy(x, y, n * sizeof *x);
}

/* Computes some of the missing rows, from the embeddings up to the layer below. x NULL: to keep them alone. */
static bert_status kept_compute(kept_outputs *k, const uint32_t *rows, const size_t *at, size_t n, float *x, arena *a,
                                bert_err *err)
{
    const encoder *e = k->below.encoder;
    packed_batch batch;
    forward f = { .e = e,
                  .batch = &batch,
                  .requests = &k->below.request,
                  .n_requests = 1,
                  .first_kept = e->n_layers,
                  .to = k->layer->first_kept };
    uint16_t *shortened = k->bf16 ? arena_alloc_raw(a, k->rows->longest * k->hidden * sizeof *shortened) : NULL;
    if (k->bf16 && !shortened)
        return fail_memory(err, "kept outputs");
    bert_status s = token_rows_pack(k->rows, rows, n, &batch, a, err);
    if (!s)
        s = forward_run(&f, a, err);
    if (s)
        return s;
    const float *y = f.outputs[0].value;
    for (size_t i = 0; i < n; i++) {
        put_row(k, rows[i], y, x ? x + at[i] * k->hidden : NULL, shortened);
        y += token_rows_length(k->rows, rows[i]) * k->hidden;
    }
    return BERT_OK;
}

bert_status kept_tile(kept_outputs *k, const uint32_t *rows, size_t n, float *x, arena *a, bert_err *err)
{
    missing m;
    if (!missing_create(&m, n, a))
        return fail_memory(err, "kept outputs");
    read_kept(k, rows, n, x, &m);
    bert_status s = m.n ? layer_ready(k->layer, err) : BERT_OK;
    return s || !m.n ? s : kept_compute(k, m.rows, m.at, m.n, x, a, err);
}

/* A call of kept_read, as its tiles see it. */
typedef struct filling {
    kept_outputs *kept;
    const missing *missing;
    float *x;
} filling;

static bert_status fill_tile(void *context, const tile *t, arena *a, bert_err *err)
{
    const filling *f = context;
    return kept_compute(f->kept, t->rows, f->missing->at + t->rows_before, t->n, f->x, a, err);
}

static bert_status compute_missing(kept_outputs *k, const missing *m, float *x, bert_err *err)
{
    if (!m->n)
        return BERT_OK;
    filling f = { k, m, x };
    bert_status s = layer_ready(k->layer, err);
    if (!s)
        s = row_encoder_tiles(&k->below, k->rows, m->rows, m->n, fill_tile, &f, err);
    layer_rest_embeddings(k->layer); /* a step follows, which does not read them */
    return s;
}

bert_status kept_read(kept_outputs *k, const uint32_t *rows, size_t n, float *x, bert_err *err)
{
    missing m;
    arena_reset(&k->below.call);
    if (!missing_create(&m, n, &k->below.call))
        return fail_memory(err, "kept outputs");
    read_kept(k, rows, n, x, &m);
    return compute_missing(k, &m, x, err);
}

bert_status kept_fill(kept_outputs *k, size_t first, size_t n, bert_err *err)
{
    missing m;
    arena_reset(&k->below.call);
    if (!missing_create(&m, n, &k->below.call))
        return fail_memory(err, "kept outputs");
    for (size_t row = first; row < first + n; row++)
        if (!kept_store_find(&k->store, row))
            m.rows[m.n++] = (uint32_t)row;
    return compute_missing(k, &m, NULL, err);
}
