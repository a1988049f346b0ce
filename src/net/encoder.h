/* The encoder as it computes: blocks over the list of weights, plain or packed, and which outputs can be asked of
 * it. */
#pragma once

#include "net/weights.h"

typedef struct encoder {
    const ops *ops;          /* of all but layers, whose blocks have their own */
    ops_precision precision; /* of ops */
    const config *config;
    const weight_list *weights;
    size_t hidden;           /* of what layers read and give */
    embedding_tables tables; /* their rows may be of another width */
    linear projection;       /* from there; in 0: there is none */
    const float *bias;       /* of attention's scores, as attention_rule has it; NULL: none, or it is tuned */
    const profile *profile;  /* NULL: none */
    block *blocks;           /* (n_layers, n_blocks) */
    size_t n_layers, n_blocks;
    size_t scratch; /* floats for each row, of the block that needs most */
    linear pooler;
} encoder;

/* What stands below the layers computes as the lowest of them. */
static inline const ops *encoder_bottom_ops(const encoder *e)
{
    return e->n_layers ? e->blocks->ops : e->ops;
}

static inline block *encoder_layer(const encoder *e, size_t layer)
{
    return e->blocks + layer * e->n_blocks;
}

/* Lays blocks over the list, which must stay. Memory from the arena; nothing is packed yet but what the list has in
 * forms (weight_forms.h): o and precision are those that multiply by them. encoder_unpack is due, also when it
 * fails. */
bert_status encoder_create(encoder *e, arena *a, const ops *o, ops_precision precision, const config *c,
                           const weight_list *weights, size_t n_layers, bert_err *err);

/* Layers below `below` multiply in a precision of their own. Nothing may be packed. Fails as ops_select_precision; then
 * nothing has changed. */
bert_status encoder_set_precision(encoder *e, ops_precision precision, size_t below, ops_precision precision_below,
                                  bert_err *err);

/* Packs what dense_forward will use, what is tuned as it is now. Where `lender` has a packed form of the same frozen
 * layer, that is shared instead. Packing twice does nothing. */
bert_status encoder_pack(encoder *e, const encoder *lender, bert_err *err);
/* One layer alone, the lowest with what stands below it. */
bert_status encoder_pack_layer(encoder *e, size_t layer, bert_err *err);
void encoder_unpack(encoder *e);

/* Bytes of one row's work in a pass that keeps nothing. */
size_t encoder_token_bytes(const encoder *e);

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
