/* The one rule of what stands where something is about to be written. bert_output and bert_output_check are bert.h's:
 * every verb asks them before it begins, so that a refusal costs nothing. */
#pragma once

#include "bert.h"

/* What marks a file or folder as an export of libbert: in ONNX the producer, in GGUF and model.safetensors a key of the
 * metadata, in a page the generator. */
#define TARGET_MARK "libbert"
