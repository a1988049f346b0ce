/* Token rows through an encoder to vectors. */
#include "rows/row_encoder.h"

#include <string.h>

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

static void copy_outputs(const row_run *run, const tile *t, const forward *f)
{
    size_t H = (size_t)f->e->config->hidden_size, sequences = token_rows_sequences(run->rows);
    for (size_t i = 0; i < f->n_requests; i++) {
        bool tokens = f->requests[i].tokens;
        size_t before = tokens ? t->tokens_before : t->rows_before * sequences,
               n = tokens ? f->batch->n_tok : f->batch->n_seq;
        memcpy(run->outputs->values[i] + before * H, f->outputs[i].value, n * H * sizeof(float));
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

bert_status row_encoder_run_all(row_encoder *r, const token_rows *rows, size_t first, size_t n,
                                const row_outputs *outputs, bert_err *err)
{
    arena_reset(&r->numbers);
    uint32_t *numbers = arena_array(&r->numbers, n, sizeof *numbers);
    if (!numbers)
        return fail_memory(err, "rows of vectors");
    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)(first + i);
    row_run run = { r, rows, first, outputs, layers_of(outputs) };
    return tiles_run(&r->tiles, rows, numbers, n, encode_tile, &run, err);
}

bert_status row_encoder_run(row_encoder *r, const token_rows *rows, size_t first, size_t n, float *vectors,
                            bert_err *err)
{
    const row_outputs outputs = { .requests = &r->request, .values = &vectors, .n_requests = 1 };
    return row_encoder_run_all(r, rows, first, n, &outputs, err);
}

void row_encoder_free(row_encoder *r)
{
    tiles_free(&r->tiles);
    arena_free(&r->numbers);
    r->kept = NULL;
}
