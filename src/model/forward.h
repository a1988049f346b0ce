/* A forward pass over a packed batch, from the embeddings to what was asked for, and its backward.
 * Layers below `first_kept` share their activations; those from there on keep them for backward. */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include "model/transformer_layer.h"
#include "text/packed_batch.h"

/* What one request gave: rows of the packed batch for tokens, else one row a sequence. */
typedef struct forward_output {
    float *value; /* (n_tok, H) or (n_seq, H) */
    float *first; /* (n_seq, H): what the pooler read; with pooler only */
} forward_output;

typedef struct forward_dropout {
    uint64_t seed, step;
    bool tuned, frozen; /* dropout in the parts that are tuned; in those that are not */
} forward_dropout;

typedef struct forward {
    const encoder *e;
    const packed_batch *batch;
    const output_request *requests;
    size_t n_requests;
    forward_dropout drop;
    bool embeddings_tuned;
    size_t first_kept; /* e->n_layers: nothing is kept */

    ragged all, first;                                                  /* rows of every sequence; one row each */
    bool first_only;                                                    /* the last layer is asked for the first rows alone */
    float *embedding, *embedding_sum, *embedding_mean, *embedding_rstd; /* (n_tok, H), (n_tok, H), (n_tok), (n_tok) */
    layer_activations *layers;                                          /* (n_layers) */
    forward_output *outputs;                                            /* (n_requests) */
} forward;

/* Runs the pass. The caller has set e, batch, requests, n_requests, drop, embeddings_tuned and first_kept; batch and requests must stay.
 * All memory is the arena's. Fails with BERT_ERR_MEMORY. */
bert_status forward_run(forward *f, arena *a, bert_err *err);

/* Backward from the gradients by the outputs: grads[i] has the shape of outputs[i].value, or is NULL. Adds to the gradients of tuned weights;
 * scratch memory is the arena's. */
bert_status forward_backward(const forward *f, arena *a, const float *const *grads, bert_err *err);

#endif
