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

typedef struct tokenizer_files tokenizer_files;

/* A tokeniser of transformers. */
typedef struct tokenizer_class {
    const char *name; /* without "Fast" */
    bool own_rules;   /* BERT's, as tokenizer_config.json has them: of tokenizer.json the vocabulary counts alone */
    /* its words for special tokens where no file has them: unk, sep, pad, cls, mask; NULL: BERT's */
    const char *const *words;
    bool mask_takes_blanks; /* its mask's lstrip, where no file tells */
    /* Makes tokenizer.json of an older folder's vocabulary, where it has one; NULL: the class knows none. */
    bert_status (*make_json)(tokenizer_files *files, bert_err *err);
} tokenizer_class;

/* All zero but the first three before it is opened. */
struct tokenizer_files {
    const tokenizer_place *place;
    arena *a;
    buffer *notes;
    json_t *json[N_TOKENIZER_FILES]; /* their roots; NULL where there is none */
    const tokenizer_class *class;    /* of transformers; NULL: not known */
    bool obey_json;                  /* tokenizer.json tells the rules */
    const char *made_of;             /* the file that stands for a tokenizer.json that is not there, or NULL */
};

bert_status tokenizer_files_open(tokenizer_files *files, bert_err *err);
void tokenizer_files_close(tokenizer_files *files);

/* The file's path, with which messages begin; NULL: out of memory. */
const char *tokenizer_files_where(const tokenizer_files *files, tokenizer_file file);

/* Whose word counts; makes the tokenizer.json of an older folder. Fails with BERT_ERR_UNSUPPORTED where there is none
 * and the tokeniser's class is not known, BERT_ERR_FORMAT. */
bert_status tokenizer_files_class(tokenizer_files *files, bert_err *err);

/* The class of that name, with or without "Fast"; NULL: it is not known. */
const tokenizer_class *tokenizer_class_of(const char *name);
void tokenizer_class_words(const tokenizer_class *class, bert_tokenizer_options *options);

/* Tells what no part reads. */
void tokenizer_files_note(const tokenizer_files *files);

/* The words for BERT's special tokens that tokenizer_config.json has, then, in folders of before added_tokens_decoder,
 * special_tokens_map.json. */
bert_status special_tokens_read(const tokenizer_files *files, bool pipeline, bert_tokenizer_options *options,
                                bert_err *err);

/* A special token is a text, or an object with a content; null: there is none, an empty word. */
bert_status special_token_word(const json_t *value, const char *key, const char **word, const char *where,
                               bert_err *err);

bool special_token_is_named(const char *key); /* "cls_token" and the like */
/* The word of a role that BERT has; NULL for any other. */
const char *special_token_of_role(const bert_tokenizer_options *options, const char *key);

/* Reads the added tokens of all files into the options. Their ids are their places behind the vocabulary, whatever the
 * files say; where they say otherwise, that is told. */
bert_status added_tokens_read(const tokenizer_files *files, tokenizer_source *source, bert_err *err);
