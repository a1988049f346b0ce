/* A BERT's configuration. */
#include "model/config.h"

#include "io/json.h"
#include "io/json_build.h"

#include <string.h>

/* The words that a configuration may use. The first row of an activation is the one that is written. */
static const struct {
    const char *name;
    activation act;
} ACTIVATIONS[] = {
    { "gelu", ACTIVATION_GELU },           { "gelu_new", ACTIVATION_GELU_TANH }, { "gelu_pytorch_tanh", ACTIVATION_GELU_TANH },
    { "gelu_fast", ACTIVATION_GELU_TANH }, { "relu", ACTIVATION_RELU },          { "silu", ACTIVATION_SILU },
    { "swish", ACTIVATION_SILU },
};

/* One row a size: its key and what is still believable. */
static const struct {
    const char *key;
    size_t offset;
    int64_t min, max;
} SIZES[] = {
    { "vocab_size", offsetof(config, vocab_size), 1, 1 << 24 },
    { "hidden_size", offsetof(config, hidden_size), 1, 1 << 16 },
    { "num_hidden_layers", offsetof(config, num_hidden_layers), 1, 1 << 10 },
    { "num_attention_heads", offsetof(config, num_attention_heads), 1, 1 << 10 },
    { "intermediate_size", offsetof(config, intermediate_size), 1, 1 << 18 },
    { "max_position_embeddings", offsetof(config, max_position_embeddings), 1, 1 << 16 },
    { "type_vocab_size", offsetof(config, type_vocab_size), 1, 1 << 10 },
};

static const struct {
    const char *key;
    size_t offset;
    double max, fallback;
} NUMBERS[] = {
    { "hidden_dropout_prob", offsetof(config, hidden_dropout_prob), 0.99, 0.1 },
    { "attention_probs_dropout_prob", offsetof(config, attention_probs_dropout_prob), 0.99, 0.1 },
    { "layer_norm_eps", offsetof(config, layer_norm_eps), 1, 1e-12 },
    { "initializer_range", offsetof(config, initializer_range), 10, 0.02 },
};

enum {
    N_ACTIVATIONS = sizeof ACTIVATIONS / sizeof *ACTIVATIONS,
    N_SIZES = sizeof SIZES / sizeof *SIZES,
    N_NUMBERS = sizeof NUMBERS / sizeof *NUMBERS
};

static bert_status parse_activation(const json_t *json, config *c, const char *where, bert_err *err)
{
    const char *name;
    bert_status s = json_get_string_or(json, "hidden_act", "gelu", &name, where, err);
    for (int i = 0; !s && i < N_ACTIVATIONS; i++)
        if (!strcmp(name, ACTIVATIONS[i].name)) {
            c->hidden_act = ACTIVATIONS[i].act;
            return BERT_OK;
        }
    return s ? s
             : fail(err, BERT_ERR_UNSUPPORTED, "%s: hidden_act \"%s\" is not one of gelu, gelu_new, gelu_pytorch_tanh, relu, silu", where, name);
}

bert_status config_parse(const json_t *json, config *c, const char *where, bert_err *err)
{
    *c = (config){ 0 };
    bert_status s = config_check_keys(json, where, err);
    for (int i = 0; !s && i < N_SIZES; i++)
        s = json_get_int(json, SIZES[i].key, SIZES[i].min, SIZES[i].max, (int64_t *)((char *)c + SIZES[i].offset), where, err);
    for (int i = 0; !s && i < N_NUMBERS; i++)
        s = json_get_real_or(json, NUMBERS[i].key, 0, NUMBERS[i].max, NUMBERS[i].fallback, (double *)((char *)c + NUMBERS[i].offset), where,
                             err);
    if (!s)
        s = parse_activation(json, c, where, err);
    if (!s && c->hidden_size % c->num_attention_heads)
        s = fail(err, BERT_ERR_FORMAT, "%s: hidden_size %lld is no multiple of num_attention_heads %lld", where, (long long)c->hidden_size,
                 (long long)c->num_attention_heads);
    if (!s && c->hidden_size / c->num_attention_heads > ATTENTION_MAX_HEAD)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: heads of %lld channels, at most %d are supported", where,
                 (long long)(c->hidden_size / c->num_attention_heads), ATTENTION_MAX_HEAD);
    return s;
}

json_t *config_to_json(const config *c)
{
    json_t *json = json_pack("{s:[s], s:s, s:s, s:s, s:i}", "architectures", "BertModel", "model_type", "bert", "hidden_act",
                             config_activation_name(c->hidden_act), "position_embedding_type", "absolute", "pad_token_id", 0);
    for (int i = 0; i < N_SIZES; i++)
        json_put(&json, SIZES[i].key, json_integer(*(const int64_t *)((const char *)c + SIZES[i].offset)));
    for (int i = 0; i < N_NUMBERS; i++)
        json_put(&json, NUMBERS[i].key, json_real(*(const double *)((const char *)c + NUMBERS[i].offset)));
    return json;
}

const char *config_activation_name(activation act)
{
    for (int i = 0; i < N_ACTIVATIONS; i++)
        if (ACTIVATIONS[i].act == act)
            return ACTIVATIONS[i].name;
    return "none";
}
