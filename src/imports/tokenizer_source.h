/* The tokeniser of a published checkpoint: which vocabulary it has, and by which rules it turns texts into ids. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "formats/tf_hub.h"
#include "text/special_tokens.h"

typedef struct tokenizer_source {
    /* what bert_tokenizer_create takes: as vocab.txt has it, a token a line, or a pipeline's packed form; NULL: none
     * was found */
    char *vocabulary;
    size_t vocabulary_size;
    char *vocabulary_path; /* the file that it is from */
    bert_tokenizer_options options;
    const char *looked_for; /* what its vocabulary might have been, for messages */
    const char *guess;      /* how do_lower_case was guessed; NULL: it was told */
} tokenizer_source;

/* What is known of the checkpoint that the files lie beside. */
typedef struct tokenizer_place {
    const char *folder;
    bool transformers;    /* weights in a form of transformers' */
    const json_t *config; /* config.json, or NULL */
    const tf_hub_info *hub;
    const special_template *specials; /* where a vocabulary of lines has them */
    const char *tokenizer_class;      /* where no file names another */
} tokenizer_place;

/* Whether it is a pipeline, to which the rules of word pieces say nothing. */
bool tokenizer_source_is_pipeline(const tokenizer_source *t);

/* Reads vocab.txt, tokenizer.json, tokenizer_config.json, special_tokens_map.json and added_tokens.json as transformers
 * does, in folders without the second vocab.json with merges.txt, or a SentencePiece model; without the JSON files and
 * beside Google's own as google-research/bert; a folder of libbert's as module.json says. What is passed over is told
 * in the notes. Strings are the arena's. Fails with BERT_ERR_IO, BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a component or
 * a tokeniser's class that libbert has not, by name). */
bert_status tokenizer_source_read(tokenizer_source *t, const tokenizer_place *place, arena *a, buffer *notes,
                                  bert_err *err);
