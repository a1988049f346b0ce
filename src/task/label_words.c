/* Labels as they are written. */
#include "task/label_words.h"

#include "base/options.h"
#include "base/size.h"
#include "data/labels.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bert_text without_blanks(bert_text t)
{
    while (t.size && word_blank(t.data[0]))
        t = (bert_text){ t.data + 1, t.size - 1 };
    while (t.size && word_blank(t.data[t.size - 1]))
        t.size--;
    return t;
}

bool label_number(bert_text label, double *number)
{
    char text[64];
    bert_text bare = without_blanks(label);
    if (!bare.size || bare.size >= sizeof text)
        return false;
    for (size_t i = 0; i < bare.size; i++) /* neither "nan" nor "0x1p3" */
        if (!bare.data[i] || !strchr("0123456789+-.eE", bare.data[i]))
            return false;
    memcpy(text, bare.data, bare.size);
    text[bare.size] = 0;
    return number_read(text, number) && isfinite(*number);
}

bool label_next(bert_text list, size_t *at, bert_text *label)
{
    if (*at > list.size || (!*at && !without_blanks(list).size))
        return false;
    const char *start = list.data + *at, *comma = memchr(start, ',', list.size - *at);
    size_t size = comma ? (size_t)(comma - start) : list.size - *at;
    *label = label_word((bert_text){ start, size });
    *at += size + 1;
    return true;
}

bool tag_next(bert_text tags, size_t *at, bert_text *tag)
{
    size_t start, end;
    if (!word_next(tags, at, &start, &end))
        return false;
    *tag = (bert_text){ tags.data + start, end - start };
    return true;
}

bert_status tags_check_count(const bert_dataset *d, size_t row, size_t n, bert_err *err)
{
    char place[DATASET_PLACE];
    size_t words = 0, start, end;
    for (size_t at = 0; word_next(d->texts[row], &at, &start, &end);)
        words++;
    return words == n ? BERT_OK : fail(err, BERT_ERR_DATA, "%s: %zu tags for %zu words", dataset_place(d, row, place), n, words);
}

bool tag_is_one(bert_text tag)
{
    if (tag.size == 1)
        return tag.data[0] == 'O';
    return tag.size > 2 && (tag.data[0] == 'B' || tag.data[0] == 'I') && tag.data[1] == '-';
}

/* ---- sets of words ---------------------------------------------------------------------------------------------------------- */

static int compare(bert_text a, bert_text b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Where the word stands, or would stand. */
static size_t place_of(const word_set *set, bert_text word, bool *found)
{
    size_t low = 0, high = set->n;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(word, set->words[middle]);
        if (!order)
            *found = true;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool grow(word_set *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : 64, bytes;
    if (!mul_size(capacity, sizeof *set->words, &bytes))
        return false;
    bert_text *words = realloc(set->words, bytes);
    if (words)
        set->words = words;
    uint32_t *places = realloc(set->places, capacity * sizeof *places);
    if (places)
        set->places = places;
    set->capacity = words && places ? capacity : set->capacity;
    return words && places;
}

bool word_set_add(word_set *set, bert_text word)
{
    bool found;
    size_t i = place_of(set, word, &found);
    if (found)
        return true;
    if (set->n == set->capacity && !grow(set))
        return false;
    memmove(set->words + i + 1, set->words + i, (set->n - i) * sizeof *set->words);
    memmove(set->places + i + 1, set->places + i, (set->n - i) * sizeof *set->places);
    set->words[i] = word;
    set->places[i] = (uint32_t)set->n++;
    return true;
}

int32_t word_set_find(const word_set *set, bert_text word)
{
    bool found;
    size_t i = place_of(set, word, &found);
    return found ? (int32_t)set->places[i] : -1;
}

void word_set_free(word_set *set)
{
    free(set->words);
    free(set->places);
    *set = (word_set){ 0 };
}
