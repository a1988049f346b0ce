/* Counting whole entities, as seqeval and conlleval do. */
#pragma once

#include "task/counts.h"
#include "task/outcomes.h"

/* Into c->labels (as many as the model has), under the first label of each type: entities predicted, true, and both.
 * *types receives how many types the model has. Memory is the arena's. */
bert_status entities_count(const outcomes *o, counts *c, size_t *types, arena *a, bert_err *err);
