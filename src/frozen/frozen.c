/* Opening a frozen file, and verifying one. */
#include "frozen/frozen.h"

#include "base/checksum.h"
#include "base/sha.h"
#include "base/size.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "modules/tokenizer_info.h"
#include "net/weight_forms.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const FROZEN_PRECISIONS[] = { "fp32", "bf16", "int8", NULL };
const weight_storage FROZEN_FORMS[] = { STORED_FP32, STORED_BF16, STORED_INT8 };

const char *frozen_precision(const bert_module *m)
{
    return FROZEN_PRECISIONS[m->precision == OPS_INT8 ? 2 : m->precision != OPS_FP32];
}

/* ---- the header's own CRC ---------------------------------------------------------------------------------------- */

/* How every frozen file goes on behind the eight bytes of its header's size; eight digits follow. */
static const char BEGINNING[] = "{\"__metadata__\":{\"format\":\"libbert.frozen\",\"crc32c\":\"";
enum { CRC_AT = 8 + sizeof BEGINNING - 1, CRC_DIGITS = 8 };

static bool begins(const unsigned char *bytes, size_t size)
{
    return size >= CRC_AT + CRC_DIGITS && !memcmp(bytes + 8, BEGINNING, sizeof BEGINNING - 1);
}

/* Digits of the CRC of a header of `size` bytes, its own size included. */
static void crc_of(const unsigned char *bytes, size_t size, char digits[CRC_DIGITS + 1])
{
    uint32_t crc = crc32c(0, bytes, CRC_AT);
    crc = crc32c(crc, "00000000", CRC_DIGITS);
    crc = crc32c(crc, bytes + CRC_AT + CRC_DIGITS, size - CRC_AT - CRC_DIGITS);
    snprintf(digits, CRC_DIGITS + 1, "%08" PRIx32, crc);
}

bool frozen_seal(buffer *header)
{
    char digits[CRC_DIGITS + 1];
    if (!begins((unsigned char *)header->data, header->size))
        return false;
    crc_of((unsigned char *)header->data, header->size, digits);
    memcpy(header->data + CRC_AT, digits, CRC_DIGITS);
    return true;
}

bool frozen_is(const char *path)
{
    unsigned char bytes[CRC_AT + CRC_DIGITS];
    return begins(bytes, file_begins(path, bytes, sizeof bytes));
}

static bert_status check_header(const file_mapping *m, const char *path, bert_err *err)
{
    char digits[CRC_DIGITS + 1];
    uint64_t size = load_le64(m->data);
    if (size > m->size - 8 || size < CRC_AT + CRC_DIGITS - 8)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: header of %" PRIu64 " bytes at byte 0, the file has %zu: it is cut or damaged", path, size,
                    m->size);
    crc_of(m->data, 8 + (size_t)size, digits);
    if (memcmp(digits, m->data + CRC_AT, CRC_DIGITS))
        return fail(err, BERT_ERR_FORMAT, "%s: the header is damaged (its CRC-32C is %s, the file says %.8s)", path,
                    digits, (const char *)m->data + CRC_AT);
    return BERT_OK;
}

/* ---- what the file says ------------------------------------------------------------------------------------------ */

static bert_status no_frozen_model(const char *path, bert_err *err)
{
    tensor_set set;
    json_t *metadata;
    bert_status s = safetensors_open(&set, path, &metadata, err);
    if (s == BERT_ERR_FORMAT)
        fail_in(err, s, "not a frozen model, or a damaged one");
    if (s)
        return s;
    bool old = json_object_get(metadata, "libbert") && json_object_get(metadata, "vocabulary");
    tensors_close(&set);
    json_decref(metadata);
    return old ? fail(err, BERT_ERR_UNSUPPORTED,
                      "%s: frozen by an older libbert, in format version 1; freeze the model again", path)
               : fail(err, BERT_ERR_FORMAT, "%s: a safetensors file, but no frozen model", path);
}

/* Opens the tensors and what the file says of itself, once the header is known to be whole. The two JSON values are the
 * caller's, also when it fails. */
static bert_status open_whole(tensor_set *set, const char *path, json_t **metadata, json_t **about, bert_err *err)
{
    const char *endian;
    bert_status s = safetensors_open(set, path, metadata, err);
    const json_t *text = json_object_get(*metadata, "libbert");
    if (!s && !(json_is_string(text) && json_is_string(json_object_get(*metadata, "data_sha256"))))
        s = fail(err, BERT_ERR_FORMAT, "%s: the metadata lacks \"libbert\" or \"data_sha256\"", path);
    if (!s)
        s = json_read_bytes(about, json_string_value(text), json_string_length(text), path, err);
    if (!s)
        s = json_check_format(*about, "libbert.frozen", FROZEN_VERSION, path, err);
    if (!s)
        s = json_get_string(*about, "endian", &endian, path, err);
    if (!s && strcmp(endian, "little"))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: its numbers are \"%s\" endian, this machine's are little", path,
                 endian);
    return s;
}

/* The header's CRC before anything is read by it. */
static bert_status open_checked(tensor_set *set, const char *path, json_t **metadata, json_t **about, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (s)
        return s;
    bool is = begins(file.data, file.size);
    s = is ? check_header(&file, path, err) : BERT_OK;
    file_unmap(&file);
    return s ? s : is ? open_whole(set, path, metadata, about, err) : no_frozen_model(path, err);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The file's form, and how it is multiplied by here: bf16 widened where the machine cannot multiply it. */
static bert_status choose_operations(bert_module *m, const json_t *about, weight_storage *stored, bert_err *err)
{
    const char *word;
    const ops *o;
    size_t i = 0;
    bert_status s = json_get_string(about, "precision", &word, m->path, err);
    if (s)
        return s;
    while (FROZEN_PRECISIONS[i] && strcmp(FROZEN_PRECISIONS[i], word))
        i++;
    if (!FROZEN_PRECISIONS[i])
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: precision \"%s\" is not one that this libbert (%s) knows", m->path,
                    word, BERT_VERSION);
    static const ops_precision ARITHMETIC[] = {
        [STORED_FP32] = OPS_FP32, [STORED_BF16] = OPS_BF16, [STORED_INT8] = OPS_INT8
    };
    *stored = FROZEN_FORMS[i];
    m->precision = ARITHMETIC[*stored];
    if (m->precision == OPS_BF16 && ops_select_precision(OPS_BF16, &o, NULL))
        m->precision = OPS_BF16_WIDENED;
    return BERT_OK;
}

static bert_status open_weights(bert_module *m, const json_t *about, const head_shape *head, bert_err *err)
{
    weight_storage stored = STORED_FP32;
    bool pooler = weights_have_pooler(&m->tensors, weights_own_naming(m->config.family));
    int64_t last = m->config.num_hidden_layers - 1;
    bert_status s = choose_operations(m, about, &stored, err);
    if (!s)
        s = json_get_int_or(about, "seq_layer", 0, last, last, &m->seq_layer, m->path, err);
    if (!s)
        s = weights_create(&m->weights, &m->memory, &m->config, (size_t)m->config.num_hidden_layers, pooler, head, err);
    return s ? s : weights_read_forms(&m->weights, &m->memory, &m->tensors, stored, m->path, err);
}

/* The vocabulary's trie; none in older files. */
static bert_status find_trie(const bert_module *m, ready_trie *ready, bert_err *err)
{
    const tensor *t = tensors_find(&m->tensors, FROZEN_TRIE);
    *ready = (ready_trie){ 0 };
    if (!t)
        return BERT_OK;
    if (t->type != DTYPE_I32 || t->rank != 2 || t->shape[1] != FROZEN_TRIE_COLUMNS ||
        (uintptr_t)t->data % sizeof(int32_t))
        return fail(err, BERT_ERR_FORMAT, "%s: %s is no trie: I32 [nodes, %d] at a multiple of 4 bytes", m->path,
                    FROZEN_TRIE, FROZEN_TRIE_COLUMNS);
    *ready = (ready_trie){ t->data, (size_t)t->shape[0] };
    return BERT_OK;
}

static bert_status open_vocabulary(bert_module *m, json_t *about, bert_err *err)
{
    bert_tokenizer_options options;
    ready_trie ready;
    const tensor *t = tensors_find(&m->tensors, "vocabulary");
    json_t *info = json_object_get(about, "tokenizer");
    /* version 2 has do_lower_case alone */
    bert_status s = tokenizer_info_from_json(info ? info : about, &options, &m->memory, m->path, err);
    if (s)
        return s;
    if (!t || t->type != DTYPE_U8)
        return fail(err, BERT_ERR_FORMAT, "%s: there is no vocabulary of type U8", m->path);
    char *where = arena_printf(&m->memory, "%s: vocabulary", m->path);
    s = where ? find_trie(m, &ready, err) : fail_memory(err, m->path);
    return s ? s : module_set_vocabulary(m, t->data, t->n, ready, &options, where, err);
}

/* The module inside the file. */
static bert_status open_module(bert_module *m, json_t *about, const json_t *metadata, const head_shape *head,
                               bert_err *err)
{
    json_t *configuration;
    snprintf(m->weights_sha256, sizeof m->weights_sha256, "%s",
             json_string_value(json_object_get(metadata, "data_sha256")));
    bert_status s = json_get_object(about, "config", &configuration, m->path, err);
    if (!s)
        s = config_parse(configuration, &m->config, m->path, err);
    if (!s)
        s = open_vocabulary(m, about, err);
    return s ? s : open_weights(m, about, head, err);
}

/* Takes the module over, also when it fails. */
static bert_status open_model(bert_module *module, json_t *about, const json_t *metadata, bert_model **model,
                              bert_err *err)
{
    const char *path = module->path;
    arena a = { 0 };
    json_t *layer;
    bert_layer_spec spec;
    head_spec head = { 0 };
    bool normalize = false;
    bert_status s = json_get_object(about, "layer", &layer, path, err);
    if (!s)
        s = layer_spec_from_json(layer, &spec, path, err);
    if (!s)
        s = json_get_bool_or(about, "normalize", false, &normalize, path, err);
    if (!s && json_object_get(about, "task"))
        s = head_from_json(about, &head, &a, path, err);
    if (!s)
        s = open_module(module, about, metadata, &(head_shape){ head.outputs, head.hidden }, err);
    if (!s && spec.pooling == BERT_POOLING_CLS && !module->weights.pooler)
        s = fail(err, BERT_ERR_FORMAT, "%s: pooling cls, but no pooler", path);
    if (s)
        bert_module_free(module);
    else {
        spec.module = NULL;
        spec.n_tune_layers = 0;
        spec.tune_embeddings = false;
        char *name = arena_string(&a, path); /* the module goes with a model that is not made */
        s = model_create(module, &spec, head.task ? &head : NULL, 0, model, err);
        if (s)
            fail_in(err, s, "%s", name ? name : "a frozen model");
        else
            (*model)->normalize = normalize;
    }
    arena_free(&a);
    return s;
}

bert_status frozen_open(const char *path, bert_model **model, bert_err *err)
{
    *model = NULL;
    bert_module *module = calloc(1, sizeof *module);
    json_t *metadata = NULL, *about = NULL;
    if (!module)
        return fail_memory(err, path);
    module->frozen = true;
    module->path = arena_string(&module->memory, path);
    bert_status s = module->path ? open_checked(&module->tensors, path, &metadata, &about, err)
                                 : fail_memory(err, path);
    if (s)
        bert_module_free(module);
    else
        s = open_model(module, about, metadata, model, err);
    json_decref(about);
    json_decref(metadata);
    return s;
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

bert_status frozen_verify(const char *path, bert_err *err)
{
    tensor_set set = { 0 };
    json_t *metadata = NULL, *about = NULL;
    bert_status s = open_checked(&set, path, &metadata, &about, err);
    if (!s) {
        char found[SHA256_HEX];
        const file_mapping *file = &set.files[0];
        size_t header = 8 + (size_t)load_le64(file->data);
        const char *expected = json_string_value(json_object_get(metadata, "data_sha256"));
        sha256_mapped(file, header, found);
        if (strcmp(found, expected))
            s = fail(err, BERT_ERR_FORMAT, "%s: the data is damaged (its SHA-256 is %.12s..., the file says %.12s...)",
                     path, found, expected);
    }
    tensors_close(&set);
    json_decref(about);
    json_decref(metadata);
    return s;
}
