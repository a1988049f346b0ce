/* What torch.save wrote: pytorch_model.bin, .pt, .pth. Since version 1.6 a zip (torch_zip.h), before it pickles with
 * raw storages behind them (torch_legacy.h). In both a pickle describes the tensors; it is read by a machine that knows
 * the opcodes of a state dict and builds tensors alone (torch_pickle.h). Nothing in a file is run. */
#pragma once

#include "formats/tensors.h"

/* Opens the file. Tensors that are not contiguous are made so; those of types that libbert has not are listed without
 * elements. Of a dict that holds the state dict beside other things ({"state_dict": {...}, "epoch": 3}, {"model":
 * {...}}) the state dict is taken. Fails with BERT_ERR_FORMAT (damaged; a pickle that wants to run code: the message
 * names the global), BERT_ERR_UNSUPPORTED (a whole module instead of its state dict; opcodes of other protocols). */
bert_status torch_file_open(tensor_set *set, const char *path, bert_err *err);

/* Opens the shards that a pytorch_model.bin.index.json names, as one set. */
bert_status torch_file_open_sharded(tensor_set *set, const char *index_path, bert_err *err);
