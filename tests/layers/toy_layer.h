/* Layers on the toy module: inputs, and a loss on any outputs of a layer. */
#pragma once

#include "toy_module.h"

#include "layers/layer.h"

enum { S = 10, N = 3, MOST_OUTPUTS = 8 }; /* tokens of a row, rows, outputs of an experiment */

/* Rows with padding, and one with a hole in its mask. */
static const int32_t IDS[N * S] = { 2,  5,  16, 17, 18, 3, 0,  0, 0, 0,  2, 7, 7, 3, 9,
                                    20, 21, 23, 10, 3,  2, 22, 6, 3, 11, 3, 0, 0, 0, 0 };
static const int32_t MASK[N * S] = { 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0 };
static const int32_t SEGMENTS[N * S] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                                         1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0 };
static const bert_input MATRICES = { .n = N, .input_ids = IDS, .input_mask = MASK, .segment_ids = SEGMENTS };

static const bert_text TEXTS[N] = { { "the cats sat on the mat", 23 }, { "a b, c", 6 }, { "k", 1 } };
static const bert_text PAIRS[N] = { { "d e", 3 }, { "", 0 }, { "the mat. the mat. the mat.", 26 } };
static const bert_input SENTENCES = { .n = N, .texts = TEXTS, .pairs = PAIRS };

static inline bert_layer_spec spec_of(int pooling, const char *outputs)
{
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.seq_len = S;
    spec.pooling = pooling;
    spec.outputs = outputs;
    spec.do_preprocessing = false;
    return spec;
}

static inline bert_layer *layer_of(const bert_module *module, const bert_layer_spec *spec)
{
    bert_layer *layer = NULL;
    assert_works(bert_layer_create(module, spec, 7, &layer, NULL, err));
    return layer;
}

static inline bert_pass *forward_of(bert_layer *layer, const bert_input *input, bert_run run)
{
    bert_pass *pass = NULL;
    assert_works(bert_layer_forward(layer, input, &run, &pass, err));
    return pass;
}

static inline const float *output_of(const bert_pass *pass, const char *name, size_t *size)
{
    const float *x = bert_pass_output(pass, name, size);
    assert_non_null(x);
    return x;
}

/* A loss on a layer: the sum over its outputs of fixed random numbers times the output, in double. */
typedef struct experiment {
    bert_layer *layer;
    const bert_input *input;
    bert_run run;
    char names[MOST_OUTPUTS][32];
    float *by[MOST_OUTPUTS]; /* the fixed numbers, of each output's shape; at padding too, where they must not matter */
    size_t n;
    arena memory;
} experiment;

static inline void experiment_begin(experiment *x, bert_layer *layer, const bert_input *input, bert_run run)
{
    *x = (experiment){ .layer = layer, .input = input, .run = run };
    random_stream r = { 5, 0, 0 };
    bert_pass *pass = forward_of(layer, input, run);
    for (const char *p = layer->spec.outputs; *p; x->n++) {
        size_t size, length = strcspn(p, ",");
        snprintf(x->names[x->n], sizeof x->names[0], "%.*s", (int)length, p);
        p += length + (p[length] == ',');
        output_of(pass, x->names[x->n], &size);
        x->by[x->n] = arena_array(&x->memory, size, sizeof(float));
        for (size_t i = 0; i < size; i++)
            x->by[x->n][i] = random_normal(&r);
    }
    bert_pass_free(pass);
}

static inline double loss_of(const experiment *x)
{
    bert_pass *pass = forward_of(x->layer, x->input, x->run);
    double loss = 0;
    for (size_t o = 0; o < x->n; o++) {
        size_t size;
        const float *y = output_of(pass, x->names[o], &size);
        for (size_t i = 0; i < size; i++)
            loss += (double)x->by[o][i] * y[i];
    }
    bert_pass_free(pass);
    return loss;
}

static inline void backward_of(const experiment *x)
{
    bert_output_grad grads[MOST_OUTPUTS];
    for (size_t o = 0; o < x->n; o++)
        grads[o] = (bert_output_grad){ x->names[o], x->by[o] };
    bert_pass *pass = forward_of(x->layer, x->input, x->run);
    bert_layer_zero_grad(x->layer);
    assert_works(bert_pass_backward(pass, grads, x->n, err));
    bert_pass_free(pass);
}

static const bert_run KEEP = { .keep = true }, TRAIN = { .train = true, .seed = 3, .step = 4 },
                      TRAIN_ALL = { .train = true, .frozen_dropout = true, .seed = 3, .step = 4 };
static const char ALL_OUTPUTS[] =
    "output,pooled_output,sequence_output,token_output,embedding_output,layer_0,layer_1,layer_2";
