/* The Hugging Face hub: which files of a repository are wanted. bert_pull, in bert.h, brings them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A file of a repository, as its listing tells. */
typedef struct hub_file {
    const char *name;  /* in the repository's folder */
    uint64_t size;     /* bytes; 0: not told */
    char checksum[65]; /* 64 digits of SHA-256 or 40 of a git blob's SHA-1; "": not told */
} hub_file;

/* The files of a listing; `url` is for messages. All memory is the arena's. Fails with BERT_ERR_NETWORK,
 * BERT_ERR_MEMORY. */
bert_status hub_read_listing(arena *a, const char *bytes, size_t n_bytes, const char *url, hub_file **files, size_t *n,
                             bert_err *err);

/* Chooses from a repository's files what an import reads: configuration, vocabulary, tokeniser, and weights in the best
 * form there is (safetensors before PyTorch's, one file before shards). *chosen: *n files in the order of `files`,
 * arena memory; they are those given. Fails with BERT_ERR_UNSUPPORTED where there are no such weights, BERT_ERR_FORMAT
 * where a name leads out of the folder. */
bert_status hub_choose(arena *a, const hub_file *files, size_t n_files, const char *repository,
                       const hub_file ***chosen, size_t *n, bert_err *err);
