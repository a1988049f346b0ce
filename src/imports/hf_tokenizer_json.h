/* Reading tokenizer.json of Hugging Face `tokenizers`. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"

/* Its rules, without its added tokens. Fails with BERT_ERR_FORMAT; with BERT_ERR_UNSUPPORTED where a part is not
 * BERT's, by name. Strings are the arena's. */
bert_status hf_tokenizer_rules(const json_t *json, bert_tokenizer_options *options, arena *a, const char *where,
                               bert_err *err);

/* Its word pieces as lines, in the order of their ids. A piece that no line can hold, and an id that no piece has, get
 * a name that no text has; that is told. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (another model). */
bert_status hf_tokenizer_vocabulary(json_t *json, buffer *lines, arena *a, const char *where, buffer *notes,
                                    bert_err *err);
