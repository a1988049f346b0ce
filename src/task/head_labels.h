/* Labels and scale of a head, from a data set: what kinds of label choose them with. */
#pragma once

#include "task/tasks.h"

/* Names the data set and the task before a message. */
bert_status head_wrong_labels(const bert_head_spec *head, const bert_dataset *d, const char *why, bert_err *err);

/* All words that `next` finds become the head's labels, in the order of their bytes; they belong to the data set. Fails
 * with BERT_ERR_MEMORY. */
bert_status head_gather_labels(bert_head_spec *head, const bert_dataset *d, label_reader *next, bert_err *err);

/* Fails with BERT_ERR_ARGUMENT where labels are numbers and the head has no scale for them. */
bert_status head_check_scale(const bert_head_spec *head, const task *t, bert_err *err);
