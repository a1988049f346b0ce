/* Whether the labels of a data set's rows suit a task: said here once, for making a model, for targets, and for leaving
 * out what does not suit. */
#pragma once

#include "data/labels.h"
#include "task/label_words.h"
#include "task/tasks.h"

/* What a row must be like. All zero is empty. */
typedef struct label_rules {
    const task *task;
    const char *const *labels; /* (n_labels) those that a row may have; n_labels 0: any */
    size_t n_labels;
    label_index known; /* the same */
} label_rules;

/* labels must outlive the rules. Fails with BERT_ERR_MEMORY. */
bert_status label_rules_create(label_rules *r, const task *t, const char *const *labels, size_t n_labels,
                               bert_err *err);
void label_rules_free(label_rules *r);

/* Fails with BERT_ERR_DATA, naming the row's place, for a label that is empty, unknown, there twice, no number or no
 * tag, for tags that are not as many as words, and for one text where the task compares two. */
bert_status label_rules_check(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err);

/* For kinds: a label is one that a row may have; a row's label is no list as Python writes it, unless labels that look
 * so are known. */
bert_status label_check_known(const label_rules *r, const bert_dataset *d, size_t row, bert_text label, bert_err *err);
bert_status label_check_list(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err);
