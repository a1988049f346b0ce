/* An encoder's configuration: sizes and numbers, whatever its family calls them in config.json. */
#pragma once

#include "ops/ops.h"

struct family;

typedef struct config {
    const struct family *family;
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int64_t max_position_embeddings; /* rows of the position table */
    /* segments that a token may be of; at least 1, also where there is no table of them */
    int64_t type_vocab_size;
    int64_t first_position; /* the row of it that a sequence's first token reads */
    int64_t embedding_size; /* of the embedding tables' rows; 0: hidden_size */
    activation hidden_act;
    double hidden_dropout_prob, attention_probs_dropout_prob, head_dropout_prob, layer_norm_eps, initializer_range;
} config;

/* How many tokens a sequence may have. */
static inline int64_t config_positions(const config *c)
{
    return c->max_position_embeddings - c->first_position;
}

static inline int64_t config_embedding(const config *c)
{
    return c->embedding_size ? c->embedding_size : c->hidden_size;
}

/* Whether a dense layer leads from the embeddings to what the first layer reads. */
bool config_projects(const config *c);
/* How many segments ids may be of. */
size_t config_segments(const config *c);
