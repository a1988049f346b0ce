/* BERT: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2019). Norms stand behind the residuals. */
#include "arch/family_parts.h"

static const config_key KEYS[] = {
    ACTIVATION_KEY("hidden_act"),
    WRITTEN_KEY("position_embedding_type", "\"absolute\""),
    WRITTEN_KEY("pad_token_id", "0"),
    BERT_SIZE_KEYS,
};

/* Of Google's multilingual and Chinese configurations: a pooler of this shape is the only one that there was. */
static const char *const OTHER_KEYS[] = { "directionality",       "pooler_fc_size",         "pooler_num_attention_heads",
                                          "pooler_num_fc_layers", "pooler_size_per_head",   "pooler_type",
                                          NULL };

/* x; attention(x); its dense layer; a = norm(x + that); feed-forward(a); norm(a + that) */
const block_row BERT_BLOCKS[N_BERT_BLOCKS] = {
    { .kind = &BLOCK_ATTENTION, .weight = QUERY_WEIGHT, .bias = QUERY_BIAS, .reads = 0, .rate = RATE_ATTENTION, .site = 0 },
    { .kind = &BLOCK_DENSE, .weight = ATTENTION_WEIGHT, .bias = ATTENTION_BIAS, .reads = 1 },
    { .kind = &BLOCK_NORM, .weight = ATTENTION_NORM_WEIGHT, .reads = 2, .adds = 0, .rate = RATE_HIDDEN, .site = 1 },
    { .kind = &BLOCK_FEED_FORWARD, .weight = INTERMEDIATE_WEIGHT, .bias = INTERMEDIATE_BIAS, .second = OUTPUT_WEIGHT, .second_bias = OUTPUT_BIAS, .reads = 3 },
    { .kind = &BLOCK_NORM, .weight = OUTPUT_NORM_WEIGHT, .reads = 4, .adds = 3, .rate = RATE_HIDDEN, .site = 2 },
};

/* Hugging Face's, Google's, llama.cpp's. */
const char *const BERT_NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES] = {
    [WORD_EMBEDDINGS] = { "embeddings.word_embeddings.weight", "embeddings/word_embeddings", "token_embd.weight" },
    [POSITION_EMBEDDINGS] = { "embeddings.position_embeddings.weight", "embeddings/position_embeddings", "position_embd.weight" },
    [TOKEN_TYPE_EMBEDDINGS] = { "embeddings.token_type_embeddings.weight", "embeddings/token_type_embeddings", "token_types.weight" },
    [EMBEDDINGS_NORM_WEIGHT] = { "embeddings.LayerNorm.weight", "embeddings/LayerNorm/gamma", "token_embd_norm.weight" },
    [EMBEDDINGS_NORM_BIAS] = { "embeddings.LayerNorm.bias", "embeddings/LayerNorm/beta", "token_embd_norm.bias" },
    [QUERY_WEIGHT] = { "encoder.layer.%d.attention.self.query.weight", "encoder/layer_%d/attention/self/query/kernel", "blk.%d.attn_q.weight" },
    [KEY_WEIGHT] = { "encoder.layer.%d.attention.self.key.weight", "encoder/layer_%d/attention/self/key/kernel", "blk.%d.attn_k.weight" },
    [VALUE_WEIGHT] = { "encoder.layer.%d.attention.self.value.weight", "encoder/layer_%d/attention/self/value/kernel", "blk.%d.attn_v.weight" },
    [QUERY_BIAS] = { "encoder.layer.%d.attention.self.query.bias", "encoder/layer_%d/attention/self/query/bias", "blk.%d.attn_q.bias" },
    [KEY_BIAS] = { "encoder.layer.%d.attention.self.key.bias", "encoder/layer_%d/attention/self/key/bias", "blk.%d.attn_k.bias" },
    [VALUE_BIAS] = { "encoder.layer.%d.attention.self.value.bias", "encoder/layer_%d/attention/self/value/bias", "blk.%d.attn_v.bias" },
    [ATTENTION_WEIGHT] = { "encoder.layer.%d.attention.output.dense.weight", "encoder/layer_%d/attention/output/dense/kernel", "blk.%d.attn_output.weight" },
    [ATTENTION_BIAS] = { "encoder.layer.%d.attention.output.dense.bias", "encoder/layer_%d/attention/output/dense/bias", "blk.%d.attn_output.bias" },
    [ATTENTION_NORM_WEIGHT] = { "encoder.layer.%d.attention.output.LayerNorm.weight", "encoder/layer_%d/attention/output/LayerNorm/gamma", "blk.%d.attn_output_norm.weight" },
    [ATTENTION_NORM_BIAS] = { "encoder.layer.%d.attention.output.LayerNorm.bias", "encoder/layer_%d/attention/output/LayerNorm/beta", "blk.%d.attn_output_norm.bias" },
    [INTERMEDIATE_WEIGHT] = { "encoder.layer.%d.intermediate.dense.weight", "encoder/layer_%d/intermediate/dense/kernel", "blk.%d.ffn_up.weight" },
    [INTERMEDIATE_BIAS] = { "encoder.layer.%d.intermediate.dense.bias", "encoder/layer_%d/intermediate/dense/bias", "blk.%d.ffn_up.bias" },
    [OUTPUT_WEIGHT] = { "encoder.layer.%d.output.dense.weight", "encoder/layer_%d/output/dense/kernel", "blk.%d.ffn_down.weight" },
    [OUTPUT_BIAS] = { "encoder.layer.%d.output.dense.bias", "encoder/layer_%d/output/dense/bias", "blk.%d.ffn_down.bias" },
    [OUTPUT_NORM_WEIGHT] = { "encoder.layer.%d.output.LayerNorm.weight", "encoder/layer_%d/output/LayerNorm/gamma", "blk.%d.layer_output_norm.weight" },
    [OUTPUT_NORM_BIAS] = { "encoder.layer.%d.output.LayerNorm.bias", "encoder/layer_%d/output/LayerNorm/beta", "blk.%d.layer_output_norm.bias" },
    [POOLER_WEIGHT] = { "pooler.dense.weight", "pooler/dense/kernel" },
    [POOLER_BIAS] = { "pooler.dense.bias", "pooler/dense/bias" },
};

static const family_part PARTS[] = {
    { NULL, "embeddings.position_ids", NULL, NULL },
    { NULL, "embeddings.token_type_ids", NULL, NULL },
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
    .keys = KEYS,
    .n_keys = LENGTH(KEYS),
    .other_keys = OTHER_KEYS,
    .names = BERT_NAMES,
    .head_names = { "classifier.dense.weight", "classifier.dense.bias", "classifier.weight", "classifier.bias" },
    .joined_names = BERT_JOINED_NAMES,
    .head_prefix = "bert.",
    .prefixes = {
        { NAMES_HUGGING_FACE, "" },
        { NAMES_HUGGING_FACE, "bert." },
        { NAMES_HUGGING_FACE, "model." },
        { NAMES_HUGGING_FACE, "model.bert." },
        { NAMES_HUGGING_FACE, "0.auto_model." },
        { NAMES_HUGGING_FACE, "auto_model." },
        { NAMES_HUGGING_FACE, "encoder." },
        { NAMES_HUGGING_FACE, "module." },
        { NAMES_HUGGING_FACE, "module.bert." },
        { NAMES_GOOGLE, "bert/" },
        { NAMES_GOOGLE, "module/bert/" },
        { NAMES_GOOGLE, "module/" },
        { NAMES_GOOGLE, "" },
    },
    .blocks = BERT_BLOCKS,
    .n_blocks = N_BERT_BLOCKS,
    .parts = PARTS,
    .n_parts = LENGTH(PARTS),
    .gguf = "bert",
    .word_pieces = true,
    .head_activation = ACTIVATION_TANH,
    .head_input_dropout = true,
    .heads = {
        { .architecture = "BertForSequenceClassification", .pooled = true, .last = { "classifier.weight", "classifier.bias" } },
        { .architecture = "BertForTokenClassification", .tokens = true, .last = { "classifier.weight", "classifier.bias" } },
        { .pooled = true, .last = { "output_weights", "output_bias" } },
    },
};
