/* A dense layer with random numbers, for the tests of its products. */
#pragma once

#include "check.h"

/* A dense layer of given sizes with everything that its three products read, rows apart by more than their width. */
typedef struct layer {
    dense d;
    size_t n, ldx, ldy;
    float *x, *dy, *weight, *bias; /* (n, in; ldx), (n, out; ldy), (out, in), (out) */
} layer;

UNUSED static layer layer_make(size_t n, size_t in, size_t out, bool bias, uint64_t seed)
{
    random_stream r = { .seed = seed };
    layer l = { .d = { .in = in, .out = out }, .n = n, .ldx = in + seed % 3, .ldy = out + seed % 5 };
    l.x = random_floats(&r, n * l.ldx, 1);
    l.dy = random_floats(&r, n * l.ldy, 1);
    l.weight = random_floats(&r, in * out, 1 / sqrtf((float)in));
    l.bias = bias ? random_floats(&r, out, 1) : NULL;
    l.d.weight = l.weight;
    l.d.bias = l.bias;
    return l;
}

UNUSED static void layer_free(layer *l)
{
    dense_unpack(&l->d);
    free(l->x);
    free(l->dy);
    free(l->weight);
    free(l->bias);
}

static const size_t SIZES[][3] = {
    /* n, in, out */
    { 1, 1, 1 },      { 2, 3, 1 },    { 3, 1, 12 },    { 5, 12, 20 },     { 7, 20, 12 },    { 14, 33, 31 },
    { 15, 384, 33 },  { 29, 20, 64 }, { 33, 257, 65 }, { 90, 64, 384 },   { 200, 384, 96 }, { 17, 1000, 40 },
    { 90, 2048, 17 }, { 0, 12, 20 },  { 6, 31, 3 },    { 530, 40, 1024 },
};
enum { N_SIZES = sizeof SIZES / sizeof *SIZES };

/* A list of operations and the form in which its dense layers are packed. */
typedef struct multiplier {
    const ops *o;
    ops_precision precision;
} multiplier;

/* Those whose products may differ: of every instruction set, and of bf16 where this machine computes it. Their number
 * is returned. */
UNUSED static size_t multipliers(multiplier all[8])
{
    size_t n = 0;
    FOR_EACH_ISA(o)
    all[n++] = (multiplier){ o, OPS_FP32 };
    const ops *bf16;
    if (ops_select_precision(OPS_BF16, &bf16, NULL) == BERT_OK)
        all[n++] = (multiplier){ bf16, OPS_BF16 };
    return n;
}

/* for (each of them) with `m` the multiplier */
#define FOR_EACH_MULTIPLIER(m)                                                                       \
    for (multiplier all_[8], *end_ = all_ + multipliers(all_), *next_ = all_; next_ < end_; next_++) \
        for (const multiplier *m = next_; m; m = NULL)
