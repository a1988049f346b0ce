/* DistilBERT: Sanh et al., "DistilBERT, a distilled version of BERT" (2019). BERT's layers without dropout behind the
 * attention; no segments, no pooler. Its norms' epsilon is fixed. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("activation"),
    WRITTEN_KEY("pad_token_id", "0"),
    WRITTEN_KEY("sinusoidal_pos_embds", "false"),
    SIZE_KEY("vocab_size", vocab_size, 1 << 24),
    SIZE_KEY("dim", hidden_size, 1 << 16),
    SIZE_KEY("n_layers", num_hidden_layers, 1 << 10),
    SIZE_KEY("n_heads", num_attention_heads, 1 << 10),
    SIZE_KEY("hidden_dim", intermediate_size, 1 << 18),
    SIZE_KEY("max_position_embeddings", max_position_embeddings, 1 << 16),
    NUMBER_KEY("dropout", hidden_dropout_prob, 0.99),
    NUMBER_KEY("attention_dropout", attention_probs_dropout_prob, 0.99),
    NUMBER_KEY("seq_classif_dropout", head_dropout_prob, 0.99),
    INITIALIZER_KEY,
};

static const char *const OTHER_KEYS[] = { "qa_dropout", "tie_weights_", NULL };

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_NONE, RATE_HIDDEN) };

static const char *const NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES] = {
    [WORD_EMBEDDINGS] = { "embeddings.word_embeddings.weight" },
    [POSITION_EMBEDDINGS] = { "embeddings.position_embeddings.weight" },
    [EMBEDDINGS_NORM_WEIGHT] = { "embeddings.LayerNorm.weight" },
    [EMBEDDINGS_NORM_BIAS] = { "embeddings.LayerNorm.bias" },
    [QUERY_WEIGHT] = { "transformer.layer.%d.attention.q_lin.weight" },
    [KEY_WEIGHT] = { "transformer.layer.%d.attention.k_lin.weight" },
    [VALUE_WEIGHT] = { "transformer.layer.%d.attention.v_lin.weight" },
    [QUERY_BIAS] = { "transformer.layer.%d.attention.q_lin.bias" },
    [KEY_BIAS] = { "transformer.layer.%d.attention.k_lin.bias" },
    [VALUE_BIAS] = { "transformer.layer.%d.attention.v_lin.bias" },
    [ATTENTION_WEIGHT] = { "transformer.layer.%d.attention.out_lin.weight" },
    [ATTENTION_BIAS] = { "transformer.layer.%d.attention.out_lin.bias" },
    [ATTENTION_NORM_WEIGHT] = { "transformer.layer.%d.sa_layer_norm.weight" },
    [ATTENTION_NORM_BIAS] = { "transformer.layer.%d.sa_layer_norm.bias" },
    [INTERMEDIATE_WEIGHT] = { "transformer.layer.%d.ffn.lin1.weight" },
    [INTERMEDIATE_BIAS] = { "transformer.layer.%d.ffn.lin1.bias" },
    [OUTPUT_WEIGHT] = { "transformer.layer.%d.ffn.lin2.weight" },
    [OUTPUT_BIAS] = { "transformer.layer.%d.ffn.lin2.bias" },
    [OUTPUT_NORM_WEIGHT] = { "transformer.layer.%d.output_layer_norm.weight" },
    [OUTPUT_NORM_BIAS] = { "transformer.layer.%d.output_layer_norm.bias" },
    /* The original has no pooler; a model of libbert's may start one. */
    [POOLER_WEIGHT] = { "pooler.dense.weight" },
    [POOLER_BIAS] = { "pooler.dense.bias" },
};

static const family_part PARTS[] = {
    { "vocab_", NULL, "vocab_transform, vocab_layer_norm, vocab_projector", MASKED_HEAD },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "pre_classifier.", NULL, "pre_classifier", OTHER_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "transformer.layer.", NULL, "transformer.layer",
      "of layers beyond n_layers, or parts that DistilBERT's layers have not" },
};

const family FAMILY_DISTILBERT = {
    .name = "distilbert",
    .title = "DistilBERT",
    .stem = "DistilBert",
    .defaults = { .type_vocab_size = 1,
                  .hidden_dropout_prob = 0.1,
                  .attention_probs_dropout_prob = 0.1,
                  .head_dropout_prob = 0.2,
                  .layer_norm_eps = 1e-12,
                  .initializer_range = 0.02 },
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .other_keys = OTHER_KEYS,
    .names = NAMES,
    .head_names = { "pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias" },
    .joined_names = { [2] = "transformer.layer.%d.attention.kv_lin.weight",
                      [3] = "transformer.layer.%d.attention.qkv_lin.weight" },
    .head_prefix = "distilbert.",
    .prefixes = { WRAPPED_PREFIXES("distilbert.") },
    .blocks = BLOCKS,
    .n_blocks = LENGTH(BLOCKS),
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .one_segment = true,
    .specials = &SPECIALS_OF_BERT,
    .tokenizer_class = "BertTokenizer",
    .head_activation = ACTIVATION_RELU,
    .heads = {
        { .architecture = "DistilBertForSequenceClassification",
          .hidden = { "pre_classifier.weight", "pre_classifier.bias" },
          .last = { "classifier.weight", "classifier.bias" } },
        { .architecture = "DistilBertForTokenClassification", .tokens = true,
          .last = { "classifier.weight", "classifier.bias" } },
    },
};
