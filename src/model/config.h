/* A BERT's configuration: the sizes and numbers of config.json / bert_config.json. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/error.h"
#include "ops/ops.h"

#include "base/buffer.h"

#include <jansson.h>

typedef struct config {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, max_position_embeddings, type_vocab_size;
    activation hidden_act;
    double hidden_dropout_prob, attention_probs_dropout_prob, layer_norm_eps, initializer_range;
} config;

/* Reads Google's or Hugging Face's JSON; `where` begins messages. Sizes that are zero or absurd fail with BERT_ERR_FORMAT; an activation,
 * position embedding or architecture that is not BERT's with BERT_ERR_UNSUPPORTED. */
bert_status config_parse(const json_t *json, config *c, const char *where, bert_err *err);

/* What config_parse begins with: that the family is BERT's; that nothing is asked for that libbert does not compute (a decoder, relative
 * positions, quantised weights). Fails with BERT_ERR_UNSUPPORTED, naming the key and its value. */
bert_status config_check_family(const json_t *json, const char *where, bert_err *err);
bert_status config_check_keys(const json_t *json, const char *where, bert_err *err);
/* Adds a line with the keys that are not known. */
void config_tell_unknown(json_t *json, const char *where, buffer *notes);

/* The Hugging Face config.json of it; NULL when memory is out. */
json_t *config_to_json(const config *c);

/* "gelu", "gelu_new", "relu", "silu" */
const char *config_activation_name(activation act);

#endif
