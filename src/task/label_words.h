/* Labels as they are written: numbers, words with commas between, tags with blanks between; and sets of words. */
#ifndef TASK_LABEL_WORDS_H
#define TASK_LABEL_WORDS_H

#include "data/dataset.h"

/* A finite decimal number, blanks around it allowed. false: it is none. */
bool label_number(bert_text label, double *number);

/* The next label of a list with commas between, from byte *at on, as its word (label_word); *at goes behind it. false: there is none left. A
 * list of blanks alone has none; a label between two commas may be empty. */
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

/* Different words in the order of their bytes. All zero is empty. */
typedef struct word_set {
    bert_text *words; /* (n) */
    uint32_t *places; /* (n) a number for each word: where it was added */
    size_t n, capacity;
} word_set;

/* Adds a word unless it is there; its bytes must stay. false: out of memory. */
bool word_set_add(word_set *set, bert_text word);
/* The number of a word, counted in the order of adding; -1: it is not there. */
int32_t word_set_find(const word_set *set, bert_text word);
void word_set_free(word_set *set);

#endif
