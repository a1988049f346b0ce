/* The tokeniser of a published checkpoint: which vocabulary it has, and by which rules it turns texts into ids. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "formats/tf_hub.h"

typedef struct tokenizer_source {
    char *vocabulary; /* as vocab.txt has it, a token a line; NULL: none was found */
    size_t vocabulary_size;
    char *vocabulary_path; /* the file that it is from */
    bert_tokenizer_options options;
    const char *guess; /* how do_lower_case was guessed; NULL: it was told */
} tokenizer_source;

/* What is known of the checkpoint that the files lie beside. */
typedef struct tokenizer_place {
    const char *folder;
    bool transformers;    /* weights in a form of transformers' */
    const json_t *config; /* config.json, or NULL */
    const tf_hub_info *hub;
} tokenizer_place;

/* Reads vocab.txt, tokenizer.json, tokenizer_config.json, special_tokens_map.json and added_tokens.json as transformers
 * does; without the middle two and beside Google's own files as google-research/bert; a folder of libbert's as
 * module.json says. What is passed over is told in the notes. Strings are the arena's. Fails with BERT_ERR_IO,
 * BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a tokeniser that is not BERT's, by name). */
bert_status tokenizer_source_read(tokenizer_source *t, const tokenizer_place *place, arena *a, buffer *notes,
                                  bert_err *err);
