/* Files brought over HTTP(S), whole or not at all. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* One file from a URL to a path. Bytes go to PATH.part (its entity tag to PATH.part.etag), which a later call resumes
 * where the server's file is still the same; when it is whole and right it gets its name. Redirects are followed. A
 * broken or stalled transfer and statuses that may pass (5xx, 429, 408) are tried up to five times with growing pauses.
 * What a server sends of the middle of a file is taken if it is the rest of what is here, up to its end, and of the
 * same file; else the file is fetched from its start. Of a body that is longer than it should be nothing is kept.
 * Two calls for one path, of whatever processes, wait for each other. */
typedef struct download {
    const char *url, *path;
    const char *name;       /* what progress calls the file; NULL: the last part of path */
    const char *bearer;     /* a token, sent to the URL's host alone; NULL: none */
    const char *expected;   /* checksum: 64 hexadecimal digits of SHA-256, 40 of a git blob's SHA-1; NULL: not known */
    uint64_t expected_size; /* bytes; 0: not known */
    uint64_t most;          /* a body of more bytes than this, where no size is known, has no end; 0: 64 GiB */
    bool from_hub; /* an (X-Linked-)ETag of 64 hexadecimal digits is the file's SHA-256, one of 40 its git blob SHA-1:
                    * the file is checked against it, and one that stands at path with that checksum (where the server
                    * sends none: that length) is kept */
    bool optional; /* 404 is no failure: `missing` tells */
    double pause;  /* seconds before the second try, doubled before each further one; 0: 0.5 */
    long stall_seconds; /* a transfer that brings less than 256 bytes a second for so long is broken; 0: 30 */
    bert_download_progress progress;
    void *context;

    bool missing; /* out: the server answered 404 */
    bool kept;    /* out: what stood at path is what the server has */
} download;

/* Fails with BERT_ERR_NETWORK (the message begins with the URL), BERT_ERR_IO, BERT_ERR_STOPPED, BERT_ERR_ARGUMENT,
 * BERT_ERR_MEMORY. */
bert_status download_file(download *d, bert_err *err);
