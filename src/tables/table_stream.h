/* The bytes of a table: a file or standard input, plain or gzip (RFC 1952, any number of members). */
#pragma once

#include "base/error.h"

#include <zlib.h>

/* All zero is closed. */
typedef struct table_stream {
    const char *name; /* what messages call it: the path, or "standard input" */
    bool open, gzip;
    int fd;
    bool ended;           /* the file has no more bytes than those in input */
    unsigned char *input; /* bytes as they stand in the file: */
    size_t at, n;         /* input[at .. n) are still to be used */
    uint64_t before;      /* bytes of the file before input[0] */
    uint64_t taken;       /* bytes that came from the file */
    uint64_t size;        /* of the file, from where reading began; 0: not a regular file */
    z_stream z;
    bool between_members; /* of a gzip file: behind the end of a member */
} table_stream;

/* path must outlive the stream. What begins as gzip does is unpacked, whatever its name; a name in .gz must hold
 * gzip. */
bert_status table_stream_open(table_stream *s, const char *path, bert_err *err);

/* At least one byte, at most room of them; *n is 0 at the end. Fails with BERT_ERR_IO; BERT_ERR_FORMAT (gzip that is
 * cut off or damaged, with the byte of the file). */
bert_status table_stream_read(table_stream *s, char *to, size_t room, size_t *n, bert_err *err);

/* Whether reading would have to wait for whoever writes the other end of a pipe. */
bool table_stream_would_wait(const table_stream *s);

/* Bytes of the file that have been used. */
static inline uint64_t table_stream_used(const table_stream *s)
{
    return s->taken - (s->n - s->at);
}

void table_stream_close(table_stream *s);
