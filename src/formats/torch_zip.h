/* torch.save's container since version 1.6: a zip with NAME/data.pkl (a pickle) and NAME/data/KEY (raw storages). */
#pragma once

#include "formats/tensors.h"

/* Adds the tensors of a file that begins as a zip does; the set owns the mapping already. */
bert_status torch_zip_read(tensor_set *set, const char *path, const file_mapping *view, bert_err *err);
