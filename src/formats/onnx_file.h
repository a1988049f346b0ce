/* An ONNX file: a graph of operators, built node by node, and its weights, which are written one after another and
 * never held together.
 * Specification: onnx/docs/IR.md, onnx/docs/Operators.md. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    ONNX_IR_VERSION = 8, /* what goes with operator set 17 */
    ONNX_OPERATOR_SET = 17,
    ONNX_MAX_RANK = 4
};

typedef enum onnx_type { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_BOOL = 9 } onnx_type; /* TensorProto.DataType */

/* A side of a graph's input or output: a name where it is dynamic, else a size. */
typedef struct onnx_side {
    const char *name;
    int64_t size;
} onnx_side;

/* Names of tensors, the ends of the graph's edges. They must outlive the graph, as all strings that are given to it. */
typedef const char *onnx_name;

/* Opaque lists of messages; memory is the arena's. */
typedef struct onnx_list {
    void **items;
    size_t n, capacity;
} onnx_list;

/* A graph under way. All zero but for memory is an empty one; what it was made of goes with the arena. */
typedef struct onnx_graph {
    arena *memory;
    onnx_list nodes, constants, weights, inputs, outputs, metadata;
    bool failed; /* memory ran out: told by onnx_write */
} onnx_graph;

void onnx_input(onnx_graph *g, onnx_name name, onnx_type type, size_t rank, const onnx_side *sides);
void onnx_output(onnx_graph *g, onnx_name name, onnx_type type, size_t rank, const onnx_side *sides);
void onnx_metadata(onnx_graph *g, const char *key, const char *value);

/* A node with one output, which gets a name of its own; inputs end with NULL. Attributes belong to the node that was
 * added last. */
onnx_name onnx_node(onnx_graph *g, const char *operator, const onnx_name * inputs);
#define ONNX_NODE(g, operator, ...) onnx_node(g, operator,(const onnx_name[]){ __VA_ARGS__, NULL })
void onnx_attribute_int(onnx_graph *g, const char *name, int64_t value);
void onnx_attribute_ints(onnx_graph *g, const char *name, const int64_t *values, size_t n);
void onnx_attribute_float(onnx_graph *g, const char *name, float value);
/* Gives the output of the last node the name of an output of the graph. */
void onnx_rename(onnx_graph *g, onnx_name name);

/* Constants: a number, and a vector of n; the same numbers again give the same tensor. */
onnx_name onnx_number(onnx_graph *g, float value);
onnx_name onnx_integers(onnx_graph *g, const int64_t *values, size_t n);
#define ONNX_INTEGERS(g, ...) \
    onnx_integers(g, (const int64_t[]){ __VA_ARGS__ }, sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

/* A float32 weight, (rows, cols), or (rows) where cols is 0. transposed: what onnx_values gives is (cols, rows). */
onnx_name onnx_weight(onnx_graph *g, onnx_name name, size_t rows, size_t cols, bool transposed);

/* The numbers of the weight that was added i-th; they must stay until the next call. */
typedef bert_status onnx_values(void *context, size_t i, const float **values, bert_err *err);

/* Writes the file, whole or not at all. Fails with BERT_ERR_UNSUPPORTED where it would be 2 GiB or more, which no
 * reader takes; BERT_ERR_IO, BERT_ERR_MEMORY. */
bert_status onnx_write(onnx_graph *g, const char *path, onnx_values *values, void *context, bert_err *err);

/* Whether a file that onnx_write wrote is whole: each message ends where it says, each tensor has the bytes that its
 * shape takes. onnx_write asks before it renames. Fails with BERT_ERR_FORMAT, naming the message or tensor and its
 * byte; BERT_ERR_IO, BERT_ERR_MEMORY. */
bert_status onnx_check(const char *path, bert_err *err);
