/* The parts that encoders are made of, by which a tensor is known whatever it is called. */
#pragma once

/* In the order in which tensors are laid out in memory and in files: query, key and value of a layer stand side by
 * side, so that they are one (3H, H) matrix and one (3H) bias. A weight's bias, and a norm's, is the id behind it, but
 * for those three. */
typedef enum weight_id {
    WORD_EMBEDDINGS,
    POSITION_EMBEDDINGS,
    TOKEN_TYPE_EMBEDDINGS,
    EMBEDDINGS_NORM_WEIGHT,
    EMBEDDINGS_NORM_BIAS,
    PROJECTION_WEIGHT, /* from the embeddings to the first layer */
    PROJECTION_BIAS,
    RELATIVE_BIAS, /* of attention's scores, by distance */
    QUERY_WEIGHT,  /* from here one of each a layer */
    KEY_WEIGHT,
    VALUE_WEIGHT,
    QUERY_BIAS,
    KEY_BIAS,
    VALUE_BIAS,
    ATTENTION_WEIGHT,
    ATTENTION_BIAS,
    ATTENTION_NORM_WEIGHT,
    ATTENTION_NORM_BIAS,
    INTERMEDIATE_WEIGHT,
    INTERMEDIATE_BIAS,
    OUTPUT_WEIGHT,
    OUTPUT_BIAS,
    OUTPUT_NORM_WEIGHT,
    OUTPUT_NORM_BIAS,
    POOLER_WEIGHT, /* from here one a model */
    POOLER_BIAS,
    HEAD_HIDDEN_WEIGHT,
    HEAD_HIDDEN_BIAS,
    HEAD_WEIGHT,
    HEAD_BIAS,
    N_WEIGHT_IDS
} weight_id;

typedef enum weight_group { GROUP_EMBEDDINGS, GROUP_LAYER, GROUP_POOLER, GROUP_HEAD } weight_group;

typedef enum weight_kind {
    WEIGHT_TABLE,  /* rows are looked up */
    WEIGHT_MATRIX, /* of a linear, (out, in) */
    WEIGHT_BIAS,   /* of a linear, a norm, or of scores */
    WEIGHT_SCALE   /* of a norm */
} weight_kind;

/* Who names tensors how. */
typedef enum weight_names { NAMES_HUGGING_FACE, NAMES_GOOGLE, NAMES_GGUF, N_WEIGHT_NAMES } weight_names;
