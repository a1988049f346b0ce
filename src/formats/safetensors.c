/* safetensors, read in place and written. Everything in the header is checked before an address is made of it: offsets
 * ascend without gaps or overlaps and end with the file, and each is as long as its shape and type say. */
#include "formats/safetensors.h"

#include "base/buffer.h"
#include "base/size.h"
#include "base/utf8.h"
#include "formats/foreign.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/shards.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 100 * 1000 * 1000, DATA_ALIGN = 64 }; /* the limit is that of the original reader */

/* ---- reading ---- */

/* The file under way: its header and the bytes behind it. */
typedef struct safetensors_reader {
    const char *path;
    json_t *header;
    const unsigned char *data;
    size_t size; /* of data */
} safetensors_reader;

static bert_status safetensors_read_header(safetensors_reader *r, const file_mapping *file, bert_err *err)
{
    if (file->size < 8)
        return fail(err, BERT_ERR_FORMAT, "%s: %zu bytes, a safetensors file has at least 8", r->path, file->size);
    uint64_t size = load_le64(file->data);
    if (size > MAX_HEADER || size > file->size - 8)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: header of %" PRIu64 " bytes at byte 0, the file has %zu and a header at most %d", r->path,
                    size, file->size, MAX_HEADER);
    r->data = file->data + 8 + size;
    r->size = file->size - 8 - (size_t)size;
    bert_status s = json_read_bytes(&r->header, (const char *)file->data + 8, (size_t)size, "header", err);
    return s ? fail_in(err, s, "%s", r->path) : BERT_OK;
}

static bert_status entry_shape(tensor *t, const json_t *entry, bert_err *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: shape is no list", t->file, t->name);
    size_t rank = json_array_size(shape);
    t->rank = rank < INT_MAX ? (int)rank : INT_MAX;
    if (rank > TENSOR_MAX_RANK)
        t->type = DTYPE_OTHER;
    for (int i = 0; i < t->rank && i < TENSOR_MAX_RANK; i++) {
        const json_t *side = json_array_get(shape, (size_t)i);
        if (!json_is_integer(side) || json_integer_value(side) < 0)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: side %d of its shape is no whole number from 0", t->file,
                        t->name, i);
        t->shape[i] = json_integer_value(side);
    }
    return BERT_OK;
}

static bert_status entry_range(tensor_range *range, const safetensors_reader *r, const json_t *entry, bert_err *err)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: data_offsets is no pair of whole numbers", r->path,
                    range->name);
    int64_t b = json_integer_value(begin), e = json_integer_value(end);
    if (b < 0 || b > e || (uint64_t)e > r->size)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: tensor %s: data_offsets %" PRId64 " to %" PRId64 ", the file has %zu bytes of data", r->path,
                    range->name, b, e, r->size);
    range->begin = (size_t)b;
    range->end = (size_t)e;
    return BERT_OK;
}

static bert_status entry_tensor(tensor *t, tensor_range *range, const safetensors_reader *r, const json_t *entry,
                                bert_err *err)
{
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    if (!type)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has no dtype", r->path, t->name);
    t->type = dtype_find(type);
    bert_status s = entry_shape(t, entry, err);
    if (!s)
        s = entry_range(range, r, entry, err);
    if (s)
        return s;
    size_t bytes;
    char text[TENSOR_SHAPE_TEXT];
    if (!tensor_count(t, &bytes))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: shape %s is too large", r->path, t->name,
                    tensor_shape_text(t, text));
    if (t->type == DTYPE_OTHER)
        return BERT_OK;
    if (bytes != range->end - range->begin)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %zu bytes of data, shape %s of %s takes %zu", r->path,
                    t->name, range->end - range->begin, tensor_shape_text(t, text), type, bytes);
    t->data = r->data + range->begin;
    return BERT_OK;
}

static bert_status check_metadata(const safetensors_reader *r, json_t *metadata, bert_err *err)
{
    const char *key;
    json_t *value;
    if (json_is_null(metadata)) /* as the original reader */
        return BERT_OK;
    if (!json_is_object(metadata))
        return fail(err, BERT_ERR_FORMAT, "%s: __metadata__ is no object", r->path);
    json_object_foreach(metadata, key, value) if (!json_is_string(value)) return fail(
        err, BERT_ERR_FORMAT, "%s: __metadata__: %s is no string", r->path, key);
    return BERT_OK;
}

/* The format allows no hole: what no tensor describes could hide anything. */
static bert_status check_no_holes(const safetensors_reader *r, const tensor_range *ranges, size_t n, bert_err *err)
{
    size_t end = 0;
    for (size_t i = 0; i < n; end = ranges[i++].end)
        if (ranges[i].begin != end)
            return fail(err, BERT_ERR_FORMAT, "%s: bytes %zu to %zu of the data belong to no tensor", r->path, end,
                        ranges[i].begin);
    if (end != r->size)
        return fail(err, BERT_ERR_FORMAT, "%s: bytes %zu to %zu of the data belong to no tensor", r->path, end,
                    r->size);
    return BERT_OK;
}

static bert_status read_entries(tensor_set *set, const safetensors_reader *r, tensor_range *ranges, bert_err *err)
{
    const char *name;
    json_t *entry;
    size_t n = 0;
    bert_status s = BERT_OK;
    const char *file = arena_string(&set->memory, r->path);
    json_object_foreach(r->header, name, entry)
    {
        if (!strcmp(name, "__metadata__")) {
            if ((s = check_metadata(r, entry, err)))
                return s;
            continue;
        }
        tensor t = { .name = arena_string(&set->memory, name), .file = file };
        if (!t.name || !file)
            return fail_memory(err, r->path);
        ranges[n].name = t.name;
        if ((s = entry_tensor(&t, &ranges[n++], r, entry, err)) || (s = tensors_add(set, &t, err)))
            return s;
    }
    if (!(s = tensor_ranges_check(ranges, n, r->path, err)))
        s = check_no_holes(r, ranges, n, err);
    return s;
}

/* Adds a file's tensors to a set. */
static bert_status safetensors_add_file(tensor_set *set, const char *path, json_t **metadata, bert_err *err)
{
    safetensors_reader r = { .path = path };
    tensor_range *ranges = NULL;
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (s)
        return s;
    if ((s = safetensors_read_header(&r, &file, err))) {
        bert_status foreign = foreign_check_bytes(file.data, file.size, path, err);
        s = foreign ? foreign : s;
        file_unmap(&file);
    } else
        s = tensors_keep_file(set, &file, err); /* its address stays */
    if (!s && !(ranges = calloc(json_object_size(r.header) + 1, sizeof *ranges)))
        s = fail_memory(err, path);
    if (!s)
        s = read_entries(set, &r, ranges, err);
    if (!s && metadata) {
        json_t *found = json_object_get(r.header, "__metadata__");
        *metadata = json_is_object(found) ? json_incref(found) : json_object();
        if (!*metadata)
            s = fail_memory(err, path);
    }
    free(ranges);
    json_decref(r.header);
    return s;
}

static bert_status read_shard(tensor_set *set, const char *path, bert_err *err)
{
    return safetensors_add_file(set, path, NULL, err);
}

bert_status safetensors_open(tensor_set *set, const char *path, json_t **metadata, bert_err *err)
{
    *set = (tensor_set){ 0 };
    if (metadata)
        *metadata = NULL;
    bert_status s = safetensors_add_file(set, path, metadata, err);
    if (!s)
        s = tensors_seal(set, path, err);
    if (s) {
        tensors_close(set);
        if (metadata) {
            json_decref(*metadata);
            *metadata = NULL;
        }
    }
    return s;
}

bert_status safetensors_open_sharded(tensor_set *set, const char *index_path, bert_err *err)
{
    return shards_open(set, index_path, read_shard, err);
}

/* ---- writing ---- */

static json_t *shape_json(const tensor *t)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        json_add(&shape, json_integer(t->shape[i]));
    return shape;
}

/* Adds one tensor to the header; *end moves behind its bytes. */
static bert_status header_add(json_t *header, const tensor *t, size_t *end, const char *path, bert_err *err)
{
    tensor counted = *t;
    size_t bytes, begin = *end;
    if (t->type == DTYPE_OTHER || (!t->data && t->n))
        return fail(err, BERT_ERR_ARGUMENT, "%s: tensor %s has no elements that can be written", path, t->name);
    if (t->rank < 0 || t->rank > TENSOR_MAX_RANK || !tensor_count(&counted, &bytes) || counted.n != t->n ||
        !add_size(begin, bytes, end))
        return fail(err, BERT_ERR_ARGUMENT, "%s: tensor %s: its shape is not that of %zu elements", path, t->name,
                    t->n);
    if (!utf8_is_valid(t->name, strlen(t->name)))
        return fail(err, BERT_ERR_ARGUMENT, "%s: tensor %s: the name is not UTF-8", path, t->name);
    if (!strcmp(t->name, "__metadata__") || json_object_get(header, t->name))
        return fail(err, BERT_ERR_ARGUMENT, "%s: the name %s is taken", path, t->name);
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_name(t->type), "shape", shape_json(t),
                              "data_offsets", (json_int_t)begin, (json_int_t)*end);
    return json_object_set_new(header, t->name, entry) ? fail_memory(err, path) : BERT_OK;
}

/* Eight bytes of size, the header, and spaces up to where the data may begin. */
bert_status safetensors_header(buffer *out, const char *path, const tensor *items, size_t n, json_t *metadata,
                               bert_err *err)
{
    json_t *header = json_object();
    size_t end = 0;
    bert_status s = BERT_OK;
    if (!header || (metadata && json_object_set(header, "__metadata__", metadata)))
        s = fail_memory(err, path);
    for (size_t i = 0; !s && i < n; i++)
        s = header_add(header, &items[i], &end, path, err);
    char *text = s ? NULL : json_compact(header);
    if (text) {
        size_t size = (strlen(text) + 8 + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN - 8;
        uint64_t stored = size;
        buffer_add(out, &stored, sizeof stored);
        buffer_string(out, text);
        while (out->size < size + 8 && !out->failed)
            buffer_char(out, ' ');
    }
    if (!s && (!text || out->failed))
        s = fail_memory(err, path);
    free(text);
    json_decref(header);
    return s;
}

void safetensors_write_to(file_writer *w, const buffer *header, const tensor *items, size_t n)
{
    file_write(w, header->data, header->size);
    for (size_t i = 0; i < n; i++)
        file_write(w, items[i].data, items[i].n * dtype_size(items[i].type));
}

static bert_status safetensors_opens(const char *path, bert_err *err)
{
    tensor_set set;
    bert_status s = safetensors_open(&set, path, NULL, err);
    tensors_close(&set);
    return s;
}

bert_status safetensors_write(const char *path, const tensor *items, size_t n, json_t *metadata, bert_err *err)
{
    buffer header = { 0 };
    file_writer w = { 0 };
    bert_status s = safetensors_header(&header, path, items, n, metadata, err);
    if (!s)
        s = file_create(&w, path, err);
    if (!s) {
        safetensors_write_to(&w, &header, items, n);
        s = file_commit_opened(&w, safetensors_opens, err);
    }
    buffer_free(&header);
    return s;
}

bert_status safetensors_write_torch(const char *path, const tensor *items, size_t n, const char *what, bert_err *err)
{
    json_t *metadata = json_pack("{s:s}", "format", "pt");
    if (what)
        json_put(&metadata, "libbert", json_string(what));
    bert_status s = metadata ? safetensors_write(path, items, n, metadata, err) : fail_memory(err, path);
    json_decref(metadata);
    return s;
}
