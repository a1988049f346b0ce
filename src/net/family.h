/* A family of encoders as data: what its configuration is called, its tensors under each naming, the blocks of a layer,
 * the heads that its classifiers have. Each is one file of src/arch. */
#pragma once

#include "net/block.h"
#include "text/special_tokens.h"

/* ---- configuration ----------------------------------------------------------------------------------------------- */

typedef enum config_key_kind {
    KEY_SIZE,       /* int64_t, min .. max, which must be there */
    KEY_ID,         /* int64_t: one more than the id, min .. max */
    KEY_NUMBER,     /* double, 0 .. max */
    KEY_OWN_NUMBER, /* double, 0 .. max, else that at `like`, which is read before; written where the two differ */
    KEY_ACTIVATION, /* activation, else gelu */
    KEY_WRITTEN,    /* is written with its only value, and read nowhere */
    KEY_ONLY        /* is written with its only value; another is refused */
} config_key_kind;

typedef struct config_key {
    config_key_kind kind;
    const char *key;
    size_t offset; /* in config */
    double min, max;
    size_t like;      /* KEY_OWN_NUMBER: in config */
    const char *only; /* KEY_WRITTEN, KEY_ONLY: its value as JSON */
    bool needed;      /* a configuration without it is refused: whoever writes one writes it, with no value of all */
} config_key;

/* ---- heads ------------------------------------------------------------------------------------------------------- */

/* A classifier that the family's authors put on it. */
typedef struct family_head {
    const char *architecture; /* of config.json; NULL: known by its tensors alone, under Google's names */
    bool tokens;              /* it reads every token, else the pooled vector of the first one */
    bool pooled;              /* through the pooler */
    /* weight and bias of the dense layer before the last, NULL: it has one dense layer alone */
    const char *hidden[2];
    const char *last[2];
} family_head;

enum { MOST_FAMILY_HEADS = 4, MOST_PREFIXES = 16 };

typedef struct naming_prefix {
    weight_names names;
    const char *prefix;
} naming_prefix;

/* Tensors beside the encoder's, which a checkpoint may have: by the beginning of a name behind the prefix, or by its
 * end. */
typedef struct family_part {
    const char *begins, *ends;
    /* what it is called where it is told; NULL: not worth telling, for the configuration says as much */
    const char *group;
    const char *what;
} family_part;

/* ---- the family -------------------------------------------------------------------------------------------------- */

typedef struct family {
    const char *name;  /* model_type of config.json: "bert" */
    const char *title; /* for people: "BERT" */
    const char *stem;  /* of its classes' names, before Model or ForSequenceClassification: "Bert" */

    config defaults;        /* what a configuration is where it does not say, or has no key to say */
    const config_key *keys; /* (n_keys) in the order in which they are written */
    size_t n_keys;
    /* what a configuration may say besides, on which no number depends; ending with NULL. NULL: nothing */
    const char *const *other_keys;

    /* A tensor's name by its id and naming, %d being the layer; NULL: the family has none, or the naming does not know
     * it. */
    const char *const (*names)[N_WEIGHT_NAMES]; /* (POOLER_BIAS + 1) */
    /* in files of libbert: hidden layer's weight and bias, last one's weight and bias */
    const char *head_names[4];
    /* what files of libbert call so many matrices as one: 2 key and value, 3 query, too */
    const char *joined_names[4];
    const char *head_prefix; /* before all names but the head's, in files of a classifier */
    /* those that are looked for, in this order; the last one has prefix NULL */
    naming_prefix prefixes[MOST_PREFIXES];

    const block_row *blocks; /* (n_blocks) of a layer */
    size_t n_blocks;

    /* the n-th token that is no padding reads row pad_token_id + n of the position table; else a token's place is its
     * row */
    bool counts_positions;
    bool one_segment; /* segments change nothing: all are 0 */
    bool one_set;     /* all layers have the same weights, whose names have no %d */
    bool projects;    /* a dense layer stands behind the embeddings even where they are as wide as the layers */
    const char *gguf; /* its architecture for llama.cpp; NULL: that has none that is the same */
    const special_template *specials;
    const char *tokenizer_class; /* of transformers, where no file names another */

    const family_part *parts; /* (n_parts) */
    size_t n_parts;

    activation head_activation; /* behind a head's hidden layer */
    /* the head's dropout stands before its first dense layer, too; else the hidden outputs' before a single one, and
     * none before the first of two */
    bool head_input_dropout;
    family_head heads[MOST_FAMILY_HEADS];
} family;

/* What the configuration calls a size; "" where it has no key. */
static inline const char *family_key_of(const family *f, size_t offset)
{
    for (size_t i = 0; i < f->n_keys; i++)
        if (f->keys[i].offset == offset && f->keys[i].kind == KEY_SIZE)
            return f->keys[i].key;
    return "";
}

/* The pattern of a tensor's name; NULL: there is none. */
static inline const char *family_name_of(const family *f, weight_id id, weight_names names)
{
    return id < HEAD_HIDDEN_WEIGHT       ? f->names[id][names]
           : names == NAMES_HUGGING_FACE ? f->head_names[id - HEAD_HIDDEN_WEIGHT]
                                         : NULL;
}

/* Whether the family has such a tensor. */
static inline bool family_has(const family *f, weight_id id)
{
    return family_name_of(f, id, NAMES_HUGGING_FACE) != NULL;
}

/* A layer that may be asked for the first row of each sequence alone, while it reads all: the last one. */
static inline bool layer_may_reduce(size_t layer, size_t n_layers)
{
    return layer + 1 == n_layers;
}
