/* The forms that a frozen file has of weights. Matrices of layers and pooler are panels (ops/dense_pack.h), under the
 * name of their entry:
 *     fp32   F32 [panels, in, 32]
 *     bf16   BF16 [panels, in / 2 rounded up, 32, 2]
 *     int8   I8 [panels, in / 4 rounded up, 32, 4], NAME.scale F32 [panels * 32], NAME.sums I32 [panels * 32]; the
 *            pooler is as in fp32
 * Query, key and value of a layer are one matrix, self.query_key_value.weight; in the last layer self.query.weight and
 * self.key_value.weight. Embedding tables are F32 or BF16 [rows, H], or I8 [rows, H] and NAME.scale F32 [rows]. All
 * else is plain F32. */
#pragma once

#include "net/weights.h"

/* Lays the list over a frozen file's tensors, where they are mapped. stored: how the file has them. A missing tensor,
 * another type or shape, or one that does not begin at a multiple of 64 bytes fails with BERT_ERR_FORMAT. */
bert_status weights_read_forms(weight_list *list, arena *a, const tensor_set *set, weight_storage stored,
                               const char *path, bert_err *err);

/* Makes the forms of a list whose entries have values, in the arena. Fails with BERT_ERR_MEMORY, BERT_ERR_UNSUPPORTED
 * (a matrix too large for int8). */
bert_status weights_make_forms(weight_list *list, arena *a, weight_storage stored, bert_err *err);

/* Gives entries that are in forms their values, in the arena: those of fp32 exactly, those that bf16 and int8 stand
 * for. Fails with BERT_ERR_MEMORY. */
bert_status weights_leave_forms(weight_list *list, arena *a, bert_err *err);

/* The tensors of a list that has forms, in the order in which a file holds them: what is multiplied by begins at
 * multiples of 64. *items and the names are arena memory. */
bert_status weights_form_tensors(const weight_list *list, arena *a, tensor **items, size_t *n, bert_err *err);

/* Lays a linear of so many entries, from this one on, over their values or a form that holds them. Without either it
 * has no weight. */
bert_status linear_over_weights(linear *l, const weight_list *list, const bert_param *weight, size_t entries,
                                const bert_param *bias, bert_err *err);
