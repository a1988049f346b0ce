/* From what a pickle says of tensors, and a container's storages, to the tensors of a set. */
#pragma once

#include "formats/torch_pickle.h"

/* The storages of a container. */
typedef struct torch_storages {
    const char *path;  /* of the file, in set memory */
    size_t total_size; /* of all storages, unpacked */
    void *context;
    /* The bytes of a storage, *bytes NULL where there is none, and what messages call it. */
    bert_status (*find)(void *context, const char *key, const char **name, const unsigned char **bytes, size_t *size,
                        bert_err *err);
} torch_storages;

/* Adds the tensors of a state dict: in place where they lie as they are read, else gathered. Fails with BERT_ERR_FORMAT
 * where a storage is absent or of another size than the pickle says. */
bert_status torch_tensors_add(tensor_set *set, const torch_state *state, const torch_storages *storages, bert_err *err);
