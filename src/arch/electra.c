/* ELECTRA: Clark et al., "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators" (2020). BERT's
 * layers under BERT's names; embeddings may be narrower than the layers, there is no pooler. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("hidden_act"),
    WRITTEN_KEY("position_embedding_type", "\"absolute\""),
    WRITTEN_KEY("pad_token_id", "0"),
    SIZE_KEY("embedding_size", embedding_size, 1 << 16),
    BERT_SIZE_KEYS,
    TYPES_KEY,
    BERT_DROPOUT_KEYS,
    HEAD_DROPOUT_KEY("classifier_dropout"),
    EPSILON_KEY,
    INITIALIZER_KEY,
};

/* Of a head for multiple choice. */
static const char *const OTHER_KEYS[] = { "summary_type", "summary_use_proj", "summary_activation",
                                          "summary_last_dropout", NULL };

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_HIDDEN, RATE_HIDDEN) };

static const family_part PARTS[] = {
    BUFFER_PARTS,
    { "discriminator_predictions.", NULL, "discriminator_predictions", "the head that tells replaced tokens" },
    { "generator_", NULL, "generator_predictions, generator_lm_head", MASKED_HEAD },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "encoder.layer.", NULL, "encoder.layer", MORE_LAYERS("ELECTRA") },
};

const family FAMILY_ELECTRA = {
    .name = "electra",
    .title = "ELECTRA",
    .stem = "Electra",
    .defaults = { BERT_DEFAULTS },
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .other_keys = OTHER_KEYS,
    .names = BERT_NAMES,
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight",
                    "classifier.out_proj.bias" },
    .joined_names = BERT_JOINED_NAMES,
    .head_prefix = "electra.",
    .prefixes = { WRAPPED_PREFIXES("electra.") },
    .blocks = BLOCKS,
    .n_blocks = LENGTH(BLOCKS),
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .specials = &SPECIALS_OF_BERT,
    .tokenizer_class = "BertTokenizer",
    .head_activation = ACTIVATION_GELU,
    .head_input_dropout = true,
    .heads = {
        { .architecture = "ElectraForSequenceClassification",
          .hidden = { "classifier.dense.weight", "classifier.dense.bias" },
          .last = { "classifier.out_proj.weight", "classifier.out_proj.bias" } },
        { .architecture = "ElectraForTokenClassification", .tokens = true,
          .last = { "classifier.weight", "classifier.bias" } },
    },
};
