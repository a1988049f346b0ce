/* A set of named tensors as every weight format gives it: views into mapped files where the format allows, else copies
 * that the set owns. safetensors.h, tf_bundle.h and torch_file.h open one from their format. */
#pragma once

#include "base/arena.h"
#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F64,
    DTYPE_I64,
    DTYPE_I32,
    DTYPE_I16,
    DTYPE_I8,
    DTYPE_U8,
    DTYPE_BOOL,
    /* anything else that a file may hold (strings, complex, quantised, float8, too many dimensions): listed, never
     * read */
    DTYPE_OTHER
} dtype;

const char *dtype_name(dtype t);    /* safetensors' names: "F32", "BF16", ... */
dtype dtype_find(const char *name); /* of such a name; DTYPE_OTHER where it is none of them */
size_t dtype_size(dtype t);         /* bytes an element; 0 for DTYPE_OTHER */

bool dtype_is_real(dtype t); /* a type of numbers with a fraction */

enum { TENSOR_MAX_RANK = 8 };

/* Of a tensor that is stored in parts: what one of them holds, along the side that was cut. */
typedef struct tensor_part {
    const void *data; /* as tensor.data */
    int64_t start, length;
} tensor_part;

typedef struct tensor {
    const char *name;
    const char *file; /* for messages: the file that it stands in */
    dtype type;
    int rank; /* above TENSOR_MAX_RANK: the shape is not kept, n is 0, the type is DTYPE_OTHER */
    int64_t shape[TENSOR_MAX_RANK];
    size_t n; /* elements */
    /* n elements, little-endian, any alignment; NULL where the type is DTYPE_OTHER or they are not there, or in
     * parts */
    const void *data;
    const tensor_part *parts; /* (n_parts) they fill the side `axis`, one behind the other; NULL: none */
    size_t n_parts;
    int axis;
} tensor;

/* All zero is an empty set. */
typedef struct tensor_set {
    tensor *items; /* sorted by name */
    size_t n;
    arena memory;        /* names, copies */
    file_mapping *files; /* what the views point into */
    size_t n_files;
} tensor_set;

const tensor *tensors_find(const tensor_set *set, const char *name); /* NULL where there is none */
void tensors_close(tensor_set *set);

/* Writes the n elements as float32; fails with BERT_ERR_FORMAT for a type that is no number. F64 is rounded. */
bert_status tensor_to_f32(const tensor *t, float *out, bert_err *err);
/* "[30522, 384]" for messages. */
enum { TENSOR_SHAPE_TEXT = 192 };
const char *tensor_shape_text(const tensor *t, char text[TENSOR_SHAPE_TEXT]);

/* Builds a set: used by the formats. Each fails with BERT_ERR_MEMORY. */

/* Sets t->n from its shape; *bytes receives n * dtype_size. False where a side is negative or either product does not
 * fit. */
bool tensor_count(tensor *t, size_t *bytes);
/* copies the struct; the name must be in set->memory or outlive it */
bert_status tensors_add(tensor_set *set, const tensor *t, bert_err *err);
/* takes the mapping over, also when it fails */
bert_status tensors_keep_file(tensor_set *set, file_mapping *file, bert_err *err);
/* Sorts by name; fails with BERT_ERR_FORMAT where a name stands twice. */
bert_status tensors_seal(tensor_set *set, const char *path, bert_err *err);

/* Where a tensor lies: bytes [begin, end) of one of the parts that a checkpoint is made of. */
typedef struct tensor_range {
    size_t part, begin, end;
    const char *name;
} tensor_range;

/* Sorts them by their place; fails with BERT_ERR_FORMAT where two share a byte. */
bert_status tensor_ranges_check(tensor_range *ranges, size_t n, const char *path, bert_err *err);
