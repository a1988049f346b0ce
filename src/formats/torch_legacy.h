/* torch.save's container before version 1.6, still written where _use_new_zipfile_serialization is false: five pickles
 * (a magic number, protocol 1001, the machine's byte order and sizes, the object, the sorted keys of its storages),
 * then for each key an int64 number of elements and the elements. Source: _legacy_save in torch/serialization.py. */
#pragma once

#include "formats/tensors.h"

/* Whether the file begins with the magic number, pickled by whatever protocol. */
bool torch_legacy_is(const file_mapping *view);

/* Adds the file's tensors; the set owns the mapping already. */
bert_status torch_legacy_read(tensor_set *set, const char *path, const file_mapping *view, bert_err *err);
