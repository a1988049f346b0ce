/* What is odd about the data of a run. */
#pragma once

#include "train/progress.h"

/* Notes on labels and batch size. Fails with BERT_ERR_MEMORY. */
bert_status note_data(train_run *r, bert_err *err);

/* That the best epoch is no better than always giving the most frequent answer, with the figures; "" where it is
 * better, or nothing tells. */
enum { NOTE_WORDS = 384 };
void note_compare(const train_run *r, const progress *p, char *words, size_t size);

/* What to say where the best epoch is no better than always the same answer, and what to try; NULL: it is better, or
 * nobody knows. */
const char *note_useless(train_run *r, const progress *p);

/* Fails with BERT_ERR_DATA where every text of the training data is empty. */
bert_status check_tokens(const train_run *r, bert_err *err);
