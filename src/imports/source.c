/* A published checkpoint: finds out what it is and reads what stands around its tensors. */
#include "imports/source.h"

#include "base/file.h"
#include "formats/json.h"
#include "formats/foreign.h"
#include "formats/json_build.h"
#include "imports/source_files.h"

#include <stddef.h>
#include <string.h>

/* ---- configuration ----------------------------------------------------------------------------------------------- */

/* A TF1 Hub module need not carry its configuration: sizes are those of the tensors, the rest is told by the graph. */
static bert_status config_from_tensors(source *s, int64_t heads, bert_err *err)
{
    config *c = &s->config;
    *c = s->naming.family->defaults;
    c->family = s->naming.family;
    c->num_hidden_layers = (int64_t)weights_count_layers(&s->tensors, s->naming);
    const tensor *word = weights_find(&s->tensors, s->naming, WORD_EMBEDDINGS, 0);
    const tensor *position = weights_find(&s->tensors, s->naming, POSITION_EMBEDDINGS, 0);
    const tensor *type = weights_find(&s->tensors, s->naming, TOKEN_TYPE_EMBEDDINGS, 0);
    const tensor *intermediate = weights_find(&s->tensors, s->naming, INTERMEDIATE_BIAS, 0);
    if (!word || !position || !type || !intermediate || word->rank != 2 || position->rank != 2 || type->rank != 2 ||
        intermediate->rank != 1)
        return fail(err, BERT_ERR_FORMAT, "%s: no configuration, and the tensors are not those of a BERT", s->folder);
    c->vocab_size = word->shape[0];
    c->hidden_size = word->shape[1];
    c->max_position_embeddings = position->shape[0];
    c->type_vocab_size = type->shape[0];
    c->intermediate_size = intermediate->shape[0];
    c->num_attention_heads = heads ? heads : s->hub.num_attention_heads;
    if (!c->num_attention_heads && c->hidden_size % 64)
        return fail(
            err, BERT_ERR_FORMAT,
            "%s: neither a configuration nor the graph tells the number of attention heads; give num_attention_heads",
            s->folder);
    if (!c->num_attention_heads) {
        c->num_attention_heads = c->hidden_size / 64;
        buffer_printf(&s->notes,
                      "%s: no configuration tells the number of attention heads; took %lld, 64 channels each\n",
                      s->folder, (long long)c->num_attention_heads);
    }
    c->hidden_act = s->hub.hidden_act && !strcmp(s->hub.hidden_act, "gelu_new") ? ACTIVATION_GELU_TANH
                                                                                : ACTIVATION_GELU;
    /* The same checks as for a configuration that is read. */
    json_t *json = config_to_json(c);
    bert_status status = json ? config_parse(json, c, s->folder, err) : fail_memory(err, s->folder);
    json_decref(json);
    return status;
}

/* The folder's JSON, where it has one: s->settings. */
static bert_status read_settings(source *s, bert_err *err)
{
    static const char *const NAMES[] = { "config.json", "bert_config.json", "assets/bert_config.json", NULL };
    bert_status status = source_find_beside(s, NAMES, &s->settings_path, err);
    return status || !s->settings_path ? status : json_read_file(&s->settings, s->settings_path, err);
}

static bert_status read_config(source *s, int64_t heads, bert_err *err)
{
    if (!s->settings && s->is_known && s->hub.graph)
        return config_from_tensors(s, heads, err);
    if (!s->settings)
        return fail(err, BERT_ERR_IO, "%s: no config.json or bert_config.json", s->folder);
    if (heads)
        json_put(&s->settings, family_key_of(s->family, offsetof(config, num_attention_heads)), json_integer(heads));
    if (!s->settings)
        return fail_memory(err, s->settings_path);
    config_tell_unknown(s->settings, s->settings_path, &s->notes);
    return config_parse(s->settings, &s->config, s->settings_path, err);
}

/* ---- the tokeniser ----------------------------------------------------------------------------------------------- */

static bert_status read_tokenizer(source *s, bert_err *err)
{
    const tokenizer_place place = { .folder = s->folder,
                                    .transformers = s->is_known && s->naming.names == NAMES_HUGGING_FACE,
                                    .config = s->settings,
                                    .hub = &s->hub,
                                    .specials = s->family->specials,
                                    .tokenizer_class = s->family->tokenizer_class };
    return tokenizer_source_read(&s->tokenizer, &place, &s->memory, &s->notes, err);
}

/* ------------------------------------------------------------------------------------------------------------------ */

/* The family before the tensors: it says more than the name of one that is absent. */
static bert_status open_tensors(source *s, const char *path, bool with_data, bert_err *err)
{
    bert_status status = source_find(s, path, err);
    if (status)
        return status;
    status = read_settings(s, err);
    if (!status && s->settings) {
        bert_status told = config_family(s->settings, &s->family, s->settings_path, with_data ? err : NULL);
        status = with_data ? told : BERT_OK;
    }
    if (!s->family)
        s->family = FAMILIES[0];
    return status ? status : source_open_tensors(s, with_data, err);
}

/* None is called as the family calls the word embeddings: says whose they are, where that is known. */
static bert_status refuse_tensors(const source *s, const family *f, bert_err *err)
{
    weight_naming naming;
    char name[WEIGHT_NAME_SIZE], google[WEIGHT_NAME_SIZE] = "";
    for (size_t i = 0; FAMILIES[i]; i++)
        if (weights_naming(&s->tensors, FAMILIES[i], &naming))
            return fail(err, BERT_ERR_FORMAT, "%s: its tensors are those of a %s, its configuration is that of a %s",
                        s->weights_path, FAMILIES[i]->title, f->title);
    bert_status status = foreign_check_tensors(&s->tensors, s->weights_path, err);
    if (status)
        return status;
    weight_name(name, weights_own_naming(f), WORD_EMBEDDINGS, 0);
    bool other = weight_name(google, (weight_naming){ f, NAMES_GOOGLE, "bert/" }, WORD_EMBEDDINGS, 0);
    return fail(err, BERT_ERR_FORMAT, "%s: holds no %s: no tensor is called %s%s%s", s->weights_path, f->title, name,
                other ? " or " : "", google);
}

static bert_status open_all(source *s, const char *path, const bert_import_options *o, bert_err *err)
{
    bool with_data = o;
    bert_status status = open_tensors(s, path, with_data, err);
    if (status)
        return status;
    s->read = arena_array(&s->memory, s->tensors.n, sizeof *s->read);
    if (!s->read)
        return fail_memory(err, path);
    s->is_known = weights_naming(&s->tensors, s->family, &s->naming);
    if (with_data && !s->is_known)
        status = refuse_tensors(s, s->family, err);
    if (status)
        return status;
    bert_err unfit;
    status = read_config(s, o ? o->num_attention_heads : 0, &unfit);
    s->has_config = !status;
    if (status && (with_data || status == BERT_ERR_MEMORY))
        return fail(err, status, "%s", unfit.message);
    if (status) /* of another family, say: its tensors can be looked at */
        buffer_printf(&s->notes, "%s\n", unfit.message);
    return o && o->ids_only ? BERT_OK : read_tokenizer(s, err);
}

bert_status source_open(source *s, const char *path, const bert_import_options *options, bert_err *err)
{
    *s = (source){ 0 };
    bert_status status = open_all(s, path, options, err);
    if (status)
        source_close(s);
    return status;
}

void source_close(source *s)
{
    tensors_close(&s->tensors);
    buffer_free(&s->notes);
    json_decref(s->settings);
    arena_free(&s->memory);
    *s = (source){ 0 };
}
