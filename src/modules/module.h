/* A module in memory, and how one is written. */
#pragma once

#include "base/arena.h"
#include "base/checksum.h"
#include "base/sha.h"
#include "formats/tensors.h"
#include "arch/config_json.h"
#include "net/weights.h"
#include "text/trie.h"

enum { MODULE_VERSION = 2 };

/* How a module's vectors are taken where nobody says it: what sentence-transformers' files tell. */
typedef struct vector_spec {
    int pooling;     /* bert_pooling; auto: nothing is told */
    bool normalize;  /* to length 1 */
    int64_t seq_len; /* 0: all positions */
} vector_spec;

/* The words of bert_pooling, ending with NULL. */
extern const char *const POOLING_WORDS[];

struct bert_module {
    arena memory;
    char *path;                      /* as the user gave it */
    char *folder;                    /* where it lies; NULL inside a frozen file */
    char weights_sha256[SHA256_HEX]; /* of model.safetensors as module.json has it; "" where it has none */
    char weights_crc32c[CRC32C_HEX]; /* likewise */
    char sha256[SHA256_HEX];         /* of module.json itself; "" inside a frozen file */
    config config;
    weight_list weights; /* with the head's two where it comes from a frozen file */
    tensor_set tensors;  /* what the weights point into */
    bert_tokenizer *tokenizer;
    char *vocabulary; /* its bytes: lines, or a pipeline's packed form */
    size_t vocabulary_size;
    /* a frozen file: nothing of it is tuned, and its matrices are in forms (weight_forms.h) */
    bool frozen;
    ops_precision precision;      /* how its forms are multiplied by; FP32 without */
    int64_t seq_layer, tok_layer; /* resolved: 0 .. layers - 1 */
    vector_spec vectors;
};

/* Opens a folder that holds module.json. */
bert_status module_open_folder(bert_module *m, const char *folder, bert_err *err);

/* Compares the files that module.json lists with their sizes and SHA-256. Fails with BERT_ERR_FORMAT, naming the
 * file. */
bert_status module_verify(const bert_module *m, bert_err *err);
/* Compares what is read of them by who is about to read all weights: these as they are mapped, configuration and
 * vocabulary; a frozen file's data. */
bert_status module_verify_read(const bert_module *m, bert_err *err);

/* Gives the memory of the module's weights back to the system, where they are a mapped file's: what is read after all
 * comes back by itself. */
void module_release(const bert_module *m);

/* Makes the tokenizer. The word embedding may have more rows than it has tokens, or fewer: a text with a token without
 * a row is refused where it is encoded. ready: as tokenizer_create_ready has it. `where` begins messages. */
bert_status module_set_vocabulary(bert_module *m, const char *bytes, size_t size, ready_trie ready,
                                  const bert_tokenizer_options *options, const char *where, bert_err *err);

/* Fails with BERT_ERR_UNSUPPORTED for a module without a tokenizer: it reads ids, no texts. */
bert_status module_check_texts(const bert_module *m, bert_err *err);

/* Where special tokens stand: as its tokenizer has it, or its family where there is none. */
const special_template *module_specials(const bert_module *m);

/* seq_layer and tok_layer as they may be given (negative from the end) to 0 .. layers - 1. */
bert_status module_resolve_layer(int64_t layer, int64_t layers, const char *name, int64_t *out, bert_err *err);

/* bert_import of the encoder alone, whatever stands on it. */
bert_status module_import(const char *path, const char *folder, const bert_import_options *options, char **note,
                          bert_err *err);

/* What goes into a module folder. */
typedef struct module_parts {
    const config *config;
    const weight_list *weights; /* entries with a value are written */
    const char *vocabulary;
    size_t vocabulary_size;
    const bert_tokenizer *tokenizer; /* made of it */
    int64_t seq_layer, tok_layer;
    json_t *source; /* what it was made from, for module.json; may be NULL */
    vector_spec vectors;
} module_parts;

/* Writes the folder, whole or not at all. */
bert_status module_write(const module_parts *parts, const char *folder, bert_err *err);

/* Writes what others read of a tokenizer into a folder that is there: vocab.txt where it has lines, and Hugging Face's
 * files, which cut texts at the seq_len of parts->vectors. Weights and layers are not read. */
bert_status module_write_tokenizer(const module_parts *parts, const char *folder, bert_err *err);

/* Copies the files of an open module's folder as they are, all or none. */
bert_status module_copy(const bert_module *m, const char *folder, bert_err *err);
