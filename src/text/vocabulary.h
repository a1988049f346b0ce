/* A vocabulary: the tokens of a file, one a line, and which id each has. */
#pragma once

#include "base/error.h"
#include "text/packed_vocabulary.h"
#include "text/trie.h"

/* All zero is an empty vocabulary. */
typedef struct vocabulary {
    size_t n;
    bert_text *tokens; /* (n) by id; a NUL stands behind each */
    trie trie;         /* by bytes, pieces that continue a word with their "##" */
    char *bytes;       /* what the tokens point into */
} vocabulary;

/* Lines as load_vocab in google-research/bert tokenization.py reads them: stripped of white space, the last of equal
 * lines counts; strip false: of a carriage return alone, as transformers. A byte order mark before them and blank lines
 * behind them are none. Fails with BERT_ERR_FORMAT (no line, 2 GiB or more, a trie that is damaged),
 * BERT_ERR_MEMORY. */
bert_status vocabulary_create(vocabulary *v, const char *bytes, size_t size, ready_trie ready, bool strip,
                              const char *name, bert_err *err);
/* Those of a packed tokenizer; an id without a token has an empty one. Fails with BERT_ERR_FORMAT (none has any, a trie
 * that is damaged), BERT_ERR_MEMORY. */
bert_status vocabulary_unpack(vocabulary *v, const packed_vocabulary *packed, ready_trie ready, const char *name,
                              bert_err *err);
void vocabulary_free(vocabulary *v);

int32_t vocabulary_id(const vocabulary *v, const char *token, size_t size); /* -1 where there is none */
