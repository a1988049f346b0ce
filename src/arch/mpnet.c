/* MPNet: Song et al., "MPNet: Masked and Permuted Pre-training for Language Understanding" (2020). BERT's layers, whose
 * attention adds a bias by distance, from one table for all of them; positions are counted behind the padding's; no
 * segments. A classifier has a dense layer of its own in place of the pooler. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("hidden_act"),
    WRITTEN_KEY("pad_token_id", "1"),
    ONLY_KEY("relative_attention_num_buckets", "32"),
    BERT_SIZE_KEYS,
    /* a head drops out as its layers do */
    NUMBER_KEY("hidden_dropout_prob", head_dropout_prob, 0.99),
    BERT_DROPOUT_KEYS,
    EPSILON_KEY,
    INITIALIZER_KEY,
};

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_HIDDEN, RATE_HIDDEN) };

static const char *const NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES] = {
    [WORD_EMBEDDINGS] = { "embeddings.word_embeddings.weight" },
    [POSITION_EMBEDDINGS] = { "embeddings.position_embeddings.weight" },
    [EMBEDDINGS_NORM_WEIGHT] = { "embeddings.LayerNorm.weight" },
    [EMBEDDINGS_NORM_BIAS] = { "embeddings.LayerNorm.bias" },
    [RELATIVE_BIAS] = { "encoder.relative_attention_bias.weight" },
    [QUERY_WEIGHT] = { "encoder.layer.%d.attention.attn.q.weight" },
    [KEY_WEIGHT] = { "encoder.layer.%d.attention.attn.k.weight" },
    [VALUE_WEIGHT] = { "encoder.layer.%d.attention.attn.v.weight" },
    [QUERY_BIAS] = { "encoder.layer.%d.attention.attn.q.bias" },
    [KEY_BIAS] = { "encoder.layer.%d.attention.attn.k.bias" },
    [VALUE_BIAS] = { "encoder.layer.%d.attention.attn.v.bias" },
    [ATTENTION_WEIGHT] = { "encoder.layer.%d.attention.attn.o.weight" },
    [ATTENTION_BIAS] = { "encoder.layer.%d.attention.attn.o.bias" },
    [ATTENTION_NORM_WEIGHT] = { "encoder.layer.%d.attention.LayerNorm.weight" },
    [ATTENTION_NORM_BIAS] = { "encoder.layer.%d.attention.LayerNorm.bias" },
    [INTERMEDIATE_WEIGHT] = { "encoder.layer.%d.intermediate.dense.weight" },
    [INTERMEDIATE_BIAS] = { "encoder.layer.%d.intermediate.dense.bias" },
    [OUTPUT_WEIGHT] = { "encoder.layer.%d.output.dense.weight" },
    [OUTPUT_BIAS] = { "encoder.layer.%d.output.dense.bias" },
    [OUTPUT_NORM_WEIGHT] = { "encoder.layer.%d.output.LayerNorm.weight" },
    [OUTPUT_NORM_BIAS] = { "encoder.layer.%d.output.LayerNorm.bias" },
    [POOLER_WEIGHT] = { "pooler.dense.weight" },
    [POOLER_BIAS] = { "pooler.dense.bias" },
};

static const family_part PARTS[] = {
    BUFFER_PARTS,
    { "lm_head.", NULL, "lm_head", MASKED_HEAD },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "encoder.layer.", NULL, "encoder.layer", MORE_LAYERS("MPNet") },
};

const family FAMILY_MPNET = {
    .name = "mpnet",
    .title = "MPNet",
    .stem = "MPNet",
    .defaults = { .type_vocab_size = 1, BERT_DEFAULTS, .first_position = 2 },
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .names = NAMES,
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight",
                    "classifier.out_proj.bias" },
    .joined_names = { [2] = "encoder.layer.%d.attention.attn.kv.weight",
                      [3] = "encoder.layer.%d.attention.attn.qkv.weight" },
    .head_prefix = "mpnet.",
    .prefixes = { WRAPPED_PREFIXES("mpnet.") },
    .blocks = BLOCKS,
    .n_blocks = LENGTH(BLOCKS),
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .counts_positions = true,
    .one_segment = true,
    .specials = &SPECIALS_OF_FAIRSEQ,
    .tokenizer_class = "MPNetTokenizer",
    .head_activation = ACTIVATION_TANH,
    .head_input_dropout = true,
    .heads = {
        { .architecture = "MPNetForSequenceClassification",
          .hidden = { "classifier.dense.weight", "classifier.dense.bias" },
          .last = { "classifier.out_proj.weight", "classifier.out_proj.bias" } },
        { .architecture = "MPNetForTokenClassification", .tokens = true,
          .last = { "classifier.weight", "classifier.bias" } },
    },
};
