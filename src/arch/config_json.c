/* A configuration as JSON: one loop over the family's keys. */
#include "arch/config_json.h"

#include "formats/json.h"
#include "formats/json_build.h"

#include <stddef.h>
#include <string.h>

/* The words that a configuration may use. The first row of an activation is the one that is written. */
static const struct {
    const char *name;
    activation act;
} ACTIVATIONS[] = {
    { "gelu", ACTIVATION_GELU },
    { "gelu_new", ACTIVATION_GELU_TANH },
    { "gelu_pytorch_tanh", ACTIVATION_GELU_TANH },
    { "gelu_fast", ACTIVATION_GELU_TANH },
    { "relu", ACTIVATION_RELU },
    { "silu", ACTIVATION_SILU },
    { "swish", ACTIVATION_SILU },
};

enum { N_ACTIVATIONS = sizeof ACTIVATIONS / sizeof *ACTIVATIONS };

static bert_status parse_activation(const json_t *json, const char *key, activation *act, const char *where,
                                    bert_err *err)
{
    const char *name;
    bert_status s = json_get_string_or(json, key, "gelu", &name, where, err);
    for (int i = 0; !s && i < N_ACTIVATIONS; i++)
        if (!strcmp(name, ACTIVATIONS[i].name)) {
            *act = ACTIVATIONS[i].act;
            return BERT_OK;
        }
    return s ? s
             : fail(err, BERT_ERR_UNSUPPORTED,
                    "%s: %s \"%s\" is not one of gelu, gelu_new, gelu_pytorch_tanh, relu, silu", where, key, name);
}

/* The member of c that a key sets. */
static void *config_field(config *c, const config_key *k)
{
    return (char *)c + k->offset;
}

static double config_number(const config *c, size_t offset)
{
    return *(const double *)(const void *)((const char *)c + offset);
}

static bert_status parse_key(const json_t *json, config *c, const config_key *k, const char *where, bert_err *err)
{
    int64_t least = (int64_t)k->min, most = (int64_t)k->max, *id;
    bert_status s;
    const json_t *value = json_object_get(json, k->key);
    if (k->needed && (!value || json_is_null(value)))
        return fail(err, BERT_ERR_FORMAT, "%s: %s is missing", where, k->key);
    switch (k->kind) {
    case KEY_SIZE:
        return json_get_int(json, k->key, least, most, config_field(c, k), where, err);
    case KEY_ID:
        id = config_field(c, k);
        s = json_get_int_or(json, k->key, least, most, *id - 1, id, where, err);
        ++*id;
        return s;
    case KEY_NUMBER:
        return json_get_real_or(json, k->key, 0, k->max, config_number(c, k->offset), config_field(c, k), where, err);
    case KEY_OWN_NUMBER:
        return json_get_real_or(json, k->key, 0, k->max, config_number(c, k->like), config_field(c, k), where, err);
    case KEY_ACTIVATION:
        return parse_activation(json, k->key, config_field(c, k), where, err);
    default:
        return BERT_OK;
    }
}

static bert_status check_heads(const config *c, const char *where, bert_err *err)
{
    const char *hidden = family_key_of(c->family, offsetof(config, hidden_size));
    const char *heads = family_key_of(c->family, offsetof(config, num_attention_heads));
    if (c->hidden_size % c->num_attention_heads)
        return fail(err, BERT_ERR_FORMAT, "%s: %s %lld is no multiple of %s %lld", where, hidden,
                    (long long)c->hidden_size, heads, (long long)c->num_attention_heads);
    if (c->hidden_size / c->num_attention_heads > ATTENTION_MAX_HEAD)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: heads of %lld channels, at most %d are supported", where,
                    (long long)(c->hidden_size / c->num_attention_heads), ATTENTION_MAX_HEAD);
    return BERT_OK;
}

bert_status config_parse(const json_t *json, config *c, const char *where, bert_err *err)
{
    const family *f = NULL;
    bert_status s = config_check_keys(json, where, err);
    if (!s)
        s = config_family(json, &f, where, err);
    *c = f ? f->defaults : (config){ 0 };
    c->family = f;
    for (size_t i = 0; !s && i < f->n_keys; i++)
        s = parse_key(json, c, &f->keys[i], where, err);
    if (!s)
        s = check_heads(c, where, err);
    if (!s && config_positions(c) < 1)
        s = fail(err, BERT_ERR_FORMAT,
                 "%s: max_position_embeddings is %lld, expected more than pad_token_id %lld and one", where,
                 (long long)c->max_position_embeddings, (long long)c->first_position - 1);
    return s;
}

static json_t *key_to_json(const config *c, const config_key *k)
{
    const char *at = (const char *)c + k->offset;
    switch (k->kind) {
    case KEY_NUMBER:
    case KEY_OWN_NUMBER:
        return json_real(config_number(c, k->offset));
    case KEY_ACTIVATION:
        return json_string(config_activation_name(*(const activation *)(const void *)at));
    case KEY_WRITTEN:
    case KEY_ONLY:
        return json_loads(k->only, JSON_DECODE_ANY, NULL);
    default:
        return json_integer(*(const int64_t *)(const void *)at - (k->kind == KEY_ID));
    }
}

json_t *config_to_json(const config *c)
{
    json_t *json = json_pack("{s:[s+], s:s}", "architectures", c->family->stem, "Model", "model_type", c->family->name);
    for (const config_key *k = c->family->keys; k < c->family->keys + c->family->n_keys; k++)
        if (k->kind != KEY_OWN_NUMBER || config_number(c, k->offset) != config_number(c, k->like))
            json_put(&json, k->key, key_to_json(c, k));
    return json;
}

const char *config_activation_name(activation act)
{
    for (int i = 0; i < N_ACTIVATIONS; i++)
        if (ACTIVATIONS[i].act == act)
            return ACTIVATIONS[i].name;
    return "none";
}
