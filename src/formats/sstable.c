/* LevelDB's table file, read from its first entry to its last. Nothing is believed: CRCs are computed, blocks must
 * follow one another and keys must ascend, so that a hostile file costs no more than its size. */
#include "formats/sstable.h"

#include "base/checksum.h"
#include "base/size.h"
#include "formats/foreign.h"

#include <inttypes.h>
#include <string.h>

static const uint64_t MAGIC = 0xdb4775248b80fb57u;
enum { FOOTER = 48, TRAILER = 5 }; /* a trailer: 1 byte compression, 4 bytes CRC */

typedef struct sstable {
    const file_mapping *file;
    const char *path;
    size_t blocks_end; /* where the footer begins */
    sstable_visit visit;
    void *context;
    /* of the data blocks */
    size_t next_block;
    size_t key_size;
    char key[SSTABLE_MAX_KEY + 1];
} sstable;

/* A run of bytes that is read from its front. */
typedef struct block_cursor {
    const unsigned char *p, *end;
} block_cursor;

static bool block_varint(block_cursor *c, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && c->p < c->end; shift += 7) {
        uint64_t bits = *c->p & 127;
        if (shift == 63 && bits > 1)
            return false;
        *value |= bits << shift;
        if (!(*c->p++ & 128))
            return true;
    }
    return false;
}

static bert_status block_damaged(const sstable *t, size_t at, const char *what, bert_err *err)
{
    return fail(err, BERT_ERR_FORMAT, "%s: block at byte %zu: %s", t->path, at, what);
}

/* The offset and size of a block, as a varint each, from byte `at` on. */
static bert_status take_handle(const sstable *t, block_cursor *c, size_t at, size_t *offset, size_t *size,
                               bert_err *err)
{
    uint64_t o, n;
    if (!block_varint(c, &o) || !block_varint(c, &n))
        return block_damaged(t, at, "a block's place is no number", err);
    if (o > t->blocks_end || n > t->blocks_end - o || t->blocks_end - o - n < TRAILER)
        return fail(err, BERT_ERR_FORMAT, "%s: block of %" PRIu64 " bytes at byte %" PRIu64 ", the file has %zu",
                    t->path, n, o, t->file->size);
    *offset = (size_t)o;
    *size = (size_t)n;
    return BERT_OK;
}

/* Checks the block's CRC and gives its entries. */
static bert_status open_block(const sstable *t, size_t offset, size_t size, block_cursor *entries, bert_err *err)
{
    const unsigned char *block = t->file->data + offset;
    uint32_t stored = load_le32(block + size + 1), computed = crc32c_mask(crc32c(0, block, size + 1));
    if (stored != computed)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: block at byte %zu: masked CRC-32C is 0x%08" PRIx32 ", 0x%08" PRIx32 " is stored", t->path,
                    offset, computed, stored);
    if (block[size])
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: block at byte %zu is compressed (%s), only plain blocks are read",
                    t->path, offset, block[size] == 1 ? "Snappy" : "an unknown method");
    if (size < 4)
        return block_damaged(t, offset, "too short for its number of restarts", err);
    size_t restarts = load_le32(block + size - 4);
    if (restarts > (size - 4) / 4)
        return block_damaged(t, offset, "more restarts than it has room for", err);
    *entries = (block_cursor){ block, block + size - 4 - 4 * restarts };
    return BERT_OK;
}

/* The next entry's key, made from the key before, and its value. */
static bert_status take_entry(const sstable *t, block_cursor *c, size_t at, char *key, size_t *key_size,
                              block_cursor *value, bert_err *err)
{
    uint64_t shared, unshared, size;
    if (!block_varint(c, &shared) || !block_varint(c, &unshared) || !block_varint(c, &size))
        return block_damaged(t, at, "an entry's sizes are no numbers", err);
    size_t left = (size_t)(c->end - c->p);
    if (shared > *key_size || unshared > left || size > left - unshared)
        return block_damaged(t, at, "an entry is larger than the block", err);
    if (unshared > SSTABLE_MAX_KEY - shared)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: block at byte %zu: a key of %" PRIu64 " bytes, at most %d are read",
                    t->path, at, shared + unshared, SSTABLE_MAX_KEY);
    memcpy(key + shared, c->p, unshared);
    *key_size = (size_t)(shared + unshared);
    key[*key_size] = 0;
    *value = (block_cursor){ c->p + unshared, c->p + unshared + size };
    c->p = value->end;
    return BERT_OK;
}

static bool ascends(const char *before, size_t before_size, const char *key, size_t key_size)
{
    int order = memcmp(before, key, before_size < key_size ? before_size : key_size);
    return order < 0 || (order == 0 && before_size < key_size);
}

/* Visits the entries of one data block. first: no key has been seen yet. */
static bert_status read_data_block(sstable *t, size_t offset, size_t size, bool first, bert_err *err)
{
    block_cursor c, value;
    bert_status s = open_block(t, offset, size, &c, err);
    for (bool start = true; !s && c.p < c.end; start = first = false) {
        char before[SSTABLE_MAX_KEY + 1];
        size_t before_size = t->key_size;
        memcpy(before, t->key, before_size);
        if (start)
            t->key_size = 0; /* nothing is shared with another block */
        if ((s = take_entry(t, &c, offset, t->key, &t->key_size, &value, err)))
            break;
        if (!first && !ascends(before, before_size, t->key, t->key_size))
            return block_damaged(t, offset, "keys do not ascend", err);
        s = t->visit(t->context, t->key, t->key_size, value.p, (size_t)(value.end - value.p), err);
    }
    return s;
}

static bert_status read_index_block(sstable *t, size_t offset, size_t size, bert_err *err)
{
    block_cursor c, value;
    char key[SSTABLE_MAX_KEY + 1]; /* the index' own keys only separate the blocks */
    size_t key_size = 0;
    bert_status s = open_block(t, offset, size, &c, err);
    for (bool first = true; !s && c.p < c.end; first = false) {
        size_t block = 0, block_size = 0;
        if ((s = take_entry(t, &c, offset, key, &key_size, &value, err)) ||
            (s = take_handle(t, &value, offset, &block, &block_size, err)))
            break;
        if (block < t->next_block)
            return block_damaged(t, block, "overlaps the block before", err);
        t->next_block = block + block_size + TRAILER;
        s = read_data_block(t, block, block_size, first, err);
    }
    return s;
}

bert_status sstable_read(const file_mapping *file, const char *path, sstable_visit visit, void *context, bert_err *err)
{
    bool ends = file->size >= FOOTER && load_le64(file->data + file->size - 8) == MAGIC;
    bert_status s = ends ? BERT_OK : foreign_check_bytes(file->data, file->size, path, err);
    if (s)
        return s;
    if (file->size < FOOTER)
        return fail(err, BERT_ERR_FORMAT, "%s: %zu bytes, a checkpoint index has at least %d", path, file->size,
                    FOOTER);
    sstable t = { .file = file, .path = path, .blocks_end = file->size - FOOTER, .visit = visit, .context = context };
    block_cursor footer = { file->data + t.blocks_end, file->data + file->size - 8 };
    if (!ends)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: does not end as a checkpoint index does: damaged, cut short or something else", path);
    size_t offset, size;
    s = take_handle(&t, &footer, t.blocks_end, &offset, &size, err); /* the metaindex: not used */
    if (!s)
        s = take_handle(&t, &footer, t.blocks_end, &offset, &size, err);
    return s ? s : read_index_block(&t, offset, size, err);
}
