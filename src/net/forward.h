/* A forward pass over a packed batch, from the embeddings to what was asked for, and its backward.
 * Layers below `first_kept` share their activations; those from there on keep them for backward. */
#pragma once

#include "net/embeddings.h"
#include "net/pooling.h"

/* Attention maps of a layer that runs: of one sequence behind another (NH, T, T). */
typedef struct forward_attention {
    int layer;
    float *maps; /* the caller's */
} forward_attention;

typedef struct forward_dropout {
    uint64_t seed, step;
    bool tuned, frozen;                     /* dropout in the parts that are tuned; in those that are not */
    size_t tokens_before, sequences_before; /* of the batch, where this is a part of it */
} forward_dropout;

/* Values and gradients on their way: (n_tok, H) each, used again as soon as nobody reads them. */
enum { MOST_ROW_BUFFERS = 8 };
typedef struct row_buffers {
    float *at[MOST_ROW_BUFFERS];
    int readers[MOST_ROW_BUFFERS]; /* 0: it is free */
    size_t n;
} row_buffers;

typedef struct forward {
    const encoder *e;
    const packed_batch *batch;
    const output_request *requests;
    size_t n_requests;
    const forward_attention *attention; /* (n_attention) */
    size_t n_attention;
    forward_dropout drop;
    bool embeddings_tuned;
    size_t first_kept; /* e->n_layers: nothing is kept */
    size_t from;       /* the first layer that runs */
    const float *x;    /* (n_tok, H): what layer `from` reads, above 0; NULL: from is 0, the embeddings run */
    /* one past the last layer that runs; 0: all. The last layer of the encoder alone may leave out rows */
    size_t to;

    ops_room room;           /* of the operations */
    ragged all, first;       /* rows of every sequence; one row each */
    bool first_only;         /* the last layer is asked for the first rows alone */
    const float *bottom;     /* (n_tok, H): x, or the embeddings */
    embedding_sums embedded; /* where the embeddings are tuned */
    attention_rule rule;     /* of all layers */
    float *dbias;            /* (heads, 2 span + 1) the gradient by its bias in backward; NULL: it is not tuned */
    float *scratch;          /* (n_tok, scratch of the encoder) */
    row_buffers rows;
    struct layer_run *layers; /* (n_layers) those that ran */
    forward_output *outputs;  /* (n_requests) */
} forward;

/* Runs the pass. The caller has set what stands above the empty line; batch, requests and x must stay. Requests name
 * layers from `from` - 1 (x itself) to `to` - 1. All memory is the arena's. Fails with BERT_ERR_MEMORY. */
bert_status forward_run(forward *f, arena *a, bert_err *err);

/* Backward from the gradients by the outputs: grads[i] has the shape of outputs[i].value, or is NULL. Adds to the
 * gradients of tuned weights; goes no lower than `first_kept`, which is then at least `from`. Scratch memory is the
 * arena's. Once: it overwrites what the pass has kept. */
bert_status forward_backward(forward *f, arena *a, const float *const *grads, bert_err *err);
