/* What a checkpoint's tokeniser files hold, while they are read. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "imports/tokenizer_source.h"

typedef enum tokenizer_file {
    SETTINGS_FILE,
    TOKENIZER_FILE,
    SPECIAL_FILE,
    ADDED_FILE,
    N_TOKENIZER_FILES
} tokenizer_file;

/* All zero but the first three before it is opened. */
typedef struct tokenizer_files {
    const tokenizer_place *place;
    arena *a;
    buffer *notes;
    json_t *json[N_TOKENIZER_FILES]; /* their roots; NULL where there is none */
    bool obey_json;                  /* tokenizer.json tells the rules */
} tokenizer_files;

bert_status tokenizer_files_open(tokenizer_files *files, bert_err *err);
void tokenizer_files_close(tokenizer_files *files);

/* The file's path, with which messages begin; NULL: out of memory. */
const char *tokenizer_files_where(const tokenizer_files *files, tokenizer_file file);

/* Whose word counts. Fails with BERT_ERR_UNSUPPORTED where the tokeniser's class is not BERT's, BERT_ERR_FORMAT. */
bert_status tokenizer_files_class(tokenizer_files *files, bert_err *err);

/* Tells what no part reads. */
void tokenizer_files_note(const tokenizer_files *files);

/* The words for BERT's special tokens that tokenizer_config.json has, then, in folders of before added_tokens_decoder,
 * special_tokens_map.json. */
bert_status special_tokens_read(const tokenizer_files *files, bert_tokenizer_options *options, bert_err *err);

/* A special token is a text, or an object with a content; null: there is none, an empty word. */
bert_status special_token_word(const json_t *value, const char *key, const char **word, const char *where,
                               bert_err *err);

bool special_token_is_named(const char *key); /* "cls_token" and the like */
/* The word of a role that BERT has; NULL for any other. */
const char *special_token_of_role(const bert_tokenizer_options *options, const char *key);

/* Reads the added tokens of all files into the options. Their ids are their places behind the vocabulary, whatever the
 * files say; where they say otherwise, that is told. */
bert_status added_tokens_read(const tokenizer_files *files, tokenizer_source *source, bert_err *err);
