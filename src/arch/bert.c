/* BERT: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2019). Norms
 * stand behind the residuals. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    { KEY_OF(KEY_ACTIVATION, "hidden_act", hidden_act) },
    WRITTEN_KEY("position_embedding_type", "\"absolute\""),
    WRITTEN_KEY("pad_token_id", "0"),
    BERT_SIZE_KEYS,
    TYPES_KEY,
    BERT_DROPOUT_KEYS,
    HEAD_DROPOUT_KEY("classifier_dropout"),
    NUMBER_KEY("layer_norm_eps", layer_norm_eps, 1), /* Google's configurations have none */
    INITIALIZER_KEY,
};

/* Of Google's multilingual and Chinese configurations: a pooler of this shape is the only one that there was. */
static const char *const OTHER_KEYS[] = { "directionality",
                                          "pooler_fc_size",
                                          "pooler_num_attention_heads",
                                          "pooler_num_fc_layers",
                                          "pooler_size_per_head",
                                          "pooler_type",
                                          NULL };

static const block_row BLOCKS[] = { LAYER_BLOCKS(RATE_HIDDEN, RATE_HIDDEN) };

#define LAYER_TENSOR(hugging_face, google, llama)                                     \
    {                                                                                 \
        "encoder.layer.%d." hugging_face, "encoder/layer_%d/" google, "blk.%d." llama \
    }

/* Hugging Face's, Google's, llama.cpp's. */
const char *const BERT_NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES] = {
    [WORD_EMBEDDINGS] = { "embeddings.word_embeddings.weight", "embeddings/word_embeddings", "token_embd.weight" },
    [POSITION_EMBEDDINGS] = { "embeddings.position_embeddings.weight", "embeddings/position_embeddings",
                              "position_embd.weight" },
    [TOKEN_TYPE_EMBEDDINGS] = { "embeddings.token_type_embeddings.weight", "embeddings/token_type_embeddings",
                                "token_types.weight" },
    [EMBEDDINGS_NORM_WEIGHT] = { "embeddings.LayerNorm.weight", "embeddings/LayerNorm/gamma",
                                 "token_embd_norm.weight" },
    [EMBEDDINGS_NORM_BIAS] = { "embeddings.LayerNorm.bias", "embeddings/LayerNorm/beta", "token_embd_norm.bias" },
    [PROJECTION_WEIGHT] = { "embeddings_project.weight" },
    [PROJECTION_BIAS] = { "embeddings_project.bias" },
    [QUERY_WEIGHT] = LAYER_TENSOR("attention.self.query.weight", "attention/self/query/kernel", "attn_q.weight"),
    [KEY_WEIGHT] = LAYER_TENSOR("attention.self.key.weight", "attention/self/key/kernel", "attn_k.weight"),
    [VALUE_WEIGHT] = LAYER_TENSOR("attention.self.value.weight", "attention/self/value/kernel", "attn_v.weight"),
    [QUERY_BIAS] = LAYER_TENSOR("attention.self.query.bias", "attention/self/query/bias", "attn_q.bias"),
    [KEY_BIAS] = LAYER_TENSOR("attention.self.key.bias", "attention/self/key/bias", "attn_k.bias"),
    [VALUE_BIAS] = LAYER_TENSOR("attention.self.value.bias", "attention/self/value/bias", "attn_v.bias"),
    [ATTENTION_WEIGHT] = LAYER_TENSOR("attention.output.dense.weight", "attention/output/dense/kernel",
                                      "attn_output.weight"),
    [ATTENTION_BIAS] = LAYER_TENSOR("attention.output.dense.bias", "attention/output/dense/bias", "attn_output.bias"),
    [ATTENTION_NORM_WEIGHT] = LAYER_TENSOR("attention.output.LayerNorm.weight", "attention/output/LayerNorm/gamma",
                                           "attn_output_norm.weight"),
    [ATTENTION_NORM_BIAS] = LAYER_TENSOR("attention.output.LayerNorm.bias", "attention/output/LayerNorm/beta",
                                         "attn_output_norm.bias"),
    [INTERMEDIATE_WEIGHT] = LAYER_TENSOR("intermediate.dense.weight", "intermediate/dense/kernel", "ffn_up.weight"),
    [INTERMEDIATE_BIAS] = LAYER_TENSOR("intermediate.dense.bias", "intermediate/dense/bias", "ffn_up.bias"),
    [OUTPUT_WEIGHT] = LAYER_TENSOR("output.dense.weight", "output/dense/kernel", "ffn_down.weight"),
    [OUTPUT_BIAS] = LAYER_TENSOR("output.dense.bias", "output/dense/bias", "ffn_down.bias"),
    [OUTPUT_NORM_WEIGHT] = LAYER_TENSOR("output.LayerNorm.weight", "output/LayerNorm/gamma",
                                        "layer_output_norm.weight"),
    [OUTPUT_NORM_BIAS] = LAYER_TENSOR("output.LayerNorm.bias", "output/LayerNorm/beta", "layer_output_norm.bias"),
    [POOLER_WEIGHT] = { "pooler.dense.weight", "pooler/dense/kernel" },
    [POOLER_BIAS] = { "pooler.dense.bias", "pooler/dense/bias" },
};

static const family_part PARTS[] = {
    BUFFER_PARTS,
    { "cls.predictions.", NULL, "cls.predictions", MASKED_HEAD },
    { "cls/predictions/", NULL, "cls/predictions", MASKED_HEAD },
    { "cls.seq_relationship.", NULL, "cls.seq_relationship", "the next-sentence head" },
    { "cls/seq_relationship/", NULL, "cls/seq_relationship", "the next-sentence head" },
    { "qa_outputs.", NULL, "qa_outputs", QUESTION_HEAD },
    { "cls/squad/", NULL, "cls/squad", QUESTION_HEAD },
    { "classifier.", NULL, "classifier", OTHER_HEAD },
    { "output_", NULL, "output_weights, output_bias", OTHER_HEAD },
    { "encoder.layer.", NULL, "encoder.layer", MORE_LAYERS("BERT") },
    { "encoder/layer_", NULL, "encoder/layer", MORE_LAYERS("BERT") },
};

const family FAMILY_BERT = {
    .name = "bert",
    .title = "BERT",
    .stem = "Bert",
    .defaults = { BERT_DEFAULTS },
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .other_keys = OTHER_KEYS,
    .names = BERT_NAMES,
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.weight", "classifier.bias" },
    .joined_names = BERT_JOINED_NAMES,
    .head_prefix = "bert.",
    .prefixes = {
        WRAPPED_PREFIXES("bert."),
        { NAMES_HUGGING_FACE, "encoder." },
        { NAMES_HUGGING_FACE, "module." },
        { NAMES_HUGGING_FACE, "module.bert." },
        { NAMES_GOOGLE, "bert/" },
        { NAMES_GOOGLE, "module/bert/" },
        { NAMES_GOOGLE, "module/" },
        { NAMES_GOOGLE, "" },
    },
    .blocks = BLOCKS,
    .n_blocks = LENGTH(BLOCKS),
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .gguf = "bert",
    .specials = &SPECIALS_OF_BERT,
    .tokenizer_class = "BertTokenizer",
    .head_activation = ACTIVATION_TANH,
    .head_input_dropout = true,
    .heads = {
        { .architecture = "BertForSequenceClassification", .pooled = true,
          .last = { "classifier.weight", "classifier.bias" } },
        { .architecture = "BertForTokenClassification", .tokens = true,
          .last = { "classifier.weight", "classifier.bias" } },
        { .pooled = true, .last = { "output_weights", "output_bias" } },
    },
};
