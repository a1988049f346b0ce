/* pytorch_model.bin as torch.save writes it since 1.6: a zip with NAME/data.pkl (a pickle) and NAME/data/KEY (raw storages).
 * The pickle is read by a machine that knows the opcodes of a state dict and builds tensors alone; any other global is refused. */
#ifndef IO_TORCH_ZIP_H
#define IO_TORCH_ZIP_H

#include "io/tensors.h"

/* Opens the file. Tensors that are not contiguous are made so. Nested dicts such as {"state_dict": {...}} are not unwrapped.
 * Fails with BERT_ERR_FORMAT (damaged; a pickle that wants to run code: the message names the global), BERT_ERR_UNSUPPORTED (the old
 * format from before zip; opcodes of other protocols). */
bert_status torch_zip_open(tensor_set *set, const char *path, bert_err *err);

/* Opens the shards that a pytorch_model.bin.index.json names, as one set. */
bert_status torch_zip_open_sharded(tensor_set *set, const char *index_path, bert_err *err);

#endif
