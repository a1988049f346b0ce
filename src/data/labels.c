/* Labels as words: in their order, numbered, found among those of a model, or not. */
#include "data/labels.h"

#include "base/buffer.h"
#include "base/label_word.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

/* ---- of a model ---------------------------------------------------------------------------------------------------------- */

/* Adds a way to write label k, unless it is taken. */
static bool add_word(label_index *index, bert_text word, size_t k)
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
        fine = add_word(index, (bert_text){ labels[k], strlen(labels[k]) }, k);
    for (size_t k = 0; fine && k < n_labels; k++)
        fine = add_word(index, label_word((bert_text){ labels[k], strlen(labels[k]) }), k);
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

/* ---- of a data set ------------------------------------------------------------------------------------------------------- */

typedef struct labelled_row {
    bert_text label;
    int64_t number; /* of the label where all labels are whole numbers, else 0 */
    uint32_t row;
} labelled_row;

static bert_status check_labels(const bert_dataset *d, bert_err *err)
{
    char place[DATASET_PLACE];
    for (size_t i = 0; i < d->n; i++)
        if (d->label_texts[i].size && memchr(d->label_texts[i].data, 0, d->label_texts[i].size))
            return fail(err, BERT_ERR_DATA, "%s: the label holds a NUL", dataset_place(d, i, place));
    return BERT_OK;
}

/* Whether a label is a whole number of at most 18 digits. */
static bool read_number(bert_text label, int64_t *number)
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

/* By number, then by bytes, then by row. */
static int compare_labels(const void *left, const void *right)
{
    const labelled_row *a = left, *b = right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    int order = memcmp(a->label.data, b->label.data, a->label.size < b->label.size ? a->label.size : b->label.size);
    if (order || a->label.size != b->label.size)
        return order ? order : a->label.size < b->label.size ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static void sort_labels(labelled_row *rows, size_t n)
{
    bool numbers = true;
    for (size_t i = 0; numbers && i < n; i++)
        numbers = read_number(rows[i].label, &rows[i].number);
    for (size_t i = 0; !numbers && i < n; i++)
        rows[i].number = 0;
    qsort(rows, n, sizeof *rows, compare_labels);
}

static bool starts_label(const labelled_row *rows, size_t i)
{
    return i == 0 || rows[i].label.size != rows[i - 1].label.size || memcmp(rows[i].label.data, rows[i - 1].label.data, rows[i].label.size);
}

/* Fills label, labels and n_labels from the rows in the order of their labels; label_texts point to the labels from then on. */
static bert_status number_labels(bert_dataset *d, const labelled_row *sorted, bert_err *err)
{
    size_t k = 0;
    for (size_t i = 0; i < d->n; i++)
        d->n_labels += starts_label(sorted, i);
    d->labels = arena_array(&d->memory, d->n_labels, sizeof *d->labels);
    if (!d->labels)
        return fail_memory(err, "labels");
    for (size_t i = 0; i < d->n; i++) {
        if (starts_label(sorted, i) && !(d->labels[k++] = arena_copy(&d->memory, sorted[i].label.data, sorted[i].label.size)))
            return fail_memory(err, "labels");
        d->label[sorted[i].row] = (uint32_t)(k - 1);
        d->label_texts[sorted[i].row].data = d->labels[k - 1];
    }
    return BERT_OK;
}

bert_status labels_number(bert_dataset *d, bert_err *err)
{
    bert_status s = check_labels(d, err);
    if (s)
        return s;
    labelled_row *rows = malloc(d->n * sizeof *rows); /* no overflow: rows are below 2^32 */
    if (!rows)
        return fail_memory(err, "labels");
    for (size_t i = 0; i < d->n; i++)
        d->label_texts[i] = label_word(d->label_texts[i]);
    for (size_t i = 0; i < d->n; i++)
        rows[i] = (labelled_row){ .label = d->label_texts[i], .row = (uint32_t)i };
    sort_labels(rows, d->n);
    s = number_labels(d, rows, err);
    free(rows);
    return s;
}

bert_status label_empty(const bert_dataset *d, size_t row, const char *what, bert_err *err)
{
    char place[DATASET_PLACE];
    return fail(err, BERT_ERR_DATA, "%s: %s is empty", dataset_place(d, row, place), what);
}

static bert_status unknown(const char *place, bert_text label, const char *const *labels, size_t n_labels, bert_err *err)
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

bert_status label_unknown(const bert_dataset *d, size_t row, bert_text label, const char *const *labels, size_t n_labels, bert_err *err)
{
    char place[DATASET_PLACE];
    return unknown(dataset_place(d, row, place), label, labels, n_labels, err);
}

bert_status tag_unknown(const bert_dataset *d, size_t row, size_t word, bert_text tag, const char *const *labels, size_t n_labels, bert_err *err)
{
    char place[DATASET_PLACE];
    return unknown(dataset_word_place(d, row, word, place), tag, labels, n_labels, err);
}
