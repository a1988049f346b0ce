/* A vocabulary as llama.cpp reads BERT's. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "bert.h"
#include "formats/gguf_file.h"

/* Adds the keys tokenizer.ggml.*: a token for each row of the word embedding, their types, the ids of the special ones,
 * case. Memory is the arena's. Fails with BERT_ERR_MEMORY. */
bert_status gguf_add_vocabulary(gguf_file *g, const bert_tokenizer *tokenizer, size_t rows, uint32_t token_types,
                                arena *a, bert_err *err);

/* Adds a line where the vocabulary has tokens of scripts that llama.cpp's own tokenizer reads otherwise. */
void gguf_tell_scripts(const bert_tokenizer *tokenizer, buffer *notes);
