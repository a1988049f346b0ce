/* Text to tokens: the fast path for ASCII, the general path for the rest. */
#pragma once

#include "text/tokenizer.h"

typedef struct split_options {
    size_t limit;      /* stop once there are more tokens than this (a chunk may add some more) */
    bool spans;        /* fill the four arrays of starts and ends */
    bool general_path; /* send everything through the general path: for the test that both give the same */
} split_options;

/* Fills out->n, ids, spans and dropped. Fails with BERT_ERR_ARGUMENT (a text of 4 GiB or more), BERT_ERR_MEMORY. */
bert_status split_text(const bert_tokenizer *tokenizer, bert_text text, split_options options, bert_tokens *out,
                       bert_err *err);
