/* A tokenizer's rules as JSON: what module.json and a frozen file say of them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <jansson.h>

/* Every option under its name, added_tokens where there are any. NULL: out of memory. */
json_t *tokenizer_info_to_json(const bert_tokenizer_options *options);

/* The way back; what is not told has its default, members that are no options are passed over. Strings are the
 * arena's. */
bert_status tokenizer_info_from_json(json_t *info, bert_tokenizer_options *options, arena *a, const char *where,
                                     bert_err *err);
