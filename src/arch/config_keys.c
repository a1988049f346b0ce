/* What a config.json may say: its keys, one a row. A key whose value would change the numbers has the only value that
 * libbert computes. */
#include "arch/config_json.h"

#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 100 }; /* of a value in a message */

static const struct {
    const char *key;
    const char *only; /* as JSON. A key that is absent or null always is fine */
    const char *why;
} KEYS[] = {
    { "is_decoder", "false", "a decoder's tokens see only those before them" },
    { "add_cross_attention", "false", "libbert has no cross-attention" },
    { "is_encoder_decoder", "false", "libbert has encoders alone" },
    { "position_embedding_type", "\"absolute\"", NULL },
    { "pruned_heads", "{}", "heads were taken out of its layers" },
    { "quantization_config", "null", "its weights are quantised" },
};
enum { N_KEYS = sizeof KEYS / sizeof *KEYS };

/* Any value of these is fine. */
static const char *const FREE_KEYS[] = {
    /* clang-format off */
    "model_type", "architectures",
    /* of a head: read where there is one */
    "id2label", "label2id", "num_labels", "_num_labels", "problem_type", "sentence_transformers",
    "sbert_ce_default_activation_function",
    /* of training, of generating text, of how transformers runs: no number of an encoder depends on them */
    "_name_or_path", "name_or_path", "name", "language", "finetuning_task", "task_specific_params",
    "transformers_version", "transformers.js_config", "tokenizer_class", "prefix", "gradient_checkpointing",
    "chunk_size_feed_forward", "use_cache", "use_bfloat16", "dtype", "torch_dtype", "torchscript", "tf_legacy_loss",
    "xla_device", "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "return_dict",
    "return_dict_in_generate", "output_attentions", "output_hidden_states", "output_past", "output_scores",
    "keys_to_ignore_at_inference", "ignore_keys_at_rope_validation", "tie_word_embeddings", "tie_encoder_decoder",
    "cross_attention_hidden_size", "decoder_start_token_id", "pad_token_id", "bos_token_id", "eos_token_id",
    "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id", "max_length", "min_length", "do_sample",
    "early_stopping", "num_beams", "num_beam_groups", "num_return_sequences", "diversity_penalty", "temperature",
    "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "exponential_decay_length_penalty",
    "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "suppress_tokens",
    "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
    NULL
    /* clang-format on */
};

/* The value itself, cut where it is long. */
static bert_status refuse_value(const char *key, const char *only, const char *why, const json_t *value,
                                const char *where, bert_err *err)
{
    buffer text = { 0 };
    json_print(&text, value);
    int n = text.size < WORDS_MAX ? (int)text.size : WORDS_MAX;
    bert_status s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s is %.*s, expected %s%s%s", where, key, n,
                         text.data ? text.data : "", only, why ? ": " : "", why ? why : "");
    buffer_free(&text);
    return s;
}

/* A key that is absent or null always is fine. */
static bert_status check_only(const json_t *json, const char *key, const char *only, const char *why, const char *where,
                              bert_err *err)
{
    const json_t *value = json_object_get(json, key);
    if (!value || json_is_null(value))
        return BERT_OK;
    json_t *expected = json_loads(only, JSON_DECODE_ANY, NULL);
    bert_status s = !expected                      ? fail_memory(err, where)
                    : !json_equal(expected, value) ? refuse_value(key, only, why, value, where, err)
                                                   : BERT_OK;
    json_decref(expected);
    return s;
}

/* A model that gives a text's next word: the same tensors, read from left to right. */
static bert_status check_architecture(const json_t *json, const char *where, bert_err *err)
{
    static const char *const CAUSAL[] = { "ForCausalLM", "LMHeadModel" };
    const char *name = json_string_value(json_array_get(json_object_get(json, "architectures"), 0));
    for (size_t i = 0; name && i < sizeof CAUSAL / sizeof *CAUSAL; i++) {
        size_t n = strlen(name), end = strlen(CAUSAL[i]);
        if (n >= end && !strcmp(name + n - end, CAUSAL[i]))
            return fail(err, BERT_ERR_UNSUPPORTED,
                        "%s: architecture %s is causal: a token sees only those before it; libbert's see all", where,
                        name);
    }
    return BERT_OK;
}

bert_status config_family(const json_t *json, const family **f, const char *where, bert_err *err)
{
    const char *type;
    bert_status s = json_get_string_or(json, "model_type", FAMILIES[0]->name, &type, where, err);
    *f = s ? NULL : family_by_name(type);
    if (s || *f)
        return s;
    buffer known = { 0 };
    for (size_t i = 0; FAMILIES[i]; i++)
        buffer_printf(&known, "%s%s", i ? ", " : "", FAMILIES[i]->name);
    s = fail(err, BERT_ERR_UNSUPPORTED, "%s: model_type \"%s\" is another family; libbert reads %s", where, type,
             known.failed ? FAMILIES[0]->name : known.data);
    buffer_free(&known);
    return s;
}

bert_status config_check_keys(const json_t *json, const char *where, bert_err *err)
{
    const family *f;
    bert_status s = config_family(json, &f, where, err);
    if (!s)
        s = check_architecture(json, where, err);
    for (int i = 0; !s && i < N_KEYS; i++)
        s = check_only(json, KEYS[i].key, KEYS[i].only, KEYS[i].why, where, err);
    for (size_t i = 0; !s && i < f->n_keys; i++)
        if (f->keys[i].kind == KEY_ONLY)
            s = check_only(json, f->keys[i].key, f->keys[i].only, NULL, where, err);
    return s;
}

static bool key_is_listed(const char *const *keys, const char *key)
{
    while (keys && *keys && strcmp(*keys, key))
        keys++;
    return keys && *keys;
}

static bool is_known(const family *f, const char *key)
{
    bool known = key_is_listed(FREE_KEYS, key) || key_is_listed(f->other_keys, key);
    for (int i = 0; i < N_KEYS; i++)
        known |= !strcmp(KEYS[i].key, key);
    for (size_t i = 0; i < f->n_keys; i++)
        known |= !strcmp(f->keys[i].key, key);
    return known;
}

void config_tell_unknown(json_t *json, const char *where, buffer *notes)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    const family *f;
    if (config_family(json, &f, where, NULL))
        return; /* it will be refused */
    json_object_foreach(json, key, value)
    {
        if (!is_known(f, key))
            buffer_printf(notes, "%s%s%s", n ? "" : where,
                          n ? ", " : ": libbert does not know, and does not use: ", key),
                n++;
    }
    if (n)
        buffer_char(notes, '\n');
}
