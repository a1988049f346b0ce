/* The parts of a partitioned variable. A bundle's index holds an entry for the whole, which lists its slices, and one
 * for each slice, whose key is made of the tensor's name and the slice. Source:
 * tensorflow/core/util/{saved_tensor_slice_util,tensor_slice_writer}.cc,
 * tensorflow/core/lib/strings/ordered_code.cc. */
#pragma once

#include "base/buffer.h"
#include "formats/tensors.h"
#include "tf_bundle.pb-c.h"

/* Appends the key of a slice of a tensor. */
void tf_slice_key(buffer *key, const char *name, const Tf__TensorSliceProto *slice);
/* "NAME [0:100, :]" for messages. */
void tf_slice_name(buffer *text, const char *name, const Tf__TensorSliceProto *slice);

/* The side that a tensor's slices are cut on. Fails with BERT_ERR_FORMAT for a slice that is none of the tensor;
 * BERT_ERR_UNSUPPORTED where they are cut on several: TensorFlow's partitioners cut one. */
bert_status tf_slices_axis(const tensor *whole, Tf__TensorSliceProto *const *slices, size_t n, const char *path,
                           int *axis, bert_err *err);

/* A part of the whole that was read. Fails with BERT_ERR_FORMAT where its type is another, or its shape not that of its
 * slice. */
bert_status tf_slice_place(const tensor *whole, int axis, const tensor *part, const Tf__TensorSliceProto *slice,
                           const char *path, tensor_part *place, bert_err *err);

/* Sorts the parts; fails with BERT_ERR_FORMAT where something of the whole is in none of them, or in two. */
bert_status tf_slices_check(const tensor *whole, int axis, tensor_part *parts, size_t n, const char *path,
                            bert_err *err);
