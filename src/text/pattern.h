/* Regular expressions of the kind that tokenizer files write, with the meaning that Oniguruma gives them: alternatives,
 * groups, classes, \p{L} and the like, \s \d \w and what they are not, ?, *, +, {n,m}, possessive ones of a single
 * character, (?i:...), looking ahead. Whatever else a pattern has is refused by name. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "text/normal_text.h"

typedef struct pattern pattern;

/* literal: the text is no pattern but stands for itself. Fails with BERT_ERR_UNSUPPORTED, naming what is not known,
 * also for a pattern that matches where nothing is; BERT_ERR_MEMORY. */
bert_status pattern_compile(const pattern **p, bert_text text, bool literal, arena *a, const char *where,
                            bert_err *err);

/* Steps that a text of so many bytes may take: far more than a pattern of a tokenizer needs. */
static inline size_t pattern_steps(size_t size)
{
    return 100000 + 300 * size;
}

/* The first match in bytes [at, size): [*start, *end). false: there is none, or work->refused or work->failed is set.
 * steps: those left, counted down over all searches in a text. */
bool pattern_find(const pattern *p, text_work *work, size_t at, size_t size, size_t *start, size_t *end, size_t *steps);
