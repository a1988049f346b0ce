/* Zip entries as bytes. minizip reads the directory and inflates; the library's own mapping serves what is stored. */
#include "formats/zip_file.h"

#include "base/size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { STORED = 0, ENCRYPTED = 1, DIRECTORY_ENTRY = 46, MAX_NAME = 512, DEFLATE_BEST = 1032 };

static int zip_entry_by_name(const void *a, const void *b)
{
    return strcmp(((const zip_entry *)a)->name, ((const zip_entry *)b)->name);
}

static bert_status zip_damaged(const zip_file *z, const char *what, bert_err *err)
{
    return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: damaged zip file: %s", z->path, what);
}

/* The entry that the reader stands at. */
static bert_status zip_read_entry(const zip_file *z, zip_entry *e, bert_err *err)
{
    unz_file_info64 info;
    char name[MAX_NAME];
    if (unzGetCurrentFileInfo64(z->reader, &info, name, sizeof name, NULL, 0, NULL, 0) != UNZ_OK ||
        unzGetFilePos64(z->reader, &e->place) != UNZ_OK)
        return zip_damaged(z, "its directory cannot be read", err);
    if (info.size_filename >= sizeof name)
        return zip_damaged(z, "an entry's name is too long", err);
    if (info.flag & ENCRYPTED || (info.compression_method != STORED && info.compression_method != Z_DEFLATED))
        return fail(err, BERT_ERR_UNSUPPORTED,
                    "%s: entry %s is encrypted or packed by method %lu, expected plain or deflated", z->path, name,
                    info.compression_method);
    /* No entry unpacks to more than deflate can hold: a size that lies costs no memory. */
    if (info.compressed_size > z->view->size || info.uncompressed_size / DEFLATE_BEST > info.compressed_size ||
        (info.compression_method == STORED && info.compressed_size != info.uncompressed_size))
        return fail(err, BERT_ERR_FORMAT, "%s: entry %s of %llu bytes, packed %llu, in a file of %zu", z->path, name,
                    (unsigned long long)info.uncompressed_size, (unsigned long long)info.compressed_size,
                    z->view->size);
    e->name = arena_string(z->memory, name);
    e->size = info.uncompressed_size;
    e->packed_size = info.compressed_size;
    e->crc = info.crc;
    e->method = info.compression_method;
    return e->name ? BERT_OK : fail_memory(err, z->path);
}

static bert_status read_directory(zip_file *z, bert_err *err)
{
    unz_global_info64 info;
    if (unzGetGlobalInfo64(z->reader, &info) != UNZ_OK || info.number_entry > z->view->size / DIRECTORY_ENTRY)
        return zip_damaged(z, "its directory cannot be read", err);
    z->entries = calloc((size_t)info.number_entry + 1, sizeof *z->entries);
    if (!z->entries)
        return fail_memory(err, z->path);
    size_t packed = 0;
    for (int at = info.number_entry ? unzGoToFirstFile(z->reader) : UNZ_END_OF_LIST_OF_FILE;
         at != UNZ_END_OF_LIST_OF_FILE; at = unzGoToNextFile(z->reader)) {
        if (at != UNZ_OK || z->n == info.number_entry)
            return zip_damaged(z, "its directory cannot be read", err);
        zip_entry *e = &z->entries[z->n];
        bert_status s = zip_read_entry(z, e, err);
        if (s)
            return s;
        packed += e->packed_size; /* cannot overflow: both are at most the size of a mapped file */
        if (packed > z->view->size)
            return zip_damaged(z, "entries overlap", err);
        z->total_size += e->size;
        z->n++;
    }
    qsort(z->entries, z->n, sizeof *z->entries, zip_entry_by_name);
    for (size_t i = 1; i < z->n; i++)
        if (!strcmp(z->entries[i - 1].name, z->entries[i].name))
            return fail(err, BERT_ERR_FORMAT, "%s: entry %s stands twice", z->path, z->entries[i].name);
    return BERT_OK;
}

bert_status zip_open(zip_file *z, const char *path, const file_mapping *view, arena *memory, bert_err *err)
{
    errno = 0; /* minizip does not say what failed */
    *z = (zip_file){ .path = path, .view = view, .memory = memory, .reader = unzOpen64(path) };
    bert_status s = z->reader ? read_directory(z, err) : zip_damaged(z, "it has no directory; cut short?", err);
    if (s)
        zip_close(z);
    return s;
}

void zip_close(zip_file *z)
{
    if (z->reader)
        unzClose(z->reader);
    free(z->entries);
    *z = (zip_file){ 0 };
}

/* A stored entry: where the reader says that its bytes begin. */
static bert_status view_stored(const zip_file *z, zip_entry *e, bert_err *err)
{
    uint64_t begin = unzGetCurrentFileZStreamPos64(z->reader);
    if (begin > z->view->size || e->size > z->view->size - begin)
        return zip_damaged(z, "an entry ends behind the file", err);
    const unsigned char *bytes = z->view->data + begin;
    if (crc32_z(0, bytes, e->size) != e->crc)
        return fail(err, BERT_ERR_FORMAT, "%s: entry %s: CRC-32 is wrong", z->path, e->name);
    e->bytes = bytes;
    return BERT_OK;
}

static bert_status inflate_entry(const zip_file *z, zip_entry *e, bert_err *err)
{
    unsigned char *bytes = arena_alloc_raw(z->memory, e->size);
    if (!bytes)
        return fail_memory(err, e->name);
    for (size_t done = 0; done < e->size;) {
        size_t want = e->size - done < (1u << 30) ? e->size - done : 1u << 30;
        int got = unzReadCurrentFile(z->reader, bytes + done, (unsigned)want);
        if (got <= 0)
            return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: entry %s: damaged at byte %zu of %zu", z->path, e->name,
                                  done, e->size);
        done += (size_t)got;
    }
    if (crc32_z(0, bytes, e->size) != e->crc)
        return fail(err, BERT_ERR_FORMAT, "%s: entry %s: CRC-32 is wrong", z->path, e->name);
    e->bytes = bytes;
    return BERT_OK;
}

bert_status zip_bytes(zip_file *z, const char *name, const unsigned char **bytes, size_t *size, bert_err *err)
{
    zip_entry key = { .name = name }, *e = bsearch(&key, z->entries, z->n, sizeof key, zip_entry_by_name);
    bert_status s = BERT_OK;
    *bytes = NULL;
    *size = 0;
    if (!e)
        return BERT_OK;
    if (!e->bytes) {
        errno = 0;
        if (unzGoToFilePos64(z->reader, &e->place) != UNZ_OK || unzOpenCurrentFile(z->reader) != UNZ_OK)
            return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: entry %s: damaged", z->path, name);
        s = e->method == STORED ? view_stored(z, e, err) : inflate_entry(z, e, err);
        unzCloseCurrentFile(z->reader);
    }
    *bytes = e->bytes;
    *size = e->size;
    return s;
}
