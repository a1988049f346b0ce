/* TensorFlow's V2 checkpoint. The key "" of the index holds the header; every other key is a tensor's name, or
 * begins with a zero byte and is that of a part of one. */
#include "io/tf_bundle.h"

#include "base/checksum.h"
#include "base/size.h"
#include "io/sstable.h"
#include "tf_bundle.pb-c.h"

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

static dtype type_of(int32_t number)
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

/* The checkpoint under way. */
typedef struct reader {
    tensor_set *set;
    const char *prefix, *index_path;
    bool check_data;
    shard *shards; /* (n_shards), NULL before the header */
    size_t n_shards;
    tensor_range *ranges; /* (set->n), room for range_capacity */
    size_t range_capacity;
} reader;

static bert_status read_header(reader *r, const unsigned char *value, size_t size, bert_err *err)
{
    errno = 0;
    Tf__BundleHeaderProto *h = tf__bundle_header_proto__unpack(NULL, size, value);
    if (!h)
        return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: the header is damaged", r->index_path);
    bert_status s = BERT_OK;
    if (h->num_shards < 1 || h->num_shards > MAX_SHARDS)
        s = fail(err, BERT_ERR_FORMAT, "%s: %" PRId32 " data files, expected 1 to %d", r->index_path, h->num_shards, MAX_SHARDS);
    else if (h->endianness)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: written on a big-endian machine", r->index_path);
    else if (h->version && h->version->min_consumer > FORMAT_VERSION)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: format version %" PRId32 ", this version reads %d", r->index_path, h->version->min_consumer,
                 FORMAT_VERSION);
    else if (!(r->shards = calloc((size_t)h->num_shards, sizeof *r->shards)))
        s = fail_memory(err, r->index_path);
    else
        r->n_shards = (size_t)h->num_shards;
    tf__bundle_header_proto__free_unpacked(h, NULL);
    return s;
}

static bert_status open_shard(reader *r, size_t i, shard **out, bert_err *err)
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

static bert_status read_shape(tensor *t, const Tf__TensorShapeProto *shape, const char *path, bert_err *err)
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
static bert_status read_range(tensor *t, tensor_range *range, const reader *r, const Tf__BundleEntryProto *e, bert_err *err)
{
    size_t bytes;
    char text[TENSOR_SHAPE_TEXT];
    if (e->shard_id < 0 || (size_t)e->shard_id >= r->n_shards)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is in data file %" PRId32 " of %zu", r->index_path, t->name, e->shard_id, r->n_shards);
    if (!tensor_count(t, &bytes))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: shape %s is no shape or too large", r->index_path, t->name,
                    tensor_shape_text(t, text));
    if (e->offset < 0 || e->size < 0 || e->size > INT64_MAX - e->offset)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %" PRId64 " bytes at byte %" PRId64, r->index_path, t->name, e->size, e->offset);
    if (t->type != DTYPE_OTHER && (uint64_t)e->size != bytes)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %" PRId64 " bytes, shape %s of %s takes %zu", r->index_path, t->name, e->size,
                    tensor_shape_text(t, text), dtype_name(t->type), bytes);
    *range = (tensor_range){ (size_t)e->shard_id, (size_t)e->offset, (size_t)(e->offset + e->size), t->name };
    return BERT_OK;
}

static bert_status find_data(tensor *t, const tensor_range *range, reader *r, const Tf__BundleEntryProto *e, bert_err *err)
{
    shard *d;
    bert_status s = open_shard(r, range->part, &d, err);
    t->file = d->path;
    if (s || d->absent)
        return s;
    if (range->end > d->view.size)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s lies at bytes %zu to %zu, the file has %zu", d->path, t->name, range->begin, range->end,
                    d->view.size);
    if (t->type == DTYPE_OTHER)
        return BERT_OK; /* strings have another checksum */
    t->data = d->view.data + range->begin;
    uint32_t crc = r->check_data ? crc32c_mask(crc32c(0, t->data, range->end - range->begin)) : e->crc32c;
    if (crc != e->crc32c)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s at byte %zu: masked CRC-32C is 0x%08" PRIx32 ", 0x%08" PRIx32 " is stored", d->path,
                    t->name, range->begin, crc, e->crc32c);
    return BERT_OK;
}

/* Room for one more range behind those that the set's tensors have. */
static bert_status grow_ranges(reader *r, bert_err *err)
{
    if (r->set->n < r->range_capacity)
        return BERT_OK;
    size_t capacity = r->range_capacity ? 2 * r->range_capacity : 256, bytes;
    tensor_range *ranges = mul_size(capacity, sizeof *ranges, &bytes) ? realloc(r->ranges, bytes) : NULL;
    if (!ranges)
        return fail_memory(err, r->index_path);
    r->ranges = ranges;
    r->range_capacity = capacity;
    return BERT_OK;
}

static bert_status add_entry(reader *r, const char *name, size_t name_size, const Tf__BundleEntryProto *e, bert_err *err)
{
    tensor t = { .name = arena_copy(&r->set->memory, name, name_size), .type = type_of(e->dtype) };
    bert_status s = t.name ? grow_ranges(r, err) : fail_memory(err, r->index_path);
    if (!s)
        s = read_shape(&t, e->shape, r->index_path, err);
    if (s)
        return s;
    tensor_range *range = &r->ranges[r->set->n];
    if (e->n_slices) { /* a partitioned variable: its parts have entries of their own; it has no bytes */
        size_t bytes;
        t.file = r->index_path;
        t.absent = "is stored in parts (a partitioned variable), which are not read";
        if (!tensor_count(&t, &bytes))
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has no shape", r->index_path, t.name);
        *range = (tensor_range){ .name = t.name };
        return tensors_add(r->set, &t, err);
    }
    s = read_range(&t, range, r, e, err);
    if (!s)
        s = find_data(&t, range, r, e, err);
    return s ? s : tensors_add(r->set, &t, err);
}

static bert_status read_entry(void *context, const char *key, size_t key_size, const unsigned char *value, size_t value_size, bert_err *err)
{
    reader *r = context;
    if (key_size == 0)
        return read_header(r, value, value_size, err);
    if (!r->shards)
        return fail(err, BERT_ERR_FORMAT, "%s: has no header", r->index_path);
    if (!key[0]) /* a part of a partitioned variable */
        return BERT_OK;
    if (strlen(key) != key_size)
        return fail(err, BERT_ERR_FORMAT, "%s: a NUL within the name %s", r->index_path, key);
    errno = 0;
    Tf__BundleEntryProto *e = tf__bundle_entry_proto__unpack(NULL, value_size, value);
    if (!e)
        return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: the entry of tensor %s is damaged", r->index_path, key);
    bert_status s = add_entry(r, key, key_size, e, err);
    tf__bundle_entry_proto__free_unpacked(e, NULL);
    return s;
}

bert_status tf_bundle_open(tensor_set *set, const char *prefix, bool check_data, bert_err *err)
{
    *set = (tensor_set){ 0 };
    reader r = { .set = set, .prefix = prefix, .check_data = check_data };
    file_mapping index = { 0 };
    r.index_path = arena_printf(&set->memory, "%s.index", prefix);
    bert_status s = r.index_path ? file_map(&index, r.index_path, err) : fail_memory(err, prefix);
    if (!s)
        s = sstable_read(&index, r.index_path, read_entry, &r, err);
    if (!s && !r.shards)
        s = fail(err, BERT_ERR_FORMAT, "%s: has no header", r.index_path);
    if (!s)
        s = tensor_ranges_check(r.ranges, set->n, r.index_path, err);
    if (!s)
        s = tensors_seal(set, r.index_path, err);
    file_unmap(&index);
    free(r.shards);
    free(r.ranges);
    if (s)
        tensors_close(set);
    return s;
}
