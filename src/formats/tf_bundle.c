/* TensorFlow's V2 checkpoint. The key "" of the index holds the header; every other key is a tensor's name, or begins
 * with a zero byte and is that of a part of one (tf_slice.h). Parts come first. */
#include "formats/tf_bundle.h"

#include "base/checksum.h"
#include "base/size.h"
#include "formats/foreign.h"
#include "formats/sstable.h"
#include "formats/tf_slice.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHARDS = 65536, FORMAT_VERSION = 1 };

/* TensorFlow's numbers of the types that are read. Source: tensorflow/core/framework/types.proto. */
static const struct {
    int32_t number;
    dtype type;
} TYPES[] = {
    { 1, DTYPE_F32 }, { 2, DTYPE_F64 }, { 3, DTYPE_I32 },   { 4, DTYPE_U8 },    { 5, DTYPE_I16 },
    { 6, DTYPE_I8 },  { 9, DTYPE_I64 }, { 10, DTYPE_BOOL }, { 14, DTYPE_BF16 }, { 19, DTYPE_F16 },
};

static dtype bundle_type(int32_t number)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (TYPES[i].number == number)
            return TYPES[i].type;
    return DTYPE_OTHER;
}

/* A data file; mapped when the first tensor asks for it. */
typedef struct shard {
    const char *path;
    file_mapping view; /* the set owns the mapping */
    bool absent;
} shard;

/* The entry of a part; read when the tensor that it belongs to lists it. */
typedef struct part_entry {
    const char *key;
    size_t key_size, value_size;
    const unsigned char *value;
    bool listed;
} part_entry;

/* The checkpoint under way. */
typedef struct bundle_reader {
    tensor_set *set;
    const char *prefix, *index_path;
    bool check_data;
    shard *shards; /* (n_shards), NULL before the header */
    size_t n_shards;
    tensor_range *ranges; /* (n_ranges) */
    size_t n_ranges;
    part_entry *parts; /* (n_parts), in the order of their keys */
    size_t n_parts;
} bundle_reader;

static bert_status bundle_read_header(bundle_reader *r, const unsigned char *value, size_t size, bert_err *err)
{
    errno = 0;
    Tf__BundleHeaderProto *h = tf__bundle_header_proto__unpack(NULL, size, value);
    if (!h)
        return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: the header is damaged", r->index_path);
    bert_status s = BERT_OK;
    if (h->num_shards < 1 || h->num_shards > MAX_SHARDS)
        s = fail(err, BERT_ERR_FORMAT, "%s: %" PRId32 " data files, expected 1 to %d", r->index_path, h->num_shards,
                 MAX_SHARDS);
    else if (h->endianness)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: written on a big-endian machine", r->index_path);
    else if (h->version && h->version->min_consumer > FORMAT_VERSION)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: format version %" PRId32 ", this version reads %d", r->index_path,
                 h->version->min_consumer, FORMAT_VERSION);
    else if (!(r->shards = calloc((size_t)h->num_shards, sizeof *r->shards)))
        s = fail_memory(err, r->index_path);
    else
        r->n_shards = (size_t)h->num_shards;
    tf__bundle_header_proto__free_unpacked(h, NULL);
    return s;
}

static bert_status open_shard(bundle_reader *r, size_t i, shard **out, bert_err *err)
{
    shard *d = *out = &r->shards[i];
    if (d->path)
        return BERT_OK;
    d->path = arena_printf(&r->set->memory, "%s.data-%05zu-of-%05zu", r->prefix, i, r->n_shards);
    if (!d->path)
        return fail_memory(err, r->index_path);
    d->absent = !r->check_data && !file_exists(d->path);
    if (d->absent)
        return BERT_OK;
    file_mapping file;
    bert_status s = file_map(&file, d->path, err);
    d->view = file;
    return s ? s : tensors_keep_file(r->set, &file, err);
}

static bert_status bundle_read_shape(tensor *t, const Tf__TensorShapeProto *shape, const char *path, bert_err *err)
{
    size_t rank = shape ? shape->n_dim : 0;
    if (shape && shape->unknown_rank)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has no shape", path, t->name);
    t->rank = rank < INT_MAX ? (int)rank : INT_MAX;
    if (rank > TENSOR_MAX_RANK)
        t->type = DTYPE_OTHER;
    for (size_t i = 0; i < rank && i < TENSOR_MAX_RANK; i++)
        t->shape[i] = shape->dim[i]->size;
    return BERT_OK;
}

/* Where the tensor lies, as far as the index alone tells. */
static bert_status bundle_read_range(tensor *t, tensor_range *range, const bundle_reader *r,
                                     const Tf__BundleEntryProto *e, bert_err *err)
{
    size_t bytes;
    char text[TENSOR_SHAPE_TEXT];
    if (e->shard_id < 0 || (size_t)e->shard_id >= r->n_shards)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is in data file %" PRId32 " of %zu", r->index_path, t->name,
                    e->shard_id, r->n_shards);
    if (!tensor_count(t, &bytes))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: shape %s is no shape or too large", r->index_path, t->name,
                    tensor_shape_text(t, text));
    if (e->offset < 0 || e->size < 0 || e->size > INT64_MAX - e->offset)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %" PRId64 " bytes at byte %" PRId64, r->index_path, t->name,
                    e->size, e->offset);
    if (t->type != DTYPE_OTHER && (uint64_t)e->size != bytes)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %" PRId64 " bytes, shape %s of %s takes %zu", r->index_path,
                    t->name, e->size, tensor_shape_text(t, text), dtype_name(t->type), bytes);
    *range = (tensor_range){ (size_t)e->shard_id, (size_t)e->offset, (size_t)(e->offset + e->size), t->name };
    return BERT_OK;
}

static bert_status bundle_find_data(tensor *t, const tensor_range *range, bundle_reader *r,
                                    const Tf__BundleEntryProto *e, bert_err *err)
{
    shard *d;
    bert_status s = open_shard(r, range->part, &d, err);
    t->file = d->path;
    if (s || d->absent)
        return s;
    bool inside = range->end <= d->view.size;
    if (inside && t->type != DTYPE_OTHER) /* strings have another checksum */
        t->data = d->view.data + range->begin;
    uint32_t crc = t->data && r->check_data ? crc32c_mask(crc32c(0, t->data, range->end - range->begin)) : e->crc32c;
    if (inside && crc == e->crc32c)
        return BERT_OK;
    s = foreign_check_bytes(d->view.data, d->view.size, d->path, err);
    if (s)
        return s;
    if (inside)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: tensor %s at byte %zu: masked CRC-32C is 0x%08" PRIx32 ", 0x%08" PRIx32 " is stored", d->path,
                    t->name, range->begin, crc, e->crc32c);
    return fail(err, BERT_ERR_FORMAT, "%s: tensor %s lies at bytes %zu to %zu, the file has %zu", d->path, t->name,
                range->begin, range->end, d->view.size);
}

static bert_status bundle_unpack_entry(const bundle_reader *r, const char *name, const unsigned char *value,
                                       size_t size, Tf__BundleEntryProto **out, bert_err *err)
{
    errno = 0;
    *out = tf__bundle_entry_proto__unpack(NULL, size, value);
    return *out ? BERT_OK
                : fail_elsewhere(err, BERT_ERR_FORMAT, "%s: the entry of tensor %s is damaged", r->index_path, name);
}

/* A tensor, or a part of one, that has bytes of its own. */
static bert_status bundle_read_tensor(bundle_reader *r, tensor *t, const Tf__BundleEntryProto *e, bert_err *err)
{
    bool fine = true;
    r->ranges = array_grown(r->ranges, r->n_ranges, sizeof *r->ranges, &fine);
    bert_status s = fine ? bundle_read_shape(t, e->shape, r->index_path, err) : fail_memory(err, r->index_path);
    if (!s)
        s = bundle_read_range(t, &r->ranges[r->n_ranges], r, e, err);
    return s ? s : bundle_find_data(t, &r->ranges[r->n_ranges++], r, e, err);
}

/* ---- partitioned variables --------------------------------------------------------------------------------------- */

static int bundle_key_compare(const void *a, const void *b)
{
    const part_entry *x = a, *y = b;
    size_t size = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = memcmp(x->key, y->key, size);
    return order ? order : x->key_size < y->key_size ? -1 : x->key_size > y->key_size;
}

static bert_status keep_part(bundle_reader *r, const char *key, size_t key_size, const unsigned char *value,
                             size_t value_size, bert_err *err)
{
    bool fine = true;
    r->parts = array_grown(r->parts, r->n_parts, sizeof *r->parts, &fine);
    if (!fine)
        return fail_memory(err, r->index_path);
    part_entry *p = &r->parts[r->n_parts++];
    *p = (part_entry){ arena_copy(&r->set->memory, key, key_size), key_size, value_size, value, false };
    return p->key ? BERT_OK : fail_memory(err, r->index_path);
}

static part_entry *find_part(const bundle_reader *r, const char *name, const Tf__TensorSliceProto *slice, buffer *key)
{
    buffer_clear(key);
    tf_slice_key(key, name, slice);
    const part_entry wanted = { .key = key->data, .key_size = key->size };
    return key->failed || !r->n_parts ? NULL
                                      : bsearch(&wanted, r->parts, r->n_parts, sizeof wanted, bundle_key_compare);
}

static bert_status bundle_read_part(bundle_reader *r, const tensor *whole, const Tf__TensorSliceProto *slice,
                                    tensor *part, bert_err *err)
{
    buffer name = { 0 }, key = { 0 };
    Tf__BundleEntryProto *e = NULL;
    tf_slice_name(&name, whole->name, slice);
    part_entry *entry = find_part(r, whole->name, slice, &key);
    *part = (tensor){ .name = name.failed ? NULL : arena_copy(&r->set->memory, name.data, name.size) };
    bert_status s = key.failed || !part->name ? fail_memory(err, r->index_path) : BERT_OK;
    buffer_free(&key);
    buffer_free(&name);
    if (!s && !entry)
        s = fail(err, BERT_ERR_FORMAT, "%s: tensor %s is not there", r->index_path, part->name);
    if (!s)
        s = bundle_unpack_entry(r, part->name, entry->value, entry->value_size, &e, err);
    if (s)
        return s;
    entry->listed = true;
    part->type = bundle_type(e->dtype);
    s = bundle_read_tensor(r, part, e, err);
    tf__bundle_entry_proto__free_unpacked(e, NULL);
    return s;
}

/* A variable that was partitioned has a shape and slices; its numbers are joined when they are asked for. */
static bert_status read_parts(bundle_reader *r, tensor *t, const Tf__BundleEntryProto *e, bert_err *err)
{
    size_t bytes;
    bert_status s = bundle_read_shape(t, e->shape, r->index_path, err);
    if (!s && !tensor_count(t, &bytes))
        s = fail(err, BERT_ERR_FORMAT, "%s: tensor %s has no shape", r->index_path, t->name);
    bool numbers = t->type != DTYPE_OTHER, there = numbers;
    if (!s && numbers)
        s = tf_slices_axis(t, e->slices, e->n_slices, r->index_path, &t->axis, err);
    tensor_part *parts = arena_array(&r->set->memory, e->n_slices, sizeof *parts);
    if (!s && !parts)
        s = fail_memory(err, r->index_path);
    t->file = r->index_path;
    for (size_t i = 0; !s && i < e->n_slices; i++) {
        tensor part;
        s = bundle_read_part(r, t, e->slices[i], &part, err);
        if (!s && numbers)
            s = tf_slice_place(t, t->axis, &part, e->slices[i], r->index_path, &parts[i], err);
        there = there && part.data;
    }
    if (!s && numbers)
        s = tf_slices_check(t, t->axis, parts, e->n_slices, r->index_path, err);
    if (!s && there) {
        t->parts = parts;
        t->n_parts = e->n_slices;
    }
    return s;
}

/* Its key holds the tensor's name between the first byte and 0 1. */
static bert_status check_parts(const bundle_reader *r, bert_err *err)
{
    for (size_t i = 0; i < r->n_parts; i++)
        if (!r->parts[i].listed)
            return fail(err, BERT_ERR_FORMAT, "%s: holds a part of tensor %s that no tensor lists", r->index_path,
                        r->parts[i].key_size > 1 ? r->parts[i].key + 1 : "");
    return BERT_OK;
}

/* ---- the whole index -------------------------------------------------------------------------------------------- */

static bert_status bundle_add_entry(bundle_reader *r, const char *name, size_t name_size, const Tf__BundleEntryProto *e,
                                    bert_err *err)
{
    tensor t = { .name = arena_copy(&r->set->memory, name, name_size), .type = bundle_type(e->dtype) };
    bert_status s = !t.name       ? fail_memory(err, r->index_path)
                    : e->n_slices ? read_parts(r, &t, e, err)
                                  : bundle_read_tensor(r, &t, e, err);
    return s ? s : tensors_add(r->set, &t, err);
}

static bert_status bundle_read_entry(void *context, const char *key, size_t key_size, const unsigned char *value,
                                     size_t value_size, bert_err *err)
{
    bundle_reader *r = context;
    if (key_size == 0)
        return bundle_read_header(r, value, value_size, err);
    if (!r->shards)
        return fail(err, BERT_ERR_FORMAT, "%s: has no header", r->index_path);
    if (!key[0])
        return keep_part(r, key, key_size, value, value_size, err);
    if (strlen(key) != key_size)
        return fail(err, BERT_ERR_FORMAT, "%s: a NUL within the name %s", r->index_path, key);
    Tf__BundleEntryProto *e;
    bert_status s = bundle_unpack_entry(r, key, value, value_size, &e, err);
    if (s)
        return s;
    s = bundle_add_entry(r, key, key_size, e, err);
    tf__bundle_entry_proto__free_unpacked(e, NULL);
    return s;
}

bert_status tf_bundle_open(tensor_set *set, const char *prefix, bool check_data, bert_err *err)
{
    *set = (tensor_set){ 0 };
    bundle_reader r = { .set = set, .prefix = prefix, .check_data = check_data };
    file_mapping index = { 0 };
    r.index_path = arena_printf(&set->memory, "%s.index", prefix);
    bert_status s = r.index_path ? file_map(&index, r.index_path, err) : fail_memory(err, prefix);
    if (!s)
        s = sstable_read(&index, r.index_path, bundle_read_entry, &r, err);
    if (!s && !r.shards)
        s = fail(err, BERT_ERR_FORMAT, "%s: has no header", r.index_path);
    if (!s)
        s = check_parts(&r, err);
    if (!s)
        s = tensor_ranges_check(r.ranges, r.n_ranges, r.index_path, err);
    if (!s)
        s = tensors_seal(set, r.index_path, err);
    file_unmap(&index);
    free(r.shards);
    free(r.ranges);
    free(r.parts);
    if (s)
        tensors_close(set);
    return s;
}
