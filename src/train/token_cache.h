/* A data set's tokens, kept in a file from run to run. */
#pragma once

#include "base/file.h"
#include "data/token_rows.h"

/* All zero is empty. */
typedef struct cached_tokens {
    token_rows rows;   /* in memory of their own, or in the file */
    file_mapping file; /* size 0: there is none */
} cached_tokens;

/* What tokens are made of: a data set (its hash), vocabulary, case, seq_len and form. */
bert_status token_key(const unsigned char data[32], const bert_tokenizer *tokenizer, size_t seq_len, row_form form,
                      unsigned char key[32], bert_err *err);

/* The tokens of a data set: from `path` where that file was made of the same (key), else made, and written there. path
 * NULL: made. *note, where a file is there that is of something else or damaged, or the disk has no room for it, points
 * to constant words that say so. Fails as token_rows_create, and with BERT_ERR_IO where the file cannot be opened. */
bert_status cached_tokens_create(cached_tokens *t, const bert_dataset *d, const bert_tokenizer *tokenizer,
                                 size_t seq_len, row_form form, const unsigned char key[32], const char *path,
                                 const char **note, bert_err *err);
void cached_tokens_free(cached_tokens *t);
