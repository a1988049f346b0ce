/* A frozen model: one safetensors file. Its tensors are the weights that prediction reads, under their Hugging Face names; its metadata holds
 *     libbert      JSON: format, version, configuration, layer spec, seq_layer, task, labels, head, do_lower_case, signature
 *     vocabulary   vocab.txt as it is
 * A frozen file opens as a module of which nothing is tuned, with the same layer on it: so a prediction takes one way. */
#ifndef INFER_FROZEN_H
#define INFER_FROZEN_H

#include "model/model.h"

enum { FROZEN_VERSION = 1 };

/* True where the file begins as a safetensors file whose metadata names libbert's frozen format; errors read as false. */
bool frozen_is(const char *path);

bert_status frozen_open(const char *path, bert_model **model, bert_err *err);

#endif
