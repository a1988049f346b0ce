/* The Hugging Face hub: which files of a repository are wanted. bert_pull, in bert.h, brings them. */
#ifndef IO_HUB_H
#define IO_HUB_H

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>

/* Chooses from a repository's files what an import reads: configuration, vocabulary, tokeniser, and weights in the best form there is
 * (safetensors before PyTorch's, one file before shards). *chosen: *n names in the order of `names`, arena memory; they are those given.
 * Fails with BERT_ERR_UNSUPPORTED where there are no such weights, BERT_ERR_FORMAT where a name leads out of the folder. */
bert_status hub_choose(arena *a, const char *const *names, size_t n_names, const char *repository, const char ***chosen, size_t *n,
                       bert_err *err);

#endif
