/* The encoder as it computes: dense layers over the list of weights, plain or packed, and which outputs can be asked of it. */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H

#include "model/profile.h"
#include "model/weights.h"
#include "ops/ops.h"

/* One transformer layer's weights. qkv is query, key and value as one (3H, H) matrix; q and kv are its parts, for a layer that is asked for
 * fewer rows than it reads. Where the weights are in forms there is the whole, or in the last layer there are its parts. params: the layer's
 * entries of the list from QUERY_WEIGHT on, for gradients. */
typedef struct layer_weights {
    dense qkv, q, kv, attention, intermediate, output;
    bert_param *params;
    bool tuned, borrowed; /* borrowed: the packed forms belong to another encoder */
} layer_weights;

typedef struct encoder {
    const ops *ops;
    ops_precision precision; /* of ops */
    const config *config;
    const weight_list *weights;
    embedding_tables tables;
    const profile *profile; /* NULL: none */
    layer_weights *layers;  /* (n_layers) */
    size_t n_layers;        /* those that are used */
    dense pooler;           /* in == 0: none */
} encoder;

/* An entry of a layer: its value, or its gradient (NULL where frozen). */
static inline const float *layer_value(const layer_weights *w, weight_id id)
{
    return w->params[id - QUERY_WEIGHT].value;
}

static inline float *layer_grad(const layer_weights *w, weight_id id)
{
    return w->params[id - QUERY_WEIGHT].grad;
}

/* Lays dense layers over the list, which must stay. Memory from the arena; nothing is packed yet but what the list has in forms (weight_forms.h):
 * o and precision are those that multiply by them. encoder_unpack is due, also when it fails. */
bert_status encoder_create(encoder *e, arena *a, const ops *o, ops_precision precision, const config *c, const weight_list *weights,
                           size_t n_layers, bert_err *err);

/* Packs what dense_forward will use: every layer that is not tuned, and with `all` the tuned ones and the pooler as they are now. Where
 * `lender` has a packed form of the same frozen layer, that is shared instead; it must outlive e. Packing twice does nothing. */
bert_status encoder_pack(encoder *e, bool all, const encoder *lender, bert_err *err);
void encoder_unpack(encoder *e);
/* The packed forms have another owner now: e is as if it were unpacked. */
void encoder_forget_packed(encoder *e);

/* What may be asked of a forward pass. */
typedef struct output_request {
    const char *name;
    int layer;   /* after which layer: 0 is the first; -1 the embeddings */
    bool tokens; /* every token's vector; else one a sequence, by `pool` */
    pool_kind pool;
    bool pooler; /* with the pooler behind it */
} output_request;

/* True where the request reads only the first row of each sequence. */
static inline bool request_is_first(const output_request *r)
{
    return !r->tokens && r->pool == POOL_FIRST;
}

#endif
