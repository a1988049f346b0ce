/* Sets of words: labels, looked up by a hash of their bytes. */
#pragma once

#include "bert.h"

/* Different words in the order of adding. All zero is empty. */
typedef struct word_set {
    bert_text *words; /* (n) a word's place is its number */
    size_t *counts;   /* (n) how often it was added */
    size_t n, capacity;
    uint32_t *slots; /* (2 capacity, a power of 2) 1 + a word's number, at its hash or behind it; 0: free */
} word_set;

/* Adds a word, or counts it where it is there; its bytes must stay. At most 2^31 words. false: out of memory. */
bool word_set_add(word_set *set, bert_text word);
/* The number of a word; -1: it is not there. */
int32_t word_set_find(const word_set *set, bert_text word);
void word_set_free(word_set *set);

/* Of the word's bytes and their number. start: where the table lies in memory, so that nobody can write a file whose
 * words all fall on one place; or the hash of what stands before the word. */
size_t word_hash(size_t start, bert_text word);
/* By bytes, for qsort over bert_text. */
int word_compare(const void *a, const void *b);
