/* One layer of the transformer (Vaswani et al. 2017, as in BERT: norms behind the residuals), forward and backward.
 *
 *     q, k, v = x Wqkv^T           a = LayerNorm(x + dropout(attention(q, k, v) Wo^T))
 *     f = act(a Wi^T)              y = LayerNorm(a + dropout(f Wf^T))
 *
 * n rows are read; m rows are asked for: all of them, or the first of each sequence. */
#ifndef MODEL_TRANSFORMER_LAYER_H
#define MODEL_TRANSFORMER_LAYER_H

#include "model/encoder.h"

/* The activations of one layer. What backward needs is in arrays of its own; a forward pass that keeps nothing shares them among layers. */
typedef struct layer_activations {
    ops_room room; /* of the operations */
    size_t n, m;
    const float *x;                 /* (n, H) */
    const float *xq;                /* (m, H): the asked rows of x; x itself where all are asked */
    float *qkv;                     /* (n, 3H), or (m, H) followed by (n, 2H) */
    float *lse;                     /* (m, NH); NULL: nothing is kept, and so for all below that say so */
    float *context;                 /* (m, H) */
    float *sum_a, *mean_a, *rstd_a; /* (m, H), (m), (m): before the first norm; mean and rstd kept only */
    float *a;                       /* (m, H); may be sum_a where nothing is kept */
    float *pre;                     /* (m, I): before the activation; kept only */
    float *f;                       /* (m, I): of forward alone, backward forms it from pre again */
    float *sum_y, *mean_y, *rstd_y; /* (m, H), (m), (m) */
    float *y;                       /* (m, H); may be sum_y where nothing is kept */
} layer_activations;

/* Where dropout is: rate 0 turns it off. Sites of a layer follow from its number. */
typedef struct layer_dropout {
    uint64_t seed, step;
    float attention, hidden; /* rates */
} layer_dropout;

/* Rows: keys has the sequences' rows of x; queries those of the asked rows (keys itself where all are asked). */
void layer_forward(const encoder *e, size_t layer, layer_activations *act, ragged queries, ragged keys, layer_dropout drop);

/* What the attention of a layer that ran last on these activations read, without dropout. */
attention_input layer_attention(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys);

/* Scratch of a backward pass: (m, H), (m, H), (m, I) and then (n, 3H). */
typedef struct layer_scratch {
    float *d1, *d2, *wide;
} layer_scratch;

/* dy (m, H) is overwritten. Adds to the weight gradients of a tuned layer. dx (n, H), where not NULL, is assigned: the gradient by x. */
void layer_backward(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys, layer_dropout drop, float *dy,
                    float *dx, const layer_scratch *scratch);

/* Dropout sites that are not a layer's. */
enum { DROPOUT_SITE_EMBEDDINGS = 1 << 20, DROPOUT_SITE_HEAD };

#endif
