/* The entries of a zip file by name, as bytes: stored ones in place, deflated ones unpacked. Sizes and CRCs are
 * checked. */
#pragma once

#include "base/arena.h"
#include "base/file.h"

#include <minizip/unzip.h>

/* One entry; `bytes` is NULL until it is asked for. */
typedef struct zip_entry {
    const char *name;
    const unsigned char *bytes;
    size_t size, packed_size;
    unz64_file_pos place;
    unsigned long crc, method;
} zip_entry;

/* All zero is closed. */
typedef struct zip_file {
    const char *path;
    const file_mapping *view;
    arena *memory; /* names, unpacked entries */
    unzFile reader;
    zip_entry *entries; /* (n), sorted by name */
    size_t n;
    size_t total_size; /* of all entries, unpacked */
} zip_file;

/* Opens a file that is mapped already; view and memory must outlive the bytes. Fails with BERT_ERR_FORMAT, BERT_ERR_IO,
 * BERT_ERR_MEMORY. */
bert_status zip_open(zip_file *z, const char *path, const file_mapping *view, arena *memory, bert_err *err);
void zip_close(zip_file *z);

/* The bytes of an entry, which live as long as view and memory; *bytes is NULL where there is no such entry.
 * Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (encrypted, or another compression than deflate). */
bert_status zip_bytes(zip_file *z, const char *name, const unsigned char **bytes, size_t *size, bert_err *err);
