/* config.json and bert_config.json: a family's configuration, read by its keys and written. */
#pragma once

#include "arch/families.h"
#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

/* Reads Google's or Hugging Face's JSON; `where` begins messages. Sizes that are zero or absurd fail with
 * BERT_ERR_FORMAT; an activation, position embedding or architecture that is not the family's with
 * BERT_ERR_UNSUPPORTED. */
bert_status config_parse(const json_t *json, config *c, const char *where, bert_err *err);

/* What config_parse begins with: which family it is; that nothing is asked for that libbert does not compute (a
 * decoder, relative positions, quantised weights). Fails with BERT_ERR_UNSUPPORTED, naming the key and its value. */
bert_status config_family(const json_t *json, const family **f, const char *where, bert_err *err);
bert_status config_check_keys(const json_t *json, const char *where, bert_err *err);
/* Adds a line with the keys that are not known. */
void config_tell_unknown(json_t *json, const char *where, buffer *notes);

/* The Hugging Face config.json of it; NULL when memory is out. */
json_t *config_to_json(const config *c);

/* "gelu", "gelu_new", "relu", "silu" */
const char *config_activation_name(activation act);
