/* A BERT's configuration: the sizes and numbers of config.json / bert_config.json. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/error.h"
#include "ops/ops.h"

#include <jansson.h>

typedef struct config {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, max_position_embeddings, type_vocab_size;
    activation hidden_act;
    double hidden_dropout_prob, attention_probs_dropout_prob, layer_norm_eps, initializer_range;
} config;

/* Reads Google's or Hugging Face's JSON; `where` begins messages. Sizes that are zero or absurd fail with BERT_ERR_FORMAT; an activation,
 * position embedding or architecture that is not BERT's with BERT_ERR_UNSUPPORTED. */
bert_status config_parse(const json_t *json, config *c, const char *where, bert_err *err);

/* The Hugging Face config.json of it; NULL when memory is out. */
json_t *config_to_json(const config *c);

/* "gelu", "gelu_new", "relu", "silu" */
const char *config_activation_name(activation act);

#endif
