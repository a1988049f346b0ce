/* Open addressing: a table twice as large as the words that there is room for, each at its hash or in the next free
 * place behind it. */
#include "data/word_set.h"

#include "base/size.h"
#include "base/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

size_t word_hash(size_t start, bert_text word)
{
    const uint64_t odd = 0x9E3779B97F4A7C15;
    uint64_t h = (start ^ word.size) * odd;
    for (size_t i = 0; i < word.size;) {
        uint64_t bytes = 0;
        size_t n = word.size - i < sizeof bytes ? word.size - i : sizeof bytes;
        memcpy(&bytes, word.data + i, n);
        unsigned __int128 product = (unsigned __int128)(h ^ bytes) * odd;
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
        i += n;
    }
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds the word, or the free one that it would take. */
static uint32_t *slot_of(const word_set *set, bert_text word)
{
    size_t mask = 2 * set->capacity - 1, at = word_hash((size_t)set->slots, word) & mask;
    while (set->slots[at] && !text_equal(set->words[set->slots[at] - 1], word))
        at = (at + 1) & mask;
    return &set->slots[at];
}

static bool word_set_grow(word_set *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
    if (capacity > INT32_MAX)
        return false;
    bool fine = true;
    set->words = array_sized(set->words, capacity, sizeof *set->words, &fine);
    set->counts = array_sized(set->counts, capacity, sizeof *set->counts, &fine);
    uint32_t *slots = fine ? calloc(2 * capacity, sizeof *slots) : NULL;
    if (!slots)
        return false;
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    for (size_t i = 0; i < set->n; i++)
        *slot_of(set, set->words[i]) = (uint32_t)i + 1;
    return true;
}

bool word_set_add(word_set *set, bert_text word)
{
    if (set->n == set->capacity && !word_set_grow(set))
        return false;
    uint32_t *slot = slot_of(set, word);
    if (!*slot) {
        set->words[set->n] = word;
        set->counts[set->n++] = 0;
        *slot = (uint32_t)set->n;
    }
    set->counts[*slot - 1]++;
    return true;
}

int32_t word_set_find(const word_set *set, bert_text word)
{
    return set->n ? (int32_t)*slot_of(set, word) - 1 : -1;
}

void word_set_free(word_set *set)
{
    free(set->words);
    free(set->counts);
    free(set->slots);
    *set = (word_set){ 0 };
}

int word_compare(const void *a, const void *b)
{
    const bert_text *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n ? memcmp(x->data, y->data, n) : 0;
    return order ? order : (x->size > y->size) - (x->size < y->size);
}
