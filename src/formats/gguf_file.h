/* A GGUF file, version 3: "GGUF", the version, the numbers of tensors and of keys; the keys with their values; of each
 * tensor its name, sides, type and place; then the tensors, each at a multiple of 32 bytes. All little-endian.
 * Specification: ggml-org/ggml docs/gguf.md. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { GGUF_VERSION = 3, GGUF_ALIGNMENT = 32, GGUF_BLOCK = 32 /* numbers that share a scale in Q8_0 */ };

typedef enum gguf_type { GGUF_F32 = 0, GGUF_F16 = 1, GGUF_Q8_0 = 8 } gguf_type;

/* Types of keys. */
enum {
    GGUF_VALUE_UINT32 = 4,
    GGUF_VALUE_INT32 = 5,
    GGUF_VALUE_FLOAT32 = 6,
    GGUF_VALUE_BOOL = 7,
    GGUF_VALUE_STRING = 8,
    GGUF_VALUE_ARRAY = 9
};

typedef struct gguf_tensor {
    const char *name; /* must outlive the file */
    gguf_type type;
    size_t rows, cols; /* cols 0: a vector of rows numbers. Q8_0: cols is a multiple of GGUF_BLOCK */
} gguf_tensor;

/* A file under way. All zero is an empty one. */
typedef struct gguf_file {
    buffer keys;
    uint64_t n_keys;
    gguf_tensor *tensors;
    size_t n_tensors;
} gguf_file;

void gguf_free(gguf_file *g);

void gguf_uint32(gguf_file *g, const char *key, uint32_t value);
void gguf_float32(gguf_file *g, const char *key, float value);
void gguf_bool(gguf_file *g, const char *key, bool value);
void gguf_string(gguf_file *g, const char *key, const char *value);
void gguf_strings(gguf_file *g, const char *key, const bert_text *values, size_t n);
void gguf_int32s(gguf_file *g, const char *key, const int32_t *values, size_t n);

/* Bytes of a tensor's numbers, and of the zeros behind so many bytes. False where the product does not fit. */
bool gguf_tensor_bytes(const gguf_tensor *t, size_t *bytes);
size_t gguf_padding(size_t size);

void gguf_add_tensor(gguf_file *g, gguf_tensor tensor);

/* The numbers of the tensor that was added i-th; they must stay until the next call. */
typedef bert_status gguf_values(void *context, size_t i, const float **values, bert_err *err);

/* Writes the file, whole or not at all. Fails with BERT_ERR_UNSUPPORTED where a number is beyond what a tensor's type
 * holds; BERT_ERR_IO, BERT_ERR_MEMORY. */
bert_status gguf_write(gguf_file *g, const char *path, gguf_values *values, void *context, bert_err *err);

/* Whether a file that gguf_write wrote is whole: keys, tensors one behind another, and nothing else. gguf_write asks
 * before it renames. Fails with BERT_ERR_FORMAT, naming the key or tensor; BERT_ERR_IO, BERT_ERR_MEMORY. */
bert_status gguf_check(const char *path, bert_err *err);
