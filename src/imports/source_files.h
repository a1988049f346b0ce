/* The files of a published checkpoint. */
#pragma once

#include "imports/source.h"

/* Finds out what a folder or file is: sets form, kind, folder, outer, n_steps, weights_path. Fails with
 * BERT_ERR_UNSUPPORTED where it is something else that is known (io/foreign.h), which the message names. */
bert_status source_find(source *s, const char *path, bert_err *err);
/* Opens what was found: sets tensors and hub. */
bert_status source_open_tensors(source *s, bool with_data, bert_err *err);

/* The path of the first of the names that exists in the source's folder; NULL where none does. Fails with
 * BERT_ERR_MEMORY. */
bert_status source_find_beside(source *s, const char *const *names, char **path, bert_err *err);
