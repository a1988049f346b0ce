/* Data sets: rows copied from a table or from the caller, labels sorted and numbered. */
#include "data/dataset.h"

#include "base/buffer.h"
#include "base/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A data set that grows; the labels become numbers when all are there. */
typedef struct builder {
    bert_dataset *d;
    arena memory;      /* the labels' bytes */
    bert_text *labels; /* (d->n) */
    size_t capacity;   /* rows that the arrays have room for */
} builder;

const char *dataset_place(const bert_dataset *d, size_t i, char out[DATASET_PLACE])
{
    snprintf(out, DATASET_PLACE, "%s%s%zu", d->name ? d->name : "row", d->name ? ":" : " ", d->lines[i]);
    return out;
}

/* ---- rows ---- */

/* array with room for n items; array itself, and *failed, where memory is out. */
static void *grown(void *array, size_t n, size_t size, bool *failed)
{
    size_t bytes;
    void *larger = mul_size(n, size, &bytes) ? realloc(array, bytes) : NULL;
    *failed |= !larger;
    return larger ? larger : array;
}

static bool reserve(builder *b, size_t more, bool with_pairs)
{
    bert_dataset *d = b->d;
    size_t need = d->n + more, capacity = b->capacity ? b->capacity : more; /* no overflow: rows are below 2^32 */
    while (capacity < need)
        capacity *= 2;
    if (capacity == b->capacity)
        return true;
    bool failed = false;
    d->texts = grown(d->texts, capacity, sizeof *d->texts, &failed);
    d->lines = grown(d->lines, capacity, sizeof *d->lines, &failed);
    d->label = grown(d->label, capacity, sizeof *d->label, &failed);
    b->labels = grown(b->labels, capacity, sizeof *b->labels, &failed);
    if (with_pairs)
        d->pairs = grown(d->pairs, capacity, sizeof *d->pairs, &failed);
    b->capacity = failed ? b->capacity : capacity;
    return !failed;
}

/* Copies n texts, their bytes one behind the other. */
static bool copy_texts(arena *memory, bert_text *to, const bert_text *from, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        if (!add_size(total, from[i].size, &total))
            return false;
    char *at = arena_alloc_raw(memory, total);
    for (size_t i = 0; at && i < n; i++) {
        if (from[i].size)
            memcpy(at, from[i].data, from[i].size);
        to[i] = (bert_text){ at, from[i].size };
        at += from[i].size;
    }
    return at;
}

/* rows->lines may be NULL: the rows are numbered from 0. */
static bert_status append(builder *b, const bert_rows *rows, bert_err *err)
{
    bert_dataset *d = b->d;
    if (rows->n > UINT32_MAX - d->n)
        return fail(err, BERT_ERR_DATA, "%s: more than %u rows", d->name ? d->name : "data set", UINT32_MAX);
    if (!reserve(b, rows->n, rows->pairs) || !copy_texts(&d->memory, d->texts + d->n, rows->texts, rows->n) ||
        (rows->pairs && !copy_texts(&d->memory, d->pairs + d->n, rows->pairs, rows->n)) ||
        !copy_texts(&b->memory, b->labels + d->n, rows->labels, rows->n))
        return fail_memory(err, d->name ? d->name : "a data set");
    for (size_t i = 0; i < rows->n; i++)
        d->lines[d->n + i] = rows->lines ? rows->lines[i] : d->n + i;
    d->n += rows->n;
    return BERT_OK;
}

/* ---- labels ---- */

typedef struct labelled_row {
    bert_text label;
    int64_t number; /* of the label where all labels are whole numbers, else 0 */
    uint32_t row;
} labelled_row;

static bert_status check_labels(const builder *b, bert_err *err)
{
    char place[DATASET_PLACE];
    for (size_t i = 0; i < b->d->n; i++) {
        if (!b->labels[i].size)
            return fail(err, BERT_ERR_DATA, "%s: the label is empty", dataset_place(b->d, i, place));
        if (memchr(b->labels[i].data, 0, b->labels[i].size))
            return fail(err, BERT_ERR_DATA, "%s: the label holds a NUL", dataset_place(b->d, i, place));
    }
    return BERT_OK;
}

/* Whether a label is a whole number of at most 18 digits. */
static bool read_number(bert_text label, int64_t *number)
{
    size_t i = label.data[0] == '-' || label.data[0] == '+';
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

/* Fills label, labels and n_labels from the rows in the order of their labels. */
static bert_status number_labels(bert_dataset *d, const labelled_row *sorted, bert_err *err)
{
    size_t k = 0;
    for (size_t i = 0; i < d->n; i++)
        d->n_labels += starts_label(sorted, i);
    d->labels = arena_array(&d->memory, d->n_labels, sizeof *d->labels);
    for (size_t i = 0; d->labels && i < d->n; i++) {
        if (starts_label(sorted, i) && !(d->labels[k++] = arena_copy(&d->memory, sorted[i].label.data, sorted[i].label.size)))
            return fail_memory(err, "labels");
        d->label[sorted[i].row] = (uint32_t)(k - 1);
    }
    return d->labels ? BERT_OK : fail_memory(err, "labels");
}

static bert_status finish(builder *b, bert_err *err)
{
    bert_dataset *d = b->d;
    if (!d->n)
        return fail(err, BERT_ERR_DATA, "%s: no rows", d->name ? d->name : "data set");
    bert_status s = check_labels(b, err);
    if (s)
        return s;
    labelled_row *rows = calloc(d->n, sizeof *rows);
    if (!rows)
        return fail_memory(err, "labels");
    for (size_t i = 0; i < d->n; i++)
        rows[i] = (labelled_row){ .label = b->labels[i], .row = (uint32_t)i };
    sort_labels(rows, d->n);
    s = number_labels(d, rows, err);
    free(rows);
    return s;
}

/* ---- data sets ---- */

static bert_status begin(builder *b, const char *name, bert_err *err)
{
    *b = (builder){ .d = calloc(1, sizeof *b->d) };
    if (!b->d || (name && !(b->d->name = arena_string(&b->d->memory, strcmp(name, "-") ? name : "standard input"))))
        return fail_memory(err, name ? name : "a data set");
    return BERT_OK;
}

/* Hands the data set out, or frees it where s says that it failed. */
static bert_status end(builder *b, bert_status s, bert_dataset **dataset)
{
    if (s) {
        bert_dataset_free(b->d);
        b->d = NULL;
    }
    *dataset = b->d;
    free(b->labels);
    arena_free(&b->memory);
    return s;
}

bert_status bert_dataset_load(const char *path, const bert_table_options *options, bert_dataset **dataset, bert_err *err)
{
    enum { ROWS = 4096 };
    builder b;
    bert_table *table = NULL;
    bert_rows rows = { .n = 1 };
    bert_status s = begin(&b, path, err);
    if (!s)
        s = bert_table_open(path, options, true, &table, err);
    while (!s && rows.n)
        if (!(s = bert_table_next(table, ROWS, &rows, err)) && rows.n)
            s = append(&b, &rows, err);
    if (!s)
        s = finish(&b, err);
    bert_table_close(table);
    return end(&b, s, dataset);
}

bert_status bert_dataset_create(const bert_text *texts, const bert_text *pairs, const bert_text *labels, size_t n, bert_dataset **dataset,
                                bert_err *err)
{
    *dataset = NULL;
    if (n && (!texts || !labels))
        return fail(err, BERT_ERR_ARGUMENT, "data set: %s are missing", texts ? "labels" : "texts");
    builder b;
    bert_rows rows = { .n = n, .texts = texts, .pairs = pairs, .labels = labels };
    bert_status s = begin(&b, NULL, err);
    if (!s && n)
        s = append(&b, &rows, err);
    if (!s)
        s = finish(&b, err);
    return end(&b, s, dataset);
}

void bert_dataset_free(bert_dataset *d)
{
    if (!d)
        return;
    free(d->texts);
    free(d->pairs);
    free(d->lines);
    free(d->label);
    arena_free(&d->memory);
    free(d);
}

size_t bert_dataset_size(const bert_dataset *d)
{
    return d->n;
}

size_t bert_dataset_labels(const bert_dataset *d, const char *const **labels)
{
    if (labels)
        *labels = d->labels;
    return d->n_labels;
}

/* The error for a row whose label a model lacks. */
static bert_status unknown_label(const bert_dataset *d, size_t row, const char *const *labels, size_t n_labels, bert_err *err)
{
    char place[DATASET_PLACE];
    buffer list = { 0 };
    for (size_t i = 0; i < n_labels && i < 20; i++)
        buffer_printf(&list, "%s%.40s", i ? ", " : "", labels[i]);
    buffer_string(&list, n_labels > 20 ? ", ..." : "");
    bert_status s = list.failed ? fail_memory(err, "a message")
                                : fail(err, BERT_ERR_DATA, "%s: label \"%.100s\" is not one of the model's: %s", dataset_place(d, row, place),
                                       d->labels[d->label[row]], list.data);
    buffer_free(&list);
    return s;
}

bert_status dataset_label_ids(const bert_dataset *d, const char *const *labels, size_t n_labels, int32_t *ids, bert_err *err)
{
    int32_t *known = malloc(d->n_labels * sizeof *known); /* place of each of the data set's labels; -1: none */
    if (!known)
        return fail_memory(err, "labels");
    for (size_t i = 0; i < d->n_labels; i++) {
        known[i] = -1;
        for (size_t k = 0; known[i] < 0 && k < n_labels; k++)
            if (!strcmp(d->labels[i], labels[k]))
                known[i] = (int32_t)k;
    }
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < d->n; i++) {
        ids[i] = known[d->label[i]];
        if (ids[i] < 0)
            s = unknown_label(d, i, labels, n_labels, err);
    }
    free(known);
    return s;
}
