/* Freezing a model: the weights that prediction reads, in the forms in which it reads them. */
#include "base/checksum.h"
#include "base/file.h"
#include "base/options.h"
#include "base/sha.h"
#include "frozen/compare.h"
#include "frozen/frozen.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/safetensors.h"
#include "modules/tokenizer_info.h"
#include "net/weight_forms.h"
#include "text/tokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const bert_option FREEZE[] = {
    OPTION_CHOICE(bert_freeze_options, precision, "fp32", FROZEN_PRECISIONS, "WORD",
                  "numbers of the weights: fp32 as they are; bf16: half the file; int8: a quarter, and fastest"),
    OPTION_FLOAT(bert_freeze_options, min_agreement, "0", 0, 1, "X",
                 "refuse to write where less than this share of the rows gets the same answer"),
    OPTION_BOOL(bert_freeze_options, force, "false", OPTION_FORCE_HELP),
};

bert_option_table bert_freeze_option_table(void)
{
    return OPTION_TABLE(FREEZE);
}

void bert_freeze_defaults(bert_freeze_options *options)
{
    bert_options_defaults(options, bert_freeze_option_table());
}

/* ---- what goes into the file ------------------------------------------------------------------------------------- */

/* The layers up to the one that is pooled, the pooler where it is asked for, the head. */
static bert_status needed_weights(const bert_model *m, weight_list *list, arena *a, bert_err *err)
{
    const bert_layer *l = m->layer;
    output_request request;
    bert_status s = module_check_texts(m->module, err);
    if (!s)
        s = request_of_pooling(&request, (bert_pooling)l->spec.pooling, l, err);
    if (!s)
        s = request_weights(&request, l, &l->weights.head, list, a, err);
    if (s)
        return s;
    for (size_t i = 0; i < list->n; i++)
        if (!weight_is_there(list, &list->items[i]))
            return fail(err, BERT_ERR_ARGUMENT,
                        "pooling cls: the module has no pooler; choose another pooling before freezing");
    return BERT_OK;
}

/* What the file says of itself. */
static json_t *freeze_description(const bert_model *m, size_t n_layers, int precision)
{
    config c = m->layer->config;
    c.num_hidden_layers = (int64_t)n_layers;
    c.hidden_dropout_prob = c.attention_probs_dropout_prob = c.head_dropout_prob = 0;
    bert_layer_spec spec = m->layer->spec;
    spec.n_tune_layers = 0;
    spec.tune_embeddings = false;
    spec.use_layers = 0;
    spec.outputs = "output";
    output_request tokens;
    request_of_pooling(&tokens, BERT_POOLING_NONE, m->layer, NULL); /* cannot fail */
    json_t *json = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:i, s:o, s:b}", "format", "libbert.frozen", "version",
                             FROZEN_VERSION, "precision", FROZEN_PRECISIONS[precision], "endian", "little", "config",
                             config_to_json(&c), "layer", layer_spec_to_json(&spec, NULL), "seq_layer", tokens.layer,
                             "tokenizer", tokenizer_to_json(m->module->tokenizer), "normalize", m->normalize);
    head_to_json(m, &json);
    const char *output = m->task ? "scores" : "output";
    json_put(&json, "signature",
             json_pack("{s:[s,s,s], s:[s]}", "inputs", "input_ids", "input_mask", "segment_ids", "outputs", output));
    return json;
}

static void hash_data(const tensor *items, size_t n, char hex[SHA256_HEX])
{
    unsigned char digest[32];
    sha h;
    sha256_begin(&h);
    for (size_t i = 0; i < n; i++)
        sha_add(&h, items[i].data, items[i].n * dtype_size(items[i].type));
    sha_end(&h, digest);
    sha_hex(digest, sizeof digest, hex);
}

static bert_status make_header(const bert_model *m, const weight_list *list, int precision, const tensor *items,
                               size_t n, const char *path, buffer *header, bert_err *err)
{
    char data_hash[SHA256_HEX];
    hash_data(items, n, data_hash);
    json_t *about = freeze_description(m, list->layers, precision);
    char *text = json_compact(about);
    json_t *metadata = text ? json_pack("{s:s, s:s, s:s, s:s}", "format", "libbert.frozen", "crc32c", "00000000",
                                        "data_sha256", data_hash, "libbert", text)
                            : NULL;
    bert_status s = metadata ? safetensors_header(header, path, items, n, metadata, err) : fail_memory(err, path);
    if (!s && !frozen_seal(header))
        s = fail_memory(err, path);
    json_decref(metadata);
    json_decref(about);
    free(text);
    return s;
}

/* All tensors of the file: the vocabulary's trie, whose size keeps what follows aligned, those of the weights, then the
 * vocabulary, which is bytes. */
static bert_status make_tensors(const bert_module *m, const weight_list *list, arena *a, tensor **items, size_t *n,
                                bert_err *err)
{
    tensor *weights;
    bert_status s = weights_form_tensors(list, a, &weights, n, err);
    if (s)
        return s;
    *items = arena_array(a, *n + 2, sizeof **items);
    if (!*items)
        return fail_memory(err, "a list of tensors");
    const trie *pieces = &m->tokenizer->vocabulary.trie;
    memcpy(*items + 1, weights, *n * sizeof **items);
    ++*n;
    (*items)[0] = (tensor){ .name = FROZEN_TRIE,
                            .type = DTYPE_I32,
                            .rank = 2,
                            .shape = { (int64_t)pieces->size, FROZEN_TRIE_COLUMNS },
                            .n = pieces->size * FROZEN_TRIE_COLUMNS,
                            .data = pieces->nodes };
    (*items)[(*n)++] = (tensor){ .name = "vocabulary",
                                 .type = DTYPE_U8,
                                 .rank = 1,
                                 .shape = { (int64_t)m->vocabulary_size },
                                 .n = m->vocabulary_size,
                                 .data = m->vocabulary };
    return BERT_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Begins the file, with all that belongs into it. */
static bert_status begin(const bert_model *m, const char *path, int precision, file_writer *w, bert_err *err)
{
    arena a = { 0 };
    weight_list list;
    buffer header = { 0 };
    tensor *items = NULL;
    size_t n = 0;
    bert_status s = needed_weights(m, &list, &a, err);
    if (!s)
        s = weights_leave_forms(&list, &a, err);
    if (!s)
        s = weights_check_finite(&list, m->module->path ? m->module->path : path, err);
    if (!s)
        s = weights_make_forms(&list, &a, FROZEN_FORMS[precision], err);
    if (!s)
        s = make_tensors(m->module, &list, &a, &items, &n, err);
    if (!s)
        s = make_header(m, &list, precision, items, n, path, &header, err);
    if (!s)
        s = file_create(w, path, err);
    if (!s)
        safetensors_write_to(w, &header, items, n);
    buffer_free(&header);
    arena_free(&a);
    return s;
}

/* Runs the file under way beside its model. */
static bert_status check_written(const bert_model *model, file_writer *w, const bert_dataset *data,
                                 double min_agreement, bert_freeze_check *check, bert_err *err)
{
    bert_model *frozen = NULL;
    if (!w->error && fflush(w->stream))
        w->error = errno;
    bert_status s = file_failed(w, err);
    if (!s)
        s = frozen_open(w->temporary, &frozen, err);
    if (!s)
        s = frozen_compare(model, frozen, data, check, err);
    bert_model_free(frozen);
    if (!s && check->agreement < min_agreement)
        s = fail(err, BERT_ERR_DATA,
                 "%s is not written: the frozen model agrees with the original on %.2f %% of %zu rows, less than the "
                 "%.2f %% asked for",
                 w->path, 100 * check->agreement, check->n, 100 * min_agreement);
    return s;
}

static bert_status opens(const char *path, bert_err *err)
{
    bert_model *frozen;
    bert_status s = frozen_open(path, &frozen, err);
    bert_model_free(frozen);
    return s;
}

static bert_status check_source(const bert_model *m, bert_err *err)
{
    if (!m->module->frozen || m->module->precision == OPS_FP32)
        return BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT, "%s: frozen as %s already; freeze the model that it was made from",
                m->module->path, frozen_precision(m->module));
}

bert_status bert_model_freeze(const bert_model *model, const char *path, const bert_freeze_options *options,
                              const bert_dataset *data, bert_freeze_check *check, bert_err *err)
{
    bert_freeze_options o;
    bert_freeze_check unseen;
    file_writer w = { 0 };
    check = check ? check : &unseen;
    *check = (bert_freeze_check){ 0 };
    bert_freeze_defaults(&o);
    if (options)
        o = *options;
    bert_status s = options_check(&o, bert_freeze_option_table(), err);
    if (!s)
        s = check_source(model, err);
    if (!s)
        s = bert_output_check(path, BERT_OUTPUT_FROZEN, o.force, err);
    if (!s)
        s = module_verify_read(model->module, err);
    if (!s)
        s = begin(model, path, o.precision, &w, err);
    if (s)
        return s;
    if (data)
        s = check_written(model, &w, data, o.min_agreement, check, err);
    if (!s)
        return data ? file_commit(&w, err) : file_commit_opened(&w, opens, err);
    file_abort(&w);
    return s;
}
