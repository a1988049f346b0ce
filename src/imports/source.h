/* A published checkpoint, whatever its form: what it is, its tensors, configuration and vocabulary. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/tensors.h"
#include "formats/tf_hub.h"
#include "modules/module.h"
#include "imports/tokenizer_source.h"

typedef struct source {
    arena memory;
    const struct source_form *form;
    const char *kind; /* "TensorFlow checkpoint", "Hugging Face folder (safetensors)", ... */
    char *folder;     /* where its files lie */
    /* the folder that was given: a sentence-transformers folder may keep its encoder in an inner one. NULL: a file was
     * given */
    char *outer;
    size_t n_steps;     /* of a sentence-transformers folder, its encoder counted; 0: it is none */
    char *weights_path; /* file or prefix of the tensors */
    tensor_set tensors;
    bool *read; /* (tensors.n) those that went into what was written */
    weight_naming naming;
    const family *family; /* as its JSON tells; BERT where it tells none that is known */
    bool is_known;        /* naming is */
    config config;        /* from its JSON, else from shapes and graph */
    json_t *settings;     /* that JSON as it is; NULL: there is none */
    char *settings_path;
    bool has_config;
    tf_hub_info hub;
    tokenizer_source tokenizer;
    bool pooler_unused; /* what stands on it reads none: that there is none is not told */
    buffer notes;       /* what the user should know, a line each */
} source;

/* Opens a folder or a file. options NULL: it is looked at: tensors are listed, their data may be missing, and the
 * configuration may be, too. */
bert_status source_open(source *s, const char *path, const bert_import_options *options, bert_err *err);
void source_close(source *s);

/* The most tokens that the source's own programs read of a text: sentence_bert_config.json or tokenizer_config.json
 * tell, at most the positions. Fails with BERT_ERR_FORMAT for a file that cannot be read, and what is no number from 3
 * on. */
bert_status source_seq_len(const source *s, int64_t *seq_len, bert_err *err);

/* What a sentence-transformers folder does with the encoder's vectors; pooling auto where it is none. Adds to the
 * notes. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a step that is neither pooling nor normalisation, a pooling
 * that libbert has not). */
bert_status source_vectors(source *s, vector_spec *vectors, bert_err *err);
/* A member of the folder's config_sentence_transformers.json, in the arena; NULL: there is none. Fails where it is no
 * text. */
bert_status source_sentence_setting(source *s, const char *key, const char **text, bert_err *err);

/* A tensor of the source was read (NULL: none); source_tell_unread adds a line with all others to the notes. */
void source_mark_read(source *s, const tensor *t);
void source_tell_unread(source *s);

/* Writes the encoder of an open source as a module folder. */
bert_status source_to_module(source *s, const char *folder, const bert_import_options *options, bert_err *err);

/* Opens a source, writes what it is to a folder, and gives its notes as bert_import does. */
typedef bert_status source_write(source *s, const char *folder, const bert_import_options *options, bert_err *err);
bert_status source_import(const char *path, const char *folder, const bert_import_options *options, source_write *write,
                          char **note, bert_err *err);
