/* What a config.json may say: its keys, one a row. A key whose value would change the numbers has the only value that
 * libbert computes. */
#include "arch/config_json.h"

#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 100 }; /* of a value in a message */

static const struct {
    const char *key;
    const char *only; /* as JSON; NULL: any value is fine. A key that is absent or null always is */
    const char *why;
} KEYS[] = {
    { "is_decoder", "false", "a decoder's tokens see only those before them" },
    { "add_cross_attention", "false", "libbert has no cross-attention" },
    { "is_encoder_decoder", "false", "libbert has encoders alone" },
    { "position_embedding_type", "\"absolute\"", NULL },
    { "pruned_heads", "{}", "heads were taken out of its layers" },
    { "quantization_config", "null", "its weights are quantised" },
    { "model_type", NULL, NULL },
    { "architectures", NULL, NULL },
    /* of a head: read where there is one */
    { "id2label", NULL, NULL },
    { "label2id", NULL, NULL },
    { "num_labels", NULL, NULL },
    { "_num_labels", NULL, NULL },
    { "problem_type", NULL, NULL },
    { "sentence_transformers", NULL, NULL },
    { "sbert_ce_default_activation_function", NULL, NULL },
    /* of training, of generating text, of how transformers runs: no number of an encoder depends on them */
    { "_name_or_path", NULL, NULL },
    { "name_or_path", NULL, NULL },
    { "name", NULL, NULL },
    { "language", NULL, NULL },
    { "finetuning_task", NULL, NULL },
    { "task_specific_params", NULL, NULL },
    { "transformers_version", NULL, NULL },
    { "transformers.js_config", NULL, NULL },
    { "tokenizer_class", NULL, NULL },
    { "prefix", NULL, NULL },
    { "gradient_checkpointing", NULL, NULL },
    { "chunk_size_feed_forward", NULL, NULL },
    { "use_cache", NULL, NULL },
    { "use_bfloat16", NULL, NULL },
    { "dtype", NULL, NULL },
    { "torch_dtype", NULL, NULL },
    { "torchscript", NULL, NULL },
    { "tf_legacy_loss", NULL, NULL },
    { "xla_device", NULL, NULL },
    { "attn_implementation", NULL, NULL },
    { "_attn_implementation", NULL, NULL },
    { "_attn_implementation_autoset", NULL, NULL },
    { "return_dict", NULL, NULL },
    { "return_dict_in_generate", NULL, NULL },
    { "output_attentions", NULL, NULL },
    { "output_hidden_states", NULL, NULL },
    { "output_past", NULL, NULL },
    { "output_scores", NULL, NULL },
    { "keys_to_ignore_at_inference", NULL, NULL },
    { "ignore_keys_at_rope_validation", NULL, NULL },
    { "tie_word_embeddings", NULL, NULL },
    { "tie_encoder_decoder", NULL, NULL },
    { "cross_attention_hidden_size", NULL, NULL },
    { "decoder_start_token_id", NULL, NULL },
    { "pad_token_id", NULL, NULL },
    { "bos_token_id", NULL, NULL },
    { "eos_token_id", NULL, NULL },
    { "sep_token_id", NULL, NULL },
    { "cls_token_id", NULL, NULL },
    { "mask_token_id", NULL, NULL },
    { "unk_token_id", NULL, NULL },
    { "max_length", NULL, NULL },
    { "min_length", NULL, NULL },
    { "do_sample", NULL, NULL },
    { "early_stopping", NULL, NULL },
    { "num_beams", NULL, NULL },
    { "num_beam_groups", NULL, NULL },
    { "num_return_sequences", NULL, NULL },
    { "diversity_penalty", NULL, NULL },
    { "temperature", NULL, NULL },
    { "top_k", NULL, NULL },
    { "top_p", NULL, NULL },
    { "typical_p", NULL, NULL },
    { "repetition_penalty", NULL, NULL },
    { "length_penalty", NULL, NULL },
    { "exponential_decay_length_penalty", NULL, NULL },
    { "no_repeat_ngram_size", NULL, NULL },
    { "encoder_no_repeat_ngram_size", NULL, NULL },
    { "bad_words_ids", NULL, NULL },
    { "suppress_tokens", NULL, NULL },
    { "begin_suppress_tokens", NULL, NULL },
    { "forced_bos_token_id", NULL, NULL },
    { "forced_eos_token_id", NULL, NULL },
    { "remove_invalid_values", NULL, NULL },
};
enum { N_KEYS = sizeof KEYS / sizeof *KEYS };

/* The value itself, cut where it is long. */
static bert_status refuse_value(int row, const json_t *value, const char *where, bert_err *err)
{
    buffer text = { 0 };
    json_print(&text, value);
    const char *why = KEYS[row].why;
    int n = text.size < WORDS_MAX ? (int)text.size : WORDS_MAX;
    bert_status s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s is %.*s, expected %s%s%s", where, KEYS[row].key, n,
                         text.data ? text.data : "", KEYS[row].only, why ? ": " : "", why ? why : "");
    buffer_free(&text);
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
    for (int i = 0; !s && i < N_KEYS; i++) {
        const json_t *value = json_object_get(json, KEYS[i].key);
        if (!KEYS[i].only || !value || json_is_null(value))
            continue;
        json_t *only = json_loads(KEYS[i].only, JSON_DECODE_ANY, NULL);
        if (!only)
            s = fail_memory(err, where);
        else if (!json_equal(only, value))
            s = refuse_value(i, value, where, err);
        json_decref(only);
    }
    return s;
}

static bool is_known(const family *f, const char *key)
{
    for (int i = 0; i < N_KEYS; i++)
        if (!strcmp(KEYS[i].key, key))
            return true;
    for (size_t i = 0; f && i < f->n_keys; i++)
        if (f->keys[i].key && !strcmp(f->keys[i].key, key))
            return true;
    for (size_t i = 0; f && f->other_keys[i]; i++)
        if (!strcmp(f->other_keys[i], key))
            return true;
    return false;
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
