/* A published checkpoint, whatever its form: what it is, its tensors, configuration and vocabulary. */
#ifndef MODEL_SOURCE_H
#define MODEL_SOURCE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "io/tensors.h"
#include "io/tf_hub.h"
#include "model/config.h"
#include "model/weights.h"

typedef struct source {
    arena memory;
    const char *kind;   /* "TensorFlow checkpoint", "Hugging Face folder (safetensors)", ... */
    char *folder;       /* where its files lie */
    char *weights_path; /* file or prefix of the tensors */
    tensor_set tensors;
    weight_naming naming;
    bool is_bert;  /* naming is known */
    config config; /* from its JSON, else from shapes and graph */
    bool has_config;
    tf_hub_info hub;
    char *vocabulary; /* bytes of vocab.txt, or made from tokenizer.json; NULL: none was found */
    size_t vocabulary_size;
    char *vocabulary_path;
    int do_lower_case; /* -1: nothing tells */
    buffer notes;      /* what the user should know, a line each */
} source;

/* Opens a folder or a file. with_data false: tensors are listed, their data may be missing, and the configuration may be too.
 * heads: 0, or the number of attention heads where the checkpoint does not tell. */
bert_status source_open(source *s, const char *path, bool with_data, int64_t heads, bert_err *err);
void source_close(source *s);

#endif
