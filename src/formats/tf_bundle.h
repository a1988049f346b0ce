/* TensorFlow's V2 checkpoint: PREFIX.index (a LevelDB-format SSTable of BundleHeaderProto and BundleEntryProto) and
 * PREFIX.data-00000-of-0000N (raw tensors). Source of the format: tensorflow/core/util/tensor_bundle,
 * tensorflow/core/lib/io/table. */
#pragma once

#include "formats/tensors.h"

/* Opens PREFIX; the data files are mapped. Blocks of the index and tensors that are read are checked by their CRC-32C.
 * Optimiser slots and the like are listed: who reads by name skips them. check_data: false leaves the tensors' CRCs
 * alone (inspection), and lets the data files be absent (data is NULL then). */
bert_status tf_bundle_open(tensor_set *set, const char *prefix, bool check_data, bert_err *err);

/* The prefix that a folder holds: that of its TF1 `checkpoint` file (model_checkpoint_path, relative or absolute), else
 * of its only *.index file. Arena memory. Fails with BERT_ERR_FORMAT, also where there are several. */
bert_status tf_bundle_prefix(arena *a, const char *folder, char **prefix, bert_err *err);
