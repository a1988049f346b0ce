/* Downloads over libcurl, the cache of archives, and the unpacking of .tar.gz. */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

/* One file from a URL to a path: resumes PATH.part, follows redirects, retries what may pass, checks expected_sha256 (hex or NULL) and
 * the length that the server names, renames when whole. bearer: a token or NULL (sent to the first host alone). etag_sha256: check
 * against an X-Linked-Etag header of 64 hex digits, as the Hugging Face hub sends for large files. */
typedef struct fetch_request {
    const char *url, *path, *bearer, *expected_sha256;
    bool optional; /* 404 is no failure: *missing tells */
    bool missing;
    bert_download_progress progress;
    void *context;
} fetch_request;
bert_status fetch_file(fetch_request *request, bert_err *err);

/* A module by address, archive or folder: sets *folder (arena memory) to the folder on disk: path itself for a folder, else the unpacked
 * archive in the cache. A .tar.gz may hold the module at its top or in one folder. */
bert_status fetch_module(arena *a, const char *path, char **folder, bert_err *err);

/* Unpacks a .tar.gz into a new folder. Refuses absolute names, "..", links, devices; sizes are checked against the archive. */
bert_status tar_gz_unpack(const char *archive, const char *folder, bert_err *err);

#endif
