/* Rows of the same tokens: a row's vectors depend on nothing else, so one of them is computed for all. */
#pragma once

#include "data/token_rows.h"

/* The first of rows first .. first + n - 1 that has the tokens of each of them: (n), counted from `first`, in arena
 * memory. NULL: out of memory. Rows are one sequence each. */
uint32_t *same_tokens_find(const token_rows *t, size_t first, size_t n, arena *a);

/* The sequences of rows first .. first + n - 1 of form APART as rows of their own, over the same ids, in arena memory.
 * false: out of memory. */
bool same_tokens_split(token_rows *out, const token_rows *t, size_t first, size_t n, arena *a);
