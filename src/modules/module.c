/* Opening a module: module.json says what it is, config.json, model.safetensors and the vocabulary hold it. */
#include "modules/module.h"

#include "base/file.h"
#include "web/fetch.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "modules/tokenizer_info.h"
#include "text/features.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

const char *const POOLING_WORDS[] = { "auto", "none", "cls", "cls_raw", "mean", "sqrt_mean", "max", NULL };

bert_status module_resolve_layer(int64_t layer, int64_t layers, const char *name, int64_t *out, bert_err *err)
{
    int64_t l = layer < 0 ? layers + layer : layer;
    if (l < 0 || l >= layers)
        return fail(err, BERT_ERR_ARGUMENT, "%s %lld: the model has layers 0 to %lld (or -1 to %lld from the end)",
                    name, (long long)layer, (long long)layers - 1, -(long long)layers);
    *out = l;
    return BERT_OK;
}

bert_status module_check_texts(const bert_module *m, bert_err *err)
{
    if (m->tokenizer)
        return BERT_OK;
    return fail(err, BERT_ERR_UNSUPPORTED,
                "%s: the module was imported without a tokeniser: it reads ids (do_preprocessing false), no texts",
                m->path ? m->path : "the module");
}

const special_template *module_specials(const bert_module *m)
{
    return m->tokenizer ? m->tokenizer->specials : m->config.family->specials;
}

bert_status module_set_vocabulary(bert_module *m, const char *bytes, size_t size, ready_trie ready,
                                  const bert_tokenizer_options *options, const char *where, bert_err *err)
{
    m->vocabulary_size = size;
    m->vocabulary = arena_copy(&m->memory, bytes, size);
    if (!m->vocabulary)
        return fail_memory(err, where);
    bert_status s = tokenizer_create_ready(m->vocabulary, size, ready, where, options, &m->tokenizer, err);
    if (s)
        return s;
    if (!m->tokenizer->pipeline)
        m->tokenizer->specials = m->config.family->specials;
    m->tokenizer->one_segment = config_segments(&m->config) < 2;
    m->tokenizer->rows = (size_t)m->config.vocab_size;
    return BERT_OK;
}

static bert_status read_vocabulary(bert_module *m, const char *path, const bert_tokenizer_options *options,
                                   bert_err *err)
{
    file_mapping file;
    bert_status s = path ? file_map(&file, path, err) : fail_memory(err, m->folder);
    if (s)
        return s;
    s = module_set_vocabulary(m, (const char *)file.data, file.size, (ready_trie){ 0 }, options, path, err);
    file_unmap(&file);
    return s;
}

static bert_status read_weights(bert_module *m, const char *path, bert_err *err)
{
    bert_status s = safetensors_open(&m->tensors, path, NULL, err);
    if (s)
        return s;
    weight_naming naming = weights_own_naming(m->config.family);
    s = weights_create(&m->weights, &m->memory, &m->config, (size_t)m->config.num_hidden_layers,
                       weights_have_pooler(&m->tensors, naming), NULL, err);
    return s ? s : weights_read(&m->weights, &m->memory, &m->tensors, naming, path, err);
}

/* How vectors are taken, where the module tells. */
static bert_status read_vectors(const json_t *signatures, vector_spec *v, int64_t positions, const char *where,
                                bert_err *err)
{
    json_t *json = json_object_get(signatures, "vectors");
    const char *pooling;
    if (!json)
        return BERT_OK;
    bert_status s = json_get_string(json, "pooling", &pooling, where, err);
    if (!s)
        s = json_get_bool_or(json, "normalize", false, &v->normalize, where, err);
    if (!s)
        s = json_get_int_or(json, "seq_len", 3, positions, 0, &v->seq_len, where, err);
    for (int i = BERT_POOLING_CLS; !s && POOLING_WORDS[i]; i++)
        if (!strcmp(pooling, POOLING_WORDS[i]))
            v->pooling = i;
    if (!s && v->pooling == BERT_POOLING_AUTO)
        s = fail(err, BERT_ERR_FORMAT, "%s: vectors: pooling \"%s\" is none that gives one vector a text", where,
                 pooling);
    return s;
}

static void read_digest(const json_t *of_file, const char *key, char *digits, size_t size)
{
    const char *text = json_string_value(json_object_get(of_file, key));
    if (text && strlen(text) < size)
        memcpy(digits, text, strlen(text) + 1);
}

static bool lists_vocabulary(const json_t *json)
{
    const json_t *files = json_object_get(json, "files");
    return json_object_get(files, VOCABULARY_LINES) || json_object_get(files, VOCABULARY_PACKED);
}

/* What module.json says: version, which files, which layers the signature gives out. *entries: its vocabulary's file's
 * name; NULL: it reads no texts. */
static bert_status read_description(bert_module *m, const json_t *json, const char *where, const char **entries,
                                    bert_tokenizer_options *tokenizer, bert_err *err)
{
    json_t *signatures, *tokens, *info = NULL;
    bert_status s = json_check_format(json, "libbert.module", MODULE_VERSION, where, err);
    if (!s)
        s = json_get_object(json, "signatures", &signatures, where, err);
    if (!s)
        s = json_get_object(signatures, "tokens", &tokens, where, err);
    if (!s && (json_object_get(signatures, "tokenization_info") || lists_vocabulary(json)))
        s = json_get_object(signatures, "tokenization_info", &info, where, err);
    int64_t last = m->config.num_hidden_layers - 1;
    if (!s)
        s = json_get_int_or(tokens, "seq_layer", 0, last, last, &m->seq_layer, where, err);
    if (!s)
        s = json_get_int_or(tokens, "tok_layer", 0, last, 0, &m->tok_layer, where, err);
    *entries = NULL;
    if (!s && info)
        s = tokenizer_info_file(info, entries, where, err);
    if (!s && info)
        s = tokenizer_info_from_json(info, tokenizer, &m->memory, where, err);
    if (!s)
        s = read_vectors(signatures, &m->vectors, config_positions(&m->config), where, err);
    const json_t *of_weights = json_object_get(json_object_get(json, "files"), "model.safetensors");
    read_digest(of_weights, "sha256", m->weights_sha256, sizeof m->weights_sha256);
    read_digest(of_weights, "crc32c", m->weights_crc32c, sizeof m->weights_crc32c);
    return s;
}

void module_release(const bert_module *m)
{
    for (size_t i = 0; i < m->tensors.n_files; i++)
        file_release(&m->tensors.files[i], m->tensors.files[i].data, m->tensors.files[i].size);
}

bert_status module_open_folder(bert_module *m, const char *folder, bert_err *err)
{
    m->folder = arena_string(&m->memory, folder);
    char *description = path_join(&m->memory, folder, "module.json"),
         *configuration = path_join(&m->memory, folder, "config.json");
    char *weights = path_join(&m->memory, folder, "model.safetensors");
    if (!m->folder || !description || !configuration || !weights)
        return fail_memory(err, folder);
    if (!file_exists(description) && file_is_folder(folder))
        return fail(err, BERT_ERR_FORMAT, "%s: not a module (no module.json); make one with `bert import %s -o MODULE`",
                    folder, folder);
    bert_tokenizer_options tokenizer;
    const char *entries = NULL;
    json_t *json = NULL;
    bert_status s = json_read_file(&json, configuration, err);
    if (!s)
        s = config_parse(json, &m->config, configuration, err);
    json_decref(json);
    json = NULL;
    if (!s)
        s = json_read_file(&json, description, err);
    if (!s)
        s = sha256_file(description, m->sha256, err);
    if (!s)
        s = read_description(m, json, description, &entries, &tokenizer, err);
    json_decref(json);
    if (!s && entries)
        s = read_vocabulary(m, path_join(&m->memory, folder, entries), &tokenizer, err);
    return s ? s : read_weights(m, weights, err);
}

bert_status bert_module_open(const char *path, bert_module **module, bert_err *err)
{
    *module = NULL;
    bert_module *m = calloc(1, sizeof *m);
    char *folder = NULL;
    bert_status s = m && (m->path = arena_string(&m->memory, path)) ? fetch_module(&m->memory, path, &folder, err)
                                                                    : fail_memory(err, path);
    if (!s && (s = module_open_folder(m, folder, err)) && s != BERT_ERR_MEMORY)
        fetch_forget(path);
    if (s) {
        bert_module_free(m);
        return s;
    }
    *module = m;
    return BERT_OK;
}

void bert_module_free(bert_module *module)
{
    if (!module)
        return;
    bert_tokenizer_free(module->tokenizer);
    tensors_close(&module->tensors);
    arena_free(&module->memory);
    free(module);
}

const bert_tokenizer *bert_module_tokenizer(const bert_module *module)
{
    return module->tokenizer;
}
