/* The table file of LevelDB, which TensorFlow's checkpoints use as their index: sorted keys with values, in blocks.
 *
 * A file is data blocks, other blocks, an index block whose values are handles (offset and size as varints) of the data
 * blocks, and a footer of 48 bytes: handle of the metaindex block, handle of the index block, zeros, magic number.
 * Behind each block stand a byte for its compression and the masked CRC-32C of both. A block is entries { varint
 * shared, unshared, value size; key without its first `shared` bytes, which are those of the key before; value }, then
 * the offsets of entries that share nothing, and their number. Source: leveldb/doc/table_format.md. */
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <stddef.h>

enum { SSTABLE_MAX_KEY = 1024 };

/* One entry; the key lives for the call and ends with a NUL that is not counted, the value as long as the file. */
typedef bert_status (*sstable_visit)(void *context, const char *key, size_t key_size, const unsigned char *value,
                                     size_t value_size, bert_err *err);

/* Visits every entry in the order of the keys; stops at the first failure. `path` is for messages.
 * Fails with BERT_ERR_FORMAT; BERT_ERR_UNSUPPORTED for compressed blocks and for keys longer than SSTABLE_MAX_KEY. */
bert_status sstable_read(const file_mapping *file, const char *path, sstable_visit visit, void *context, bert_err *err);
