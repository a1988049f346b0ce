/* A tokenizer.json of Hugging Face `tokenizers`: into what a tokenizer is made of, and back. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "text/special_tokens.h"

/* Its rules and vocabulary, packed (text/packed_vocabulary.h); its components are not looked at. Added tokens are not
 * part of it. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a member that is not known, by name),
 * BERT_ERR_MEMORY. */
bert_status tokenizer_json_pack(json_t *json, buffer *out, const char *where, bert_err *err);

/* What bert_tokenizer_create takes, but for the added tokens: of a pipeline that is BERT's with the template `specials`
 * rules into the options and lines into the vocabulary; of any other its packed form, and no words for special tokens
 * but that for padding, where the file has it. Where pieces are renamed that is told. Fails as word_piece_rules and
 * tokenizer_json_pack; a member that is not known is refused by name. */
bert_status tokenizer_json_read(json_t *json, const special_template *specials, bert_tokenizer_options *options,
                                buffer *entries, arena *a, buffer *notes, const char *where, bert_err *err);

/* What a vocabulary is that bert_tokenizer_create takes: {"type": "WordPiece"}, or of a packed pipeline the types of
 * its parts: {"type": "BPE", "normalizer": "Sequence of NFC, Lowercase", ...}. NULL: out of memory. */
json_t *tokenizer_json_parts(bert_text entries);

/* Its list of added tokens, in their order; strings are the arena's. */
bert_status tokenizer_json_added(json_t *json, bert_tokenizer_options *options, arena *a, const char *where,
                                 bert_err *err);

/* The tokens of a "vocab" by their ids; a place without one is NULL. They belong to the JSON value. */
bert_status tokenizer_json_order(json_t *entries, arena *a, const char ***pieces, size_t *n, const char *where,
                                 bert_err *err);

/* One added token with the flags that `tokenizers` gives it, id as there; and back. The content is the JSON value's. */
json_t *added_token_to_json(const bert_added_token *token);
bert_status added_token_from_json(const json_t *json, bert_added_token *token, const char *where, bert_err *err);

/* The whole file of a tokenizer that is a pipeline, but for its added tokens. NULL: out of memory. */
json_t *tokenizer_json_unpack(const bert_tokenizer *tokenizer);
