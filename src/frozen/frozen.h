/* A frozen model: one safetensors file, used where it is mapped. Its tensors are what prediction multiplies by and
 * reads (net/weight_forms.h), "vocabulary", U8 [bytes], which is vocab.txt or tokenizer.bin as it is, and its trie
 * (text/trie.h), which files of before lack. Its metadata is, in this order,
 *     format       "libbert.frozen"
 *     crc32c       CRC-32C of the file up to the data, with eight zeros in place of its own digits: checked whenever
 *                  the file is opened
 *     data_sha256  of the bytes behind the header: checked by bert_verify
 *     libbert      JSON: format, version, precision, endian, configuration, layer spec, seq_layer, tokenizer,
 *                  normalize, task, labels, head, signature
 * Every version begins like this, so that an older libbert can tell a newer file from a damaged one. A frozen file
 * opens as a module of which nothing is tuned, with the same layer on it: so a prediction takes one way. */
#pragma once

#include "base/buffer.h"
#include "models/model.h"
#include "text/trie.h"

#define FROZEN_TRIE "vocabulary.trie"

enum { FROZEN_VERSION = 3, FROZEN_TRIE_COLUMNS = sizeof(trie_node) / sizeof(int32_t) };

/* True where the file begins as a frozen one; errors read as false. */
bool frozen_is(const char *path);

/* Fails with BERT_ERR_FORMAT (damaged, cut, no frozen model), BERT_ERR_UNSUPPORTED (of another version, for another
 * endianness). */
bert_status frozen_open(const char *path, bert_model **model, bert_err *err);

/* Compares the data with its hash, before anything else is made of it. */
bert_status frozen_verify(const char *path, bert_err *err);

/* "fp32", "bf16" or "int8": the choices of bert_freeze_options, and a file's word; ends with NULL. */
extern const char *const FROZEN_PRECISIONS[];
extern const weight_storage FROZEN_FORMS[]; /* in the same order: how weights stand in the file */
/* That of an open frozen module. */
const char *frozen_precision(const bert_module *module);

/* Puts a header's CRC into it. false: it does not begin as a frozen file's. */
bool frozen_seal(buffer *header);
