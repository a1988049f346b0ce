/* What families' files are written with, and what several of them share. */
#pragma once

#include "arch/families.h"

#include <stddef.h>

#define LENGTH(list) (sizeof(list) / sizeof *(list))

/* Rows of a configuration's keys. */
/* clang-format off */
#define KEY_OF(what, name, member) .kind = what, .key = name, .offset = offsetof(config, member)
#define SIZE_KEY(name, member, most) { KEY_OF(KEY_SIZE, name, member), .min = 1, .max = most }
#define ID_KEY(name, member) { KEY_OF(KEY_ID, name, member), .max = 1 << 15, .needed = true } /* member = 1 + the id */
#define NUMBER_KEY(name, member, most) { KEY_OF(KEY_NUMBER, name, member), .max = most }
#define HEAD_DROPOUT_KEY(name) \
    { KEY_OF(KEY_OWN_NUMBER, name, head_dropout_prob), .max = 0.99, .like = offsetof(config, hidden_dropout_prob) }
#define ACTIVATION_KEY(name) { KEY_OF(KEY_ACTIVATION, name, hidden_act), .needed = true }
#define EPSILON_KEY { KEY_OF(KEY_NUMBER, "layer_norm_eps", layer_norm_eps), .max = 1, .needed = true }
#define INITIALIZER_KEY NUMBER_KEY("initializer_range", initializer_range, 10)
#define WRITTEN_KEY(name, json) { .kind = KEY_WRITTEN, .key = name, .only = json }
#define ONLY_KEY(name, json) { .kind = KEY_ONLY, .key = name, .only = json }

/* Sizes and numbers under BERT's names. */
#define BERT_SIZE_KEYS \
    SIZE_KEY("vocab_size", vocab_size, 1 << 24), SIZE_KEY("hidden_size", hidden_size, 1 << 16), \
    SIZE_KEY("num_hidden_layers", num_hidden_layers, 1 << 10), \
    SIZE_KEY("num_attention_heads", num_attention_heads, 1 << 10), \
    SIZE_KEY("intermediate_size", intermediate_size, 1 << 18), \
    SIZE_KEY("max_position_embeddings", max_position_embeddings, 1 << 16)
#define TYPES_KEY SIZE_KEY("type_vocab_size", type_vocab_size, 1 << 10)
#define BERT_DROPOUT_KEYS \
    NUMBER_KEY("hidden_dropout_prob", hidden_dropout_prob, 0.99), \
    NUMBER_KEY("attention_probs_dropout_prob", attention_probs_dropout_prob, 0.99)
#define BERT_DEFAULTS \
    .hidden_dropout_prob = 0.1, .attention_probs_dropout_prob = 0.1, .head_dropout_prob = 0.1, \
    .layer_norm_eps = 1e-12, .initializer_range = 0.02

/* What stands before a tensor's name in Hugging Face's files: those of an encoder, of a model around it (`prefix`), and
 * of what others put around both. */
#define WRAPPED_PREFIXES(prefix) \
    { NAMES_HUGGING_FACE, "" }, { NAMES_HUGGING_FACE, prefix }, \
    { NAMES_HUGGING_FACE, "model." }, { NAMES_HUGGING_FACE, "model." prefix }, \
    { NAMES_HUGGING_FACE, "0.auto_model." }, { NAMES_HUGGING_FACE, "auto_model." }
/* clang-format on */

/* Tensors that are known and not read. */
#define OTHER_HEAD "a head, whose task nothing tells"
#define QUESTION_HEAD "a question-answering head, a task that libbert has not"
#define MASKED_HEAD "the masked-language head"
#define MORE_LAYERS(title) "of layers beyond num_hidden_layers, or parts that " title "'s layers have not"

/* x; attention(x); its dense layer, dropped out at dense_rate; a = norm(x + that); feed-forward(a), dropped out at
 * output_rate; norm(a + that) */
/* clang-format off */
#define LAYER_BLOCKS(dense_rate, output_rate) \
    { .kind = &BLOCK_ATTENTION, .weight = QUERY_WEIGHT, .bias = QUERY_BIAS, .reads = 0, .rate = RATE_ATTENTION, \
      .site = 0 }, \
    { .kind = &BLOCK_DENSE, .weight = ATTENTION_WEIGHT, .bias = ATTENTION_BIAS, .reads = 1 }, \
    { .kind = &BLOCK_NORM, .weight = ATTENTION_NORM_WEIGHT, .reads = 2, .adds = 0, .rate = dense_rate, .site = 1 }, \
    { .kind = &BLOCK_FEED_FORWARD, .weight = INTERMEDIATE_WEIGHT, .bias = INTERMEDIATE_BIAS, \
      .second = OUTPUT_WEIGHT, .second_bias = OUTPUT_BIAS, .reads = 3 }, \
    { .kind = &BLOCK_NORM, .weight = OUTPUT_NORM_WEIGHT, .reads = 4, .adds = 3, .rate = output_rate, .site = 2 }

/* What BERT's embeddings may have stored that is none of their weights. */
#define BUFFER_PARTS \
    { NULL, "embeddings.position_ids", NULL, NULL }, { NULL, "embeddings.token_type_ids", NULL, NULL }

/* BERT's tensors; one of its relatives projects its embeddings. */
#define BERT_JOINED_NAMES \
    { [2] = "encoder.layer.%d.attention.self.key_value.weight", \
      [3] = "encoder.layer.%d.attention.self.query_key_value.weight" }
/* clang-format on */
extern const char *const BERT_NAMES[N_WEIGHT_IDS][N_WEIGHT_NAMES];
