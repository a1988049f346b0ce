/* Files that people take for a checkpoint and that libbert does not read: what they are, and what to do. One table
 * (foreign.c), matched by a file's first or last bytes, by its name, or by the names of its tensors. */
#pragma once

#include "formats/tensors.h"

/* Each fails with BERT_ERR_UNSUPPORTED where the table knows it, naming it, and is BERT_OK else. */

/* A file's bytes; an empty file, too. `path` is for the message. */
bert_status foreign_check_bytes(const unsigned char *bytes, size_t n, const char *path, bert_err *err);
/* A file's name and bytes; one that cannot be read is not this check's business. */
bert_status foreign_check_file(const char *path, bert_err *err);
/* A folder's files, by name and bytes: for a folder in which nothing was found that can be read. */
bert_status foreign_check_folder(const char *folder, bert_err *err);
/* The names of tensors among which no BERT was found. */
bert_status foreign_check_tensors(const tensor_set *set, const char *path, bert_err *err);
