/* RoBERTa: Liu et al., "RoBERTa: A Robustly Optimized BERT Pretraining Approach" (2019), and what has its network:
 * Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale" (XLM-RoBERTa, 2020); Martin et al.,
 * "CamemBERT: a Tasty French Language Model" (2020). BERT's layers under BERT's names; positions are counted from the
 * padding's id on, and a classifier has a dense layer of its own in place of the pooler. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("hidden_act"),
    WRITTEN_KEY("position_embedding_type", "\"absolute\""),
    ID_KEY("pad_token_id", first_position),
    BERT_SIZE_KEYS,
    TYPES_KEY,
    BERT_DROPOUT_KEYS,
    HEAD_DROPOUT_KEY("classifier_dropout"),
    EPSILON_KEY,
    INITIALIZER_KEY,
};

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_HIDDEN, RATE_HIDDEN) };

static const family_part PARTS[] = {
    BUFFER_PARTS,
    { "lm_head.", NULL, "lm_head", MASKED_HEAD },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "encoder.layer.", NULL, "encoder.layer", MORE_LAYERS("RoBERTa") },
};

/* clang-format off */
#define ROBERTA_NETWORK(of_name, of_title, of_stem) { \
    .name = of_name, \
    .title = of_title, \
    .stem = of_stem, \
    .defaults = { BERT_DEFAULTS, .first_position = 2 }, \
    .keys = KEYS, \
    .n_keys = LENGTH(KEYS), \
    .names = BERT_NAMES, \
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight", \
                    "classifier.out_proj.bias" }, \
    .joined_names = BERT_JOINED_NAMES, \
    .head_prefix = "roberta.", \
    .prefixes = { WRAPPED_PREFIXES("roberta.") }, \
    .blocks = BLOCKS, \
    .n_blocks = LENGTH(BLOCKS), \
    .parts = PARTS, \
    .n_parts = LENGTH(PARTS), \
    .counts_positions = true, \
    .one_segment = true, \
    .specials = &SPECIALS_OF_FAIRSEQ, \
    .tokenizer_class = of_stem "Tokenizer", \
    .head_activation = ACTIVATION_TANH, \
    .head_input_dropout = true, \
    .heads = { \
        { .architecture = of_stem "ForSequenceClassification", \
          .hidden = { "classifier.dense.weight", "classifier.dense.bias" }, \
          .last = { "classifier.out_proj.weight", "classifier.out_proj.bias" } }, \
        { .architecture = of_stem "ForTokenClassification", .tokens = true, \
          .last = { "classifier.weight", "classifier.bias" } }, \
    }, \
}
/* clang-format on */

const family FAMILY_ROBERTA = ROBERTA_NETWORK("roberta", "RoBERTa", "Roberta");
const family FAMILY_XLM_ROBERTA = ROBERTA_NETWORK("xlm-roberta", "XLM-RoBERTa", "XLMRoberta");
const family FAMILY_CAMEMBERT = ROBERTA_NETWORK("camembert", "CamemBERT", "Camembert");
