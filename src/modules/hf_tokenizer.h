/* A tokenizer in Hugging Face's files. */
#pragma once

#include "base/error.h"
#include "text/special_tokens.h"

#include <jansson.h>

/* tokenizer.json, tokenizer_config.json (with the most tokens of a text), special_tokens_map.json: they say the same as
 * the tokenizer does, as far as they can. NULL: out of memory. */
json_t *hf_tokenizer_json(const bert_tokenizer *tokenizer);
json_t *hf_tokenizer_config(const bert_tokenizer *tokenizer, int64_t seq_len);
json_t *hf_special_tokens_map(const bert_tokenizer *tokenizer);
