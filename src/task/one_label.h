/* What a single label for each outcome means: of a row or of a word. */
#pragma once

#include "task/outcomes.h"

/* Members of label_kind. */
bool one_label_right_logits(const float *logits, const target_rows *y, size_t i, size_t K);
void one_label_compare_training(const targets *y, const bert_model *m, const struct loss_spec *loss,
                                const bert_metrics *of, char *words, size_t size);
double one_label_wrong(const outcomes *o, size_t i, double threshold);
/* the most frequent one */
bert_status one_label_always(const outcomes *o, float *scores, buffer *words, bert_err *err);
void one_label_true_words(buffer *b, const outcomes *o, size_t row);
void one_label_predicted_words(buffer *b, const outcomes *o, size_t row, double threshold);
