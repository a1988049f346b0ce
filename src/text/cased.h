/* Whether a vocabulary is one of texts that are not lower-cased. */
#pragma once

#include "base/error.h"

/* Lines with letters that have a case, and those with capitals among them; special tokens, in brackets, aside. */
typedef struct cased_lines {
    size_t letters, capitals;
} cased_lines;

/* Fails with BERT_ERR_MEMORY. */
bert_status cased_lines_count(cased_lines *lines, const char *vocabulary, size_t size, bert_err *err);

/* One in twenty: an abbreviation that somebody added decides nothing. */
static inline bool cased_lines_are_many(const cased_lines *lines)
{
    return lines->capitals && lines->capitals * 20 >= lines->letters;
}
