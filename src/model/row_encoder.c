/* Token rows through an encoder to vectors. */
#include "model/row_encoder.h"

#include <string.h>

/* A call, as its tiles see it. */
typedef struct row_run {
    const row_encoder *encoder;
    const token_rows *rows;
    float *vectors;
} row_run;

static bert_status run_tile(void *context, const tile *t, arena *a, bert_err *err)
{
    const row_run *run = context;
    const row_encoder *r = run->encoder;
    size_t H = (size_t)r->encoder->config->hidden_size, sequences = token_rows_sequences(run->rows);
    packed_batch batch;
    size_t to = (size_t)(r->request.layer + 1);
    forward f = { .e = r->encoder, .batch = &batch, .requests = &r->request, .n_requests = 1, .first_kept = r->encoder->n_layers, .to = to };
    bert_status s = token_rows_pack(run->rows, t->rows, t->n, &batch, a, err);
    if (!s && r->kept && kept_layer(r->kept) <= to) { /* else the request is for a layer below those */
        float *x = arena_alloc_raw(a, t->n_tok * H * sizeof *x);
        f.x = x;
        f.from = kept_layer(r->kept);
        s = x ? kept_tile(r->kept, t->rows, t->n, x, a, err) : fail_memory(err, "rows of vectors");
    }
    if (!s)
        s = forward_run(&f, a, err);
    size_t before = r->request.tokens ? t->tokens_before : t->rows_before * sequences, n = r->request.tokens ? batch.n_tok : batch.n_seq;
    if (!s)
        memcpy(run->vectors + before * H, f.outputs[0].value, n * H * sizeof *run->vectors);
    return s;
}

bert_status row_encoder_run(row_encoder *r, const token_rows *rows, size_t first, size_t n, float *vectors, bert_err *err)
{
    arena_reset(&r->numbers);
    uint32_t *numbers = arena_array(&r->numbers, n, sizeof *numbers);
    if (!numbers)
        return fail_memory(err, "rows of vectors");
    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)(first + i);
    row_run run = { r, rows, vectors };
    return tiles_run(&r->tiles, rows, numbers, n, run_tile, &run, err);
}

void row_encoder_free(row_encoder *r)
{
    tiles_free(&r->tiles);
    arena_free(&r->numbers);
    r->kept = NULL;
}
