/* The order of rows and batches. */
#include "data/batches.h"

#include "base/random.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

/* Room for a plan over n rows; start and rows are not filled. */
static bert_status batches_begin(batches *b, size_t n, size_t batch_size, bert_err *err)
{
    arena_reset(&b->memory);
    b->n = n / batch_size + (n % batch_size > 0);
    b->start = arena_array(&b->memory, b->n + 1, sizeof *b->start);
    b->rows = arena_array(&b->memory, n, sizeof *b->rows);
    return b->start && b->rows ? BERT_OK : fail_memory(err, "the order of a data set's rows");
}

static int batch_key_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts n rows by length; those of one length keep their order. keys: room for n; sorted: the result. */
static void sort_by_length(const token_rows *t, const uint32_t *rows, size_t n, uint64_t *keys, uint32_t *sorted)
{
    for (size_t i = 0; i < n; i++)
        keys[i] = (uint64_t)token_rows_length(t, rows[i]) << 32 | i;
    qsort(keys, n, sizeof *keys, batch_key_compare);
    for (size_t i = 0; i < n; i++)
        sorted[i] = rows[(uint32_t)keys[i]];
}

static uint32_t *counting(arena *memory, size_t n)
{
    uint32_t *numbers = arena_array(memory, n, sizeof *numbers);
    for (size_t i = 0; numbers && i < n; i++)
        numbers[i] = (uint32_t)i;
    return numbers;
}

bert_status batches_shuffled(batches *b, const token_rows *t, const batch_order *order, bert_err *err)
{
    size_t n = t->n, size = order->batch_size, window;
    if (!mul_size(order->length_window, size, &window) || window > n)
        window = n;
    bert_status s = batches_begin(b, n, size, err);
    if (s)
        return s;
    uint32_t *shuffled = counting(&b->memory, n), *grouped = arena_array(&b->memory, n, sizeof *grouped);
    uint32_t *turn = counting(&b->memory, b->n); /* batch turn[k] comes k-th */
    uint64_t *keys = arena_array(&b->memory, window, sizeof *keys);
    if (!shuffled || !grouped || !turn || !keys)
        return fail_memory(err, "the order of a data set's rows");

    /* Shuffling n rows draws n numbers and a few that are rejected: far from the next epoch's 2^40th. */
    random_stream random = { order->seed, RANDOM_SHUFFLE, order->epoch << 40 };
    random_shuffle(&random, shuffled, n);
    for (size_t at = 0; at < n; at += window)
        sort_by_length(t, shuffled + at, n - at < window ? n - at : window, keys, grouped + at);
    random_shuffle(&random, turn, b->n);
    for (size_t k = 0; k < b->n; k++) {
        size_t from = turn[k] * size, rows = n - from < size ? n - from : size;
        memcpy(b->rows + b->start[k], grouped + from, rows * sizeof *grouped);
        b->start[k + 1] = b->start[k] + rows;
    }
    return BERT_OK;
}

bert_status batches_by_length(batches *b, const token_rows *t, size_t batch_size, bert_err *err)
{
    bert_status s = batches_begin(b, t->n, batch_size, err);
    if (s)
        return s;
    uint32_t *rows = counting(&b->memory, t->n);
    uint64_t *keys = arena_array(&b->memory, t->n, sizeof *keys);
    if (!rows || !keys)
        return fail_memory(err, "the order of a data set's rows");
    sort_by_length(t, rows, t->n, keys, b->rows);
    for (size_t k = 0; k < b->n; k++)
        b->start[k + 1] = t->n - b->start[k] < batch_size ? t->n : b->start[k] + batch_size;
    return BERT_OK;
}

void batches_free(batches *b)
{
    arena_free(&b->memory);
    *b = (batches){ 0 };
}
