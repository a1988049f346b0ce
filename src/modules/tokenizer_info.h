/* A tokenizer's rules as JSON: what module.json and a frozen file say of them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <jansson.h>

/* Where a module keeps a vocabulary: lines, or a pipeline's packed form (text/packed_vocabulary.h). */
extern const char VOCABULARY_LINES[], VOCABULARY_PACKED[];

/* Every option that counts under its name, added_tokens where there are any; of a pipeline, what its rules say is none
 * of them. NULL: out of memory. */
json_t *tokenizer_info_to_json(const bert_tokenizer_options *options, bool pipeline);
json_t *tokenizer_to_json(const bert_tokenizer *tokenizer);

/* The name of the vocabulary's file, "vocab_file"; VOCABULARY_LINES where it is not told. Fails with BERT_ERR_FORMAT
 * for any other name. */
bert_status tokenizer_info_file(const json_t *info, const char **name, const char *where, bert_err *err);

/* The way back; what is not told has its default, members that are no options are passed over. Strings are the
 * arena's. */
bert_status tokenizer_info_from_json(json_t *info, bert_tokenizer_options *options, arena *a, const char *where,
                                     bert_err *err);
