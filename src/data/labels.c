/* Labels as words: in their order, numbered, found among those of a model, or not. */
#include "data/labels.h"

#include "base/buffer.h"
#include "base/label_word.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

/* ---- of a model -------------------------------------------------------------------------------------------------- */

/* Adds a way to write label k, unless it is taken. */
static bool label_index_add(label_index *index, bert_text word, size_t k)
{
    size_t n = index->words.n;
    if (!word_set_add(&index->words, word))
        return false;
    if (index->words.n > n)
        index->places[n] = (int32_t)k;
    return true;
}

bert_status label_index_create(label_index *index, const char *const *labels, size_t n_labels, bert_err *err)
{
    size_t bytes;
    *index = (label_index){ 0 };
    index->places = mul_size(2 * n_labels + 1, sizeof *index->places, &bytes) ? malloc(bytes) : NULL;
    bool fine = index->places != NULL;
    for (size_t k = 0; fine && k < n_labels; k++)
        fine = label_index_add(index, (bert_text){ labels[k], strlen(labels[k]) }, k);
    for (size_t k = 0; fine && k < n_labels; k++)
        fine = label_index_add(index, label_word((bert_text){ labels[k], strlen(labels[k]) }), k);
    if (fine)
        return BERT_OK;
    label_index_free(index);
    return fail_memory(err, "labels");
}

int32_t label_place(const label_index *index, bert_text word)
{
    int32_t number = word_set_find(&index->words, word);
    return number < 0 ? -1 : index->places[number];
}

void label_index_free(label_index *index)
{
    word_set_free(&index->words);
    free(index->places);
    *index = (label_index){ 0 };
}

/* ---- of a data set ----------------------------------------------------------------------------------------------- */

bool label_whole(bert_text label, size_t *at, bert_text *word)
{
    *word = label;
    return !(*at)++;
}

bert_status labels_gather(const bert_dataset *d, label_reader *next, word_set *set, size_t *without, bert_err *err)
{
    size_t rows = 0;
    for (size_t i = 0; i < d->n; i++) {
        bert_text word;
        size_t at = 0, n = 0;
        for (; next(d->label_texts[i], &at, &word); n++)
            if (!word_set_add(set, word))
                return fail_memory(err, "labels");
        rows += n == 0;
    }
    if (without)
        *without = rows;
    return BERT_OK;
}

/* A label while labels are put in order. */
typedef struct ordered_label {
    bert_text word;
    int64_t value; /* where all labels are whole numbers, else 0 */
    size_t place;  /* in the set */
} ordered_label;

static bert_status check_labels_there(const bert_dataset *d, bert_err *err)
{
    char place[DATASET_PLACE];
    for (size_t i = 0; i < d->n; i++)
        if (d->label_texts[i].size && memchr(d->label_texts[i].data, 0, d->label_texts[i].size))
            return fail(err, BERT_ERR_DATA, "%s: the label holds a NUL", dataset_place(d, i, place));
    return BERT_OK;
}

/* Whether a label is a whole number of at most 18 digits. */
static bool label_integer(bert_text label, int64_t *number)
{
    size_t i = label.size && (label.data[0] == '-' || label.data[0] == '+');
    if (i == label.size || label.size - i > 18)
        return false;
    for (*number = 0; i < label.size; i++) {
        if (label.data[i] < '0' || label.data[i] > '9')
            return false;
        *number = *number * 10 + (label.data[i] - '0');
    }
    if (label.data[0] == '-')
        *number = -*number;
    return true;
}

/* By value, then by bytes. */
static int compare_labels(const void *left, const void *right)
{
    const ordered_label *a = left, *b = right;
    return a->value != b->value ? (a->value > b->value) - (a->value < b->value) : word_compare(&a->word, &b->word);
}

static void sort_labels(ordered_label *labels, const word_set *set)
{
    bool numbers = true;
    for (size_t k = 0; k < set->n; k++) {
        labels[k] = (ordered_label){ .word = set->words[k], .place = k };
        numbers = numbers && label_integer(labels[k].word, &labels[k].value);
    }
    for (size_t k = 0; !numbers && k < set->n; k++)
        labels[k].value = 0;
    qsort(labels, set->n, sizeof *labels, compare_labels);
}

/* order (set->n), numbers (set->n): room for the labels in their order, and for their numbers by their places in the
 * set. */
static bert_status number_rows(bert_dataset *d, const word_set *set, ordered_label *order, uint32_t *numbers,
                               bert_err *err)
{
    d->labels = arena_array(&d->memory, set->n, sizeof *d->labels);
    if (!d->labels || !order || !numbers)
        return fail_memory(err, "labels");
    sort_labels(order, set);
    for (d->n_labels = 0; d->n_labels < set->n; d->n_labels++) {
        bert_text word = order[d->n_labels].word;
        if (!(d->labels[d->n_labels] = arena_copy(&d->memory, word.data, word.size)))
            return fail_memory(err, "labels");
        numbers[order[d->n_labels].place] = (uint32_t)d->n_labels;
    }
    for (size_t i = 0; i < d->n; i++) {
        d->label[i] = numbers[word_set_find(set, d->label_texts[i])];
        d->label_texts[i].data = d->labels[d->label[i]];
    }
    return BERT_OK;
}

bert_status labels_number(bert_dataset *d, bert_err *err)
{
    word_set set = { 0 };
    bert_status s = check_labels_there(d, err);
    for (size_t i = 0; !s && i < d->n; i++)
        d->label_texts[i] = label_word(d->label_texts[i]);
    if (!s)
        s = labels_gather(d, label_whole, &set, NULL, err);
    if (!s) {
        ordered_label *order = calloc(set.n, sizeof *order);
        uint32_t *numbers = calloc(set.n, sizeof *numbers);
        s = number_rows(d, &set, order, numbers, err);
        free(order);
        free(numbers);
    }
    word_set_free(&set);
    return s;
}

bert_status label_empty(const bert_dataset *d, size_t row, const char *what, bert_err *err)
{
    char place[DATASET_PLACE];
    return fail(err, BERT_ERR_DATA, "%s: %s is empty", dataset_place(d, row, place), what);
}

static bert_status label_not_among(const char *place, bert_text label, const char *const *labels, size_t n_labels,
                                   bert_err *err)
{
    buffer list = { 0 };
    for (size_t i = 0; i < n_labels && i < 20; i++)
        buffer_printf(&list, "%s%.40s", i ? ", " : "", labels[i]);
    buffer_string(&list, n_labels > 20 ? ", ..." : "");
    bert_status s = list.failed ? fail_memory(err, "a message")
                                : fail(err, BERT_ERR_DATA, "%s: label \"%.*s\" is not one of the model's: %s", place,
                                       (int)(label.size < 100 ? label.size : 100), label.data, list.data);
    buffer_free(&list);
    return s;
}

bert_status label_unknown(const bert_dataset *d, size_t row, bert_text label, const char *const *labels,
                          size_t n_labels, bert_err *err)
{
    char place[DATASET_PLACE];
    return label_not_among(dataset_place(d, row, place), label, labels, n_labels, err);
}

bert_status tag_unknown(const bert_dataset *d, size_t row, size_t word, bert_text tag, const char *const *labels,
                        size_t n_labels, bert_err *err)
{
    char place[DATASET_PLACE];
    return label_not_among(dataset_word_place(d, row, word, place), tag, labels, n_labels, err);
}
