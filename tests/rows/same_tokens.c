/* Which rows have the same tokens: what a search of all pairs finds. */
#include "golden.h"

#include "rows/same_tokens.h"

#include "base/random.h"

enum { N = 300 };

/* Rows of one to four of three ids each, so that many are the same; some of their ids are a second text's. */
static token_rows random_rows(random_stream *r, row_form form, arena *a)
{
    size_t *start = arena_array(a, N + 1, sizeof *start);
    uint32_t *second = arena_array(a, N, sizeof *second);
    int32_t *ids = arena_array(a, N * 4, sizeof *ids);
    for (size_t i = 0; i < N; i++) {
        uint32_t n = 1 + random_below(r, 4);
        start[i + 1] = start[i] + n;
        second[i] = random_below(r, 2) ? n : 1 + random_below(r, n);
        for (size_t k = start[i]; k < start[i + 1]; k++)
            ids[k] = (int32_t)random_below(r, 3);
    }
    return (token_rows){ .form = form, .n = N, .start = start, .second = second, .ids = ids };
}

static bool are_same(const token_rows *t, size_t a, size_t b)
{
    size_t n = token_rows_length(t, a);
    return n == token_rows_length(t, b) && t->second[a] == t->second[b] &&
           !memcmp(t->ids + t->start[a], t->ids + t->start[b], n * sizeof *t->ids);
}

static void the_first_row_with_the_same_tokens_is_found(void **state)
{
    (void)state;
    random_stream r = { 5, 0, 0 };
    for (int round = 0; round < 20; round++) {
        arena a = { 0 };
        token_rows t = random_rows(&r, ROW_TOGETHER, &a);
        size_t first = random_below(&r, N + 1), n = N - first;
        const uint32_t *same = same_tokens_find(&t, first, n, &a);
        assert_non_null(same);
        for (size_t i = 0; i < n; i++) {
            size_t expected = 0;
            while (!are_same(&t, first + expected, first + i))
                expected++;
            assert_int_equal(same[i], expected);
        }
        arena_free(&a);
    }
}

static void rows_of_two_sequences_become_two_rows_each(void **state)
{
    (void)state;
    random_stream r = { 6, 0, 0 };
    arena a = { 0 };
    token_rows t = random_rows(&r, ROW_APART, &a), out;
    enum { FIRST = 7, ROWS = 100 };
    assert_true(same_tokens_split(&out, &t, FIRST, ROWS, &a));
    assert_true(out.form == ROW_TOGETHER && out.n == 2 * ROWS && out.ids == t.ids);
    for (size_t i = 0; i < ROWS; i++) {
        size_t first = t.second[FIRST + i];
        assert_int_equal(out.start[2 * i], t.start[FIRST + i]);
        assert_int_equal(out.start[2 * i + 1], t.start[FIRST + i] + first);
        assert_int_equal(out.second[2 * i], first);
        assert_int_equal(out.second[2 * i + 1], token_rows_length(&t, FIRST + i) - first);
    }
    assert_int_equal(out.start[2 * ROWS], t.start[FIRST + ROWS]);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_with_the_same_tokens_is_found),
        cmocka_unit_test(rows_of_two_sequences_become_two_rows_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
