/* How functions fail. */
#include "base/error.h"

#include "base/scratch.h"

#include <errno.h>

#undef fail /* cmocka's macro; ours is a function */

static void a_failure_returns_its_code_and_fills_the_error(void **state)
{
    (void)state;
    assert_fails(fail(err, BERT_ERR_FORMAT, "%s: %d", "file", 7), BERT_ERR_FORMAT, "file: 7");
    assert_fails(fail_memory(err, "a list"), BERT_ERR_MEMORY, "out of memory: a list");
    assert_fails((errno = ENOSPC, fail_errno(err, "%s: cannot write", "x")), BERT_ERR_IO,
                 "x: cannot write: No space left on device");
}

static void the_caller_may_not_want_the_error(void **state)
{
    (void)state;
    assert_int_equal(fail(NULL, BERT_ERR_DATA, "x"), BERT_ERR_DATA);
    assert_int_equal(fail_memory(NULL, "x"), BERT_ERR_MEMORY);
    assert_int_equal(fail_errno(NULL, "x"), BERT_ERR_IO);
    assert_int_equal(fail_in(NULL, BERT_ERR_FORMAT, "x"), BERT_ERR_FORMAT);
}

static void context_stands_before_the_deeper_message(void **state)
{
    (void)state;
    bert_err err = { 0 };
    fail(&err, BERT_ERR_FORMAT, "line 3: a quote left open");
    assert_error(fail_in(&err, BERT_ERR_DATA, "train.%s", "csv"), &err, BERT_ERR_DATA,
                 "train.csv: line 3: a quote left open");
}

/* Messages are cut, never written beyond their room. */
static void a_message_that_is_too_long_is_cut(void **state)
{
    (void)state;
    bert_err err = { 0 };
    char name[3000];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    fail(&err, BERT_ERR_IO, "%s", name);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    fail_in(&err, BERT_ERR_IO, "context");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "context: nnn", 12);
    errno = ENOENT;
    fail_errno(&err, "%s", name);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    name[sizeof err.message - 5] = 0;
    fail_errno(&err, "%s", name);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void an_error_about_a_row_is_placed_by_who_knows_where_it_comes_from(void **state)
{
    (void)state;
    bert_err err;
    size_t row = 9;
    fail(&err, BERT_ERR_NUMERIC, "row %d: row 2: NaN", 17);
    assert_true(bert_err_row(&err, &row));
    assert_int_equal(row, 17);
    bert_err_place(&err, "data.tsv:19");
    assert_string_equal(err.message, "data.tsv:19: row 2: NaN");
    assert_int_equal(err.code, BERT_ERR_NUMERIC);
    assert_false(bert_err_row(&err, &row));
    bert_err_place(&err, "elsewhere");
    assert_string_equal(err.message, "data.tsv:19: row 2: NaN");
    fail(&err, BERT_ERR_DATA, "row 3 is wrong");
    assert_false(bert_err_row(&err, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_returns_its_code_and_fills_the_error),
        cmocka_unit_test(the_caller_may_not_want_the_error),
        cmocka_unit_test(context_stands_before_the_deeper_message),
        cmocka_unit_test(a_message_that_is_too_long_is_cut),
        cmocka_unit_test(an_error_about_a_row_is_placed_by_who_knows_where_it_comes_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
