/* Tables with labels, as train, eval and freeze read them. */
#ifndef CLI_LABELLED_H
#define CLI_LABELLED_H

#include "bert.h"

/* Loads a table. With --skip-bad-rows rows whose label does not suit `head` are left out, too: the task, and the labels where there are any. Those of
 * task tokens are tags. */
bert_status labelled_load(const char *path, const bert_table_options *table, const bert_head_spec *head, bert_dataset **dataset, bert_err *err);

/* What the labels of a model's data must be. */
bert_head_spec labelled_head(const bert_model *model);

#endif
