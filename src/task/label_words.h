/* Labels as they are written: numbers, words with commas between, tags with blanks between. */
#pragma once

#include "base/buffer.h"
#include "data/dataset.h"
#include "data/labels.h"

/* A finite decimal number, blanks around it allowed. false: it is none. */
bool label_number(bert_text label, double *number);

/* , "scores": {"0": 0.2, "1": 0.8}: a member of a JSON object behind others. */
void label_scores_json(buffer *b, const char *const *labels, size_t n, const float *scores);

/* The next label of a list with commas between, from byte *at on, as its word (label_word); *at goes behind it. false:
 * there is none left. A list of blanks alone has none; a label between two commas may be empty. */
bool label_next(bert_text list, size_t *at, bert_text *label);

/* "O", "B-NAME" or "I-NAME". */
bool tag_is_one(bert_text tag);

static inline bool tag_is_outside(const char *tag)
{
    return tag[0] == 'O' && !tag[1];
}

/* The next of tags with blanks between, as label_next. */
bool tag_next(bert_text tags, size_t *at, bert_text *tag);
/* Fails with BERT_ERR_DATA, naming the row and both counts, unless its text has n words. */
bert_status tags_check_count(const bert_dataset *d, size_t row, size_t n, bert_err *err);
