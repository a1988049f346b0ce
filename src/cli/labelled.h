/* Tables in memory: with labels, as train, eval and freeze read them, and without. */
#pragma once

#include "bert.h"

/* Loads a table. With --skip-bad-rows rows whose label does not suit `head` are left out, too: the task, and the labels
 * where there are any. Those of task tokens are tags. */
bert_status labelled_load(const char *path, const bert_table_options *table, const bert_head_spec *head,
                          bert_dataset **dataset, bert_err *err);

/* The first 65536 rows of a table, whose labels nobody asks for and are empty: more would tell nothing new of a speed
 * or of how two models differ. Tells what a person would want to know of how they were read. */
bert_status unlabelled_load(const char *path, const bert_table_options *table, bert_dataset **dataset, bert_err *err);

/* What the labels of a model's data must be. */
bert_head_spec labelled_head(const bert_model *model);
