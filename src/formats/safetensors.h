/* safetensors: 8 bytes little-endian header size, a JSON header { name: { dtype, shape, data_offsets }, "__metadata__":
 * { string: string } }, then the data, without holes. Specification: huggingface/safetensors. */
#pragma once

#include "base/buffer.h"
#include "formats/tensors.h"

#include <jansson.h>

/* Opens one file, mapped. metadata, where not NULL, receives the "__metadata__" object or an empty one (the caller's:
 * json_decref). */
bert_status safetensors_open(tensor_set *set, const char *path, json_t **metadata, bert_err *err);
/* Opens the shards that a model.safetensors.index.json names, as one set. */
bert_status safetensors_open_sharded(tensor_set *set, const char *index_path, bert_err *err);
/* Writes the tensors in the order given, F32/any type as is; data begins at a multiple of 64. Atomic. metadata: object
 * of strings or NULL. */
bert_status safetensors_write(const char *path, const tensor *items, size_t n, json_t *metadata, bert_err *err);
/* The same with the metadata by which transformers knows whose weights they are; what: what libbert calls the file, or
 * NULL. */
bert_status safetensors_write_torch(const char *path, const tensor *items, size_t n, const char *what, bert_err *err);

/* The same in two steps, for who has something to put into the header or to do before the file appears: the bytes
 * before the data ("__metadata__" comes first, its members in their order), and header and data into a file under way,
 * whose errors are its own. */
bert_status safetensors_header(buffer *header, const char *path, const tensor *items, size_t n, json_t *metadata,
                               bert_err *err);
void safetensors_write_to(file_writer *w, const buffer *header, const tensor *items, size_t n);
