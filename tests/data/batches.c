/* The order of batches: every row once, like lengths together, the same for the same seed and epoch. */
#include "data/batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 2000 };

/* n rows of 3 to 62 tokens in no order. */
static token_rows rows_of_many_lengths(size_t n)
{
    static size_t start[MOST + 1];
    for (size_t i = 0; i < n; i++)
        start[i + 1] = start[i] + 3 + i * 2654435761u % 4294967296u / 71582789u;
    return (token_rows){ .n = n, .start = start };
}

static void assert_every_row_once(const batches *b, size_t n, size_t batch_size)
{
    unsigned char seen[MOST] = { 0 };
    size_t partial = 0;
    assert_int_equal(b->n, (n + batch_size - 1) / batch_size);
    assert_int_equal(b->start[0], 0);
    assert_int_equal(b->start[b->n], n);
    for (size_t k = 0; k < b->n; k++) {
        assert_in_range(b->start[k + 1] - b->start[k], 1, batch_size);
        partial += b->start[k + 1] - b->start[k] < batch_size;
    }
    assert_int_equal(partial, n % batch_size > 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(b->rows[i] < n);
        assert_int_equal(seen[b->rows[i]]++, 0);
    }
}

static void every_row_comes_once_whatever_the_sizes(void **state)
{
    (void)state;
    static const size_t n[] = { 1, 2, 7, 32, 33, 100, 1000, MOST }, sizes[] = { 1, 3, 32, 5000 },
                        windows[] = { 1, 2, 10, SIZE_MAX };
    batches b = { 0 };
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 4; j++) {
            token_rows t = rows_of_many_lengths(n[i]);
            for (size_t k = 0; k < 4; k++) {
                assert_int_equal(batches_shuffled(&b, &t, &(batch_order){ sizes[j], windows[k], 1, 2 }, NULL), BERT_OK);
                assert_every_row_once(&b, n[i], sizes[j]);
            }
            assert_int_equal(batches_by_length(&b, &t, sizes[j], NULL), BERT_OK);
            assert_every_row_once(&b, n[i], sizes[j]);
        }
    batches_free(&b);
}

static void the_order_depends_on_seed_and_epoch_alone(void **state)
{
    (void)state;
    token_rows t = rows_of_many_lengths(1000);
    batches first = { 0 }, again = { 0 };
    static const batch_order orders[] = { { 32, 10, 7, 3 }, { 32, 10, 8, 3 }, { 32, 10, 7, 4 } };
    assert_int_equal(batches_shuffled(&first, &t, &orders[0], NULL), BERT_OK);
    for (size_t i = 0; i < 3; i++) { /* `again` is reused, as from epoch to epoch */
        assert_int_equal(batches_shuffled(&again, &t, &orders[i], NULL), BERT_OK);
        assert_int_equal(!memcmp(first.rows, again.rows, 1000 * sizeof *first.rows), i == 0);
    }
    assert_int_equal(batches_shuffled(&again, &t, &orders[0], NULL), BERT_OK);
    assert_memory_equal(first.rows, again.rows, 1000 * sizeof *first.rows);
    assert_memory_equal(first.start, again.start, (first.n + 1) * sizeof *first.start);
    batches_free(&first);
    batches_free(&again);
}

/* Pinned: a trained model can be made again only as long as this order stays. */
static void the_order_is_the_one_it_always_was(void **state)
{
    (void)state;
    token_rows t = rows_of_many_lengths(10);
    batches b = { 0 };
    static const uint32_t expected[] = { 4, 1, 7, 9, 3, 8, 0, 6, 5, 2 };
    assert_int_equal(batches_shuffled(&b, &t, &(batch_order){ 2, 2, 42, 1 }, NULL), BERT_OK);
    assert_memory_equal(b.rows, expected, sizeof expected);
    batches_free(&b);
}

/* Tokens that padding each batch to its longest row would add. */
static size_t padding(const batches *b, const token_rows *t)
{
    size_t sum = 0;
    for (size_t k = 0; k < b->n; k++) {
        size_t longest = 0, tokens = 0;
        for (size_t i = b->start[k]; i < b->start[k + 1]; i++) {
            size_t length = token_rows_length(t, b->rows[i]);
            longest = length > longest ? length : longest;
            tokens += length;
        }
        sum += longest * (b->start[k + 1] - b->start[k]) - tokens;
    }
    return sum;
}

static void a_window_brings_like_lengths_together(void **state)
{
    (void)state;
    token_rows t = rows_of_many_lengths(MOST);
    batches b = { 0 };
    size_t pads[3];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(batches_shuffled(&b, &t, &(batch_order){ 20, i ? 20 : 1, 5, 1 }, NULL), BERT_OK);
        pads[i] = padding(&b, &t);
    }
    assert_int_equal(batches_by_length(&b, &t, 20, NULL), BERT_OK);
    pads[2] = padding(&b, &t);
    assert_true(pads[1] * 5 < pads[0]);
    assert_true(pads[2] < pads[1]);
    batches_free(&b);
}

/* Sorted windows must not mean that short batches come first. */
static void batches_of_a_window_are_shuffled(void **state)
{
    (void)state;
    token_rows t = rows_of_many_lengths(MOST);
    batches b = { 0 };
    size_t rises = 0;
    assert_int_equal(batches_shuffled(&b, &t, &(batch_order){ 20, SIZE_MAX, 5, 1 }, NULL), BERT_OK);
    for (size_t k = 0; k + 1 < b.n; k++)
        rises += token_rows_length(&t, b.rows[b.start[k]]) < token_rows_length(&t, b.rows[b.start[k + 1]]);
    assert_in_range(rises, b.n / 4, b.n * 3 / 4);
    batches_free(&b);
}

static void evaluation_goes_from_short_to_long_and_keeps_the_order_of_equals(void **state)
{
    (void)state;
    token_rows t = rows_of_many_lengths(MOST);
    batches b = { 0 };
    assert_int_equal(batches_by_length(&b, &t, 32, NULL), BERT_OK);
    for (size_t i = 0; i + 1 < MOST; i++) {
        size_t here = token_rows_length(&t, b.rows[i]), next = token_rows_length(&t, b.rows[i + 1]);
        assert_true(here < next || (here == next && b.rows[i] < b.rows[i + 1]));
    }
    batches_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_once_whatever_the_sizes),
        cmocka_unit_test(the_order_depends_on_seed_and_epoch_alone),
        cmocka_unit_test(the_order_is_the_one_it_always_was),
        cmocka_unit_test(a_window_brings_like_lengths_together),
        cmocka_unit_test(batches_of_a_window_are_shuffled),
        cmocka_unit_test(evaluation_goes_from_short_to_long_and_keeps_the_order_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
