/* A tokenizer.json of Hugging Face `tokenizers`: into the packed form of a pipeline, and back. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"

/* Its rules and vocabulary, packed (text/packed_vocabulary.h); its components are not looked at. Added tokens are not
 * part of it. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a member that is not known, by name),
 * BERT_ERR_MEMORY. */
bert_status tokenizer_json_pack(json_t *json, buffer *out, const char *where, bert_err *err);

/* Its list of added tokens, in their order; strings are the arena's. */
bert_status tokenizer_json_added(json_t *json, bert_tokenizer_options *options, arena *a, const char *where,
                                 bert_err *err);

/* The tokens of a "vocab" by their ids; a place without one is NULL. They belong to the JSON value. */
bert_status tokenizer_json_order(json_t *vocabulary, arena *a, const char ***pieces, size_t *n, const char *where,
                                 bert_err *err);

/* One added token with the flags that `tokenizers` gives it, id as there; and back. The content is the JSON value's. */
json_t *added_token_to_json(const bert_added_token *token);
bert_status added_token_from_json(const json_t *json, bert_added_token *token, const char *where, bert_err *err);

/* The whole file of a tokenizer that is a pipeline, but for its added tokens. NULL: out of memory. */
json_t *tokenizer_json_unpack(const bert_tokenizer *tokenizer);
