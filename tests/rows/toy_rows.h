/* Rows of tokens for the toy module, and a layer on it whose lower layers are frozen. */
#pragma once

#include "base/threads.h"
#include "layers/toy_layer.h"

#include "data/token_rows.h"

enum { ROWS = 120, HIDDEN = 12 };

/* Texts of one to ten words, every third with a second one; the same for the same seed. */
static inline token_rows toy_rows(const bert_module *module, row_form form, uint64_t seed)
{
    static const char *const WORDS[] = { "a", "b", "c", "d", "cats", "sat", "mat", "the", ",", "on" };
    static bert_text texts[ROWS], pairs[ROWS];
    static char bytes[ROWS][2][64];
    static size_t lines[ROWS];
    random_stream r = { seed, 0, 0 };
    token_rows rows;
    for (size_t i = 0; i < ROWS; i++)
        for (int second = 0; second < 2; second++) {
            char *text = bytes[i][second];
            size_t n = second && form == ROW_TOGETHER && i % 3 ? 0
                       : second && form == ROW_WORDS           ? 0
                                                               : 1 + random_below(&r, 10),
                   size = 0;
            for (size_t k = 0; k < n; k++)
                size += (size_t)snprintf(text + size, 64 - size, "%s ", WORDS[random_below(&r, 10)]);
            (second ? pairs : texts)[i] = (bert_text){ text, size };
            lines[i] = i;
        }
    bert_dataset d = { .n = ROWS, .texts = texts, .pairs = pairs, .lines = lines };
    assert_works(token_rows_create(&rows, &d, module->tokenizer, S, form, err));
    return rows;
}

/* A layer of which the last `tuned` layers are tuned. */
static inline bert_layer *frozen_below(const bert_module *module, int pooling, int64_t tuned)
{
    bert_layer_spec spec = spec_of(pooling, "output");
    spec.n_tune_layers = tuned;
    bert_layer *layer = layer_of(module, &spec);
    assert_works(layer_ready(layer, err));
    return layer;
}

static inline uint32_t *all_rows(random_stream *shuffle)
{
    static uint32_t rows[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        rows[i] = i;
    if (shuffle)
        random_shuffle(shuffle, rows, ROWS);
    return rows;
}

/* What layer first_kept reads: one pass over all rows, one behind the other. */
static inline float *frozen_part(const bert_layer *layer, const token_rows *rows, arena *a)
{
    packed_batch batch;
    output_request request = { .name = "x", .layer = (int)layer->first_kept - 1, .tokens = true };
    assert_works(token_rows_pack(rows, all_rows(NULL), ROWS, &batch, a, err));
    forward f = { .e = &layer->encoder,
                  .batch = &batch,
                  .requests = &request,
                  .n_requests = 1,
                  .first_kept = layer->encoder.n_layers };
    assert_works(forward_run(&f, a, err));
    return f.outputs[0].value;
}

static inline void assert_same_bits(const float *found, const float *expected, size_t n)
{
    assert_memory_equal(found, expected, n * sizeof *found);
}
