/* The pickle of a state dict: names, and where each tensor lies in which storage. Nothing in it is run.
 * Source: Python's pickletools.py for the opcodes, torch/_utils.py and torch/serialization.py for what a state dict
 * calls. */
#pragma once

#include "formats/tensors.h"

/* A tensor as torch describes it: element (i, j, ...) is element offset + i * stride[0] + j * stride[1] + ... of its
 * storage. */
typedef struct torch_tensor {
    const char *storage; /* its key; of DTYPE_OTHER none is asked for */
    int64_t storage_n;   /* elements of the storage */
    int64_t offset;
    tensor shape; /* type, rank, shape and n are set */
    int64_t stride[TENSOR_MAX_RANK];
} torch_tensor;

typedef struct torch_name {
    const char *name;
    size_t index; /* of the tensor: two names may share one */
} torch_name;

/* A storage that a tensor was made of: its elements, and the bytes of one. */
typedef struct torch_storage {
    const char *key;
    int64_t n;
    size_t element;
} torch_storage;

/* What a pickle holds. All arena memory. */
typedef struct torch_state {
    torch_storage *storages; /* one of a key may stand several times */
    size_t n_storages;
    torch_tensor *tensors;
    size_t n_tensors;
    torch_name *names;
    size_t n_names;
    size_t end; /* one past its last byte */
} torch_state;

/* Bytes that begin with a pickle at `at`, and what messages call file and pickle. */
typedef struct torch_pickle {
    const char *path, *name;
    const unsigned char *bytes;
    size_t n, at;
} torch_pickle;

/* Reads a pickled dict and keeps what is a tensor under a string, of the dict itself or of the state dict that it holds
 * beside other things. Every tensor lies within its storage's elements. Fails with BERT_ERR_FORMAT (damaged, or it asks
 * for anything but tensors), BERT_ERR_UNSUPPORTED (another protocol, an unknown opcode). */
bert_status torch_pickle_read(torch_state *state, arena *a, const torch_pickle *pickle, bert_err *err);
