/* ALBERT: Lan et al., "ALBERT: A Lite BERT for Self-supervised Learning of Language Representations" (2020). BERT's
 * layers, all with the same weights; a dense layer leads from narrow embeddings to the first; nothing is dropped out
 * behind the feed-forward. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("hidden_act"),
    WRITTEN_KEY("position_embedding_type", "\"absolute\""),
    WRITTEN_KEY("pad_token_id", "0"),
    ONLY_KEY("num_hidden_groups", "1"),
    ONLY_KEY("inner_group_num", "1"),
    SIZE_KEY("embedding_size", embedding_size, 1 << 16),
    BERT_SIZE_KEYS,
    TYPES_KEY,
    BERT_DROPOUT_KEYS,
    NUMBER_KEY("classifier_dropout_prob", head_dropout_prob, 0.99),
    EPSILON_KEY,
    INITIALIZER_KEY,
};

/* Of the authors' own configurations. */
static const char *const OTHER_KEYS[] = { "down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks",
                                          NULL };

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_HIDDEN, RATE_NONE) };

#define THE_LAYER(name) "encoder.albert_layer_groups.0.albert_layers.0." name

static const char *const NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES] = {
    [WORD_EMBEDDINGS] = { "embeddings.word_embeddings.weight" },
    [POSITION_EMBEDDINGS] = { "embeddings.position_embeddings.weight" },
    [TOKEN_TYPE_EMBEDDINGS] = { "embeddings.token_type_embeddings.weight" },
    [EMBEDDINGS_NORM_WEIGHT] = { "embeddings.LayerNorm.weight" },
    [EMBEDDINGS_NORM_BIAS] = { "embeddings.LayerNorm.bias" },
    [PROJECTION_WEIGHT] = { "encoder.embedding_hidden_mapping_in.weight" },
    [PROJECTION_BIAS] = { "encoder.embedding_hidden_mapping_in.bias" },
    [QUERY_WEIGHT] = { THE_LAYER("attention.query.weight") },
    [KEY_WEIGHT] = { THE_LAYER("attention.key.weight") },
    [VALUE_WEIGHT] = { THE_LAYER("attention.value.weight") },
    [QUERY_BIAS] = { THE_LAYER("attention.query.bias") },
    [KEY_BIAS] = { THE_LAYER("attention.key.bias") },
    [VALUE_BIAS] = { THE_LAYER("attention.value.bias") },
    [ATTENTION_WEIGHT] = { THE_LAYER("attention.dense.weight") },
    [ATTENTION_BIAS] = { THE_LAYER("attention.dense.bias") },
    [ATTENTION_NORM_WEIGHT] = { THE_LAYER("attention.LayerNorm.weight") },
    [ATTENTION_NORM_BIAS] = { THE_LAYER("attention.LayerNorm.bias") },
    [INTERMEDIATE_WEIGHT] = { THE_LAYER("ffn.weight") },
    [INTERMEDIATE_BIAS] = { THE_LAYER("ffn.bias") },
    [OUTPUT_WEIGHT] = { THE_LAYER("ffn_output.weight") },
    [OUTPUT_BIAS] = { THE_LAYER("ffn_output.bias") },
    [OUTPUT_NORM_WEIGHT] = { THE_LAYER("full_layer_layer_norm.weight") },
    [OUTPUT_NORM_BIAS] = { THE_LAYER("full_layer_layer_norm.bias") },
    [POOLER_WEIGHT] = { "pooler.weight" },
    [POOLER_BIAS] = { "pooler.bias" },
};

static const family_part PARTS[] = {
    BUFFER_PARTS,
    { "predictions.", NULL, "predictions", MASKED_HEAD },
    { "sop_classifier.", NULL, "sop_classifier", "the head that tells the order of sentences" },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "encoder.albert_layer_groups.", NULL, "encoder.albert_layer_groups", "of groups of layers beyond the first" },
};

const family FAMILY_ALBERT = {
    .name = "albert",
    .title = "ALBERT",
    .stem = "Albert",
    .defaults = { BERT_DEFAULTS },
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .other_keys = OTHER_KEYS,
    .names = NAMES,
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.weight", "classifier.bias" },
    .joined_names = { [2] = THE_LAYER("attention.key_value.weight"),
                      [3] = THE_LAYER("attention.query_key_value.weight") },
    .head_prefix = "albert.",
    .prefixes = { WRAPPED_PREFIXES("albert.") },
    .blocks = BLOCKS,
    .n_blocks = LENGTH(BLOCKS),
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .one_set = true,
    .projects = true,
    .specials = &SPECIALS_OF_BERT,
    .tokenizer_class = "AlbertTokenizer",
    .head_activation = ACTIVATION_TANH,
    .head_input_dropout = true,
    .heads = {
        { .architecture = "AlbertForSequenceClassification", .pooled = true,
          .last = { "classifier.weight", "classifier.bias" } },
        { .architecture = "AlbertForTokenClassification", .tokens = true,
          .last = { "classifier.weight", "classifier.bias" } },
    },
};
