/* Weights in several files: NAME.index.json says which tensor stands in which file,
 * { "metadata": {...}, "weight_map": { tensor: file name } }. Source: Hugging Face transformers. */
#pragma once

#include "formats/tensors.h"

/* Adds one file's tensors to a set; the set is not sealed. */
typedef bert_status (*shard_reader)(tensor_set *set, const char *path, bert_err *err);

/* Opens the files that an index names, which stand beside it, as one set. Fails with BERT_ERR_FORMAT where a tensor is
 * not in the file that the index says, and where a file name leads elsewhere. */
bert_status shards_open(tensor_set *set, const char *index_path, shard_reader read, bert_err *err);
