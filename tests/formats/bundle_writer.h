/* Writes TensorFlow bundles for tests: sound ones, and ones that lie in whatever the test changes. Protocol buffers are
 * spelt by hand, so that the reader's own definitions are tested too. */
#pragma once

#include "base/buffer.h"
#include "base/checksum.h"

#include <string.h>

static inline void put_varint(buffer *b, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        buffer_char(b, (char)(v | 128));
    buffer_char(b, (char)v);
}

static inline void put_number(buffer *b, int field, int64_t v)
{
    put_varint(b, (uint64_t)field << 3);
    put_varint(b, (uint64_t)v);
}

static inline void put_bytes(buffer *b, int field, const void *bytes, size_t n)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, n);
    buffer_add(b, bytes, n);
}

/* A BundleEntryProto. */
typedef struct entry {
    int dtype, rank;
    int64_t shape[9], shard, offset, size;
    uint32_t crc; /* masked */
    bool no_rank;
    int n_slices;
    int64_t slices[4][2][2]; /* start and length of each of `rank` sides; length -1: the whole side */
} entry;

/* A TensorSliceProto. */
static inline void put_slice(buffer *b, const int64_t slice[2][2], int rank)
{
    buffer sides = { 0 };
    for (int i = 0; i < rank; i++) {
        buffer side = { 0 };
        if (slice[i][1] >= 0) {
            put_number(&side, 1, slice[i][0]);
            put_number(&side, 2, slice[i][1]);
        }
        put_bytes(&sides, 1, side.data, side.size);
        buffer_free(&side);
    }
    put_bytes(b, 7, sides.data, sides.size);
    buffer_free(&sides);
}

/* The key of a part whose numbers are from -64 to 63. */
static inline void put_part_key(buffer *b, const char *name, const int64_t slice[2][2], int rank)
{
    buffer_char(b, 0);
    buffer_string(b, name);
    buffer_add(b, "\0\1\1", 3);
    buffer_char(b, (char)rank);
    for (int i = 0; i < 2 * rank; i++)
        buffer_char(b, (char)(slice[i / 2][i % 2] ^ 0x80));
}

static inline void put_entry(buffer *b, const entry *e)
{
    buffer shape = { 0 };
    put_number(b, 1, e->dtype);
    for (int i = 0; i < e->rank; i++) {
        buffer side = { 0 };
        put_number(&side, 1, e->shape[i]);
        put_bytes(&shape, 2, side.data, side.size);
        buffer_free(&side);
    }
    if (e->no_rank)
        put_number(&shape, 3, 1);
    put_bytes(b, 2, shape.data, shape.size);
    put_number(b, 3, e->shard);
    put_number(b, 4, e->offset);
    put_number(b, 5, e->size);
    put_varint(b, 6 << 3 | 5);
    buffer_add(b, &e->crc, 4);
    for (int i = 0; i < e->n_slices; i++)
        put_slice(b, e->slices[i], e->rank);
    buffer_free(&shape);
}

/* A table under way. */
typedef struct table_writer {
    buffer file, block, index, key; /* key: that of the entry before */
    size_t in_block, per_block;     /* entries */
    unsigned char compression;
} table_writer;

/* Appends a block with its trailer; its handle goes to `handle`. */
static inline void table_block(table_writer *t, buffer *block, buffer *handle)
{
    static const uint32_t restarts[] = { 0, 1 };
    buffer_add(block, restarts, sizeof restarts);
    buffer_char(block, (char)t->compression);
    put_varint(handle, t->file.size);
    put_varint(handle, block->size - 1);
    uint32_t crc = crc32c_mask(crc32c(0, block->data, block->size));
    buffer_add(&t->file, block->data, block->size);
    buffer_add(&t->file, &crc, 4);
    buffer_clear(block);
}

static inline void put_table_entry(buffer *block, size_t shared, const char *key, size_t key_size, const void *value,
                                   size_t size)
{
    put_varint(block, shared);
    put_varint(block, key_size - shared);
    put_varint(block, size);
    buffer_add(block, key + shared, key_size - shared);
    buffer_add(block, value, size);
}

static inline void table_flush(table_writer *t)
{
    buffer handle = { 0 };
    if (!t->in_block)
        return;
    table_block(t, &t->block, &handle);
    put_table_entry(&t->index, 0, t->key.data, t->key.size, handle.data, handle.size);
    buffer_free(&handle);
    t->in_block = 0;
}

static inline void table_add(table_writer *t, const char *key, size_t key_size, const void *value, size_t size)
{
    size_t shared = 0;
    if (t->in_block && t->in_block == t->per_block)
        table_flush(t);
    while (t->in_block && shared < key_size && shared < t->key.size && key[shared] == t->key.data[shared])
        shared++;
    put_table_entry(&t->block, shared, key, key_size, value, size);
    buffer_clear(&t->key);
    buffer_add(&t->key, key, key_size);
    t->in_block++;
}

static inline void table_add_entry(table_writer *t, const char *key, const entry *e)
{
    buffer value = { 0 };
    put_entry(&value, e);
    table_add(t, key, strlen(key), value.data, value.size);
    buffer_free(&value);
}

static inline void table_add_part(table_writer *t, const char *name, const int64_t slice[2][2], const entry *e)
{
    buffer key = { 0 }, value = { 0 };
    put_part_key(&key, name, slice, e->rank);
    put_entry(&value, e);
    table_add(t, key.data, key.size, value.data, value.size);
    buffer_free(&key);
    buffer_free(&value);
}

static inline void table_add_header(table_writer *t, int64_t shards, int endianness, int min_consumer)
{
    buffer value = { 0 }, version = { 0 };
    put_number(&version, 1, 1);
    put_number(&version, 2, min_consumer);
    put_number(&value, 1, shards);
    put_number(&value, 2, endianness);
    put_bytes(&value, 3, version.data, version.size);
    table_add(t, "", 0, value.data, value.size);
    buffer_free(&value);
    buffer_free(&version);
}

/* Ends the table; its bytes are t->file, to be freed by table_free. */
static inline void table_end(table_writer *t)
{
    static const unsigned char magic[] = { 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb };
    buffer footer = { 0 }, empty = { 0 };
    table_flush(t);
    t->compression = 0;
    table_block(t, &empty, &footer);
    table_block(t, &t->index, &footer);
    while (footer.size < 40)
        buffer_char(&footer, 0);
    buffer_add(&footer, magic, 8);
    buffer_add(&t->file, footer.data, footer.size);
    buffer_free(&footer);
    buffer_free(&empty);
}

static inline void table_free(table_writer *t)
{
    buffer_free(&t->file);
    buffer_free(&t->block);
    buffer_free(&t->index);
    buffer_free(&t->key);
}
