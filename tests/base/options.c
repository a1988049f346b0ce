/* Options as data: reading, checking, printing. */
#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <string.h>

typedef struct sample {
    bool verbose, tidy;
    int64_t batch_size, seed, from_end;
    double learning_rate, scale;
    const char *module, *label;
    int pooling;
} sample;

static const char *const POOLINGS[] = { "none", "cls", "cls_raw", "mean", NULL };

static const bert_option ROWS[] = {
    OPTION_BOOL(sample, verbose, NULL, "say more"),
    OPTION_BOOL(sample, tidy, "true", "say it well"),
    OPTION_INT(sample, batch_size, "32", 1, 65536, "N", "texts in a step"),
    OPTION_INT(sample, seed, "0", 0, INFINITY, "N", "where random numbers start"),
    OPTION_INT(sample, from_end, "-1", -INFINITY, 100, "N", "a layer"),
    OPTION_FLOAT(sample, learning_rate, "1e-5", 0, 1, "RATE", "step"),
    OPTION_FLOAT(sample, scale, NULL, -INFINITY, INFINITY, "X", "anything"),
    OPTION_STRING(sample, module, NULL, "PATH", "module"),
    OPTION_STRING(sample, label, "label", "NAME", "column"),
    OPTION_CHOICE(sample, pooling, "mean", POOLINGS, "HOW", "pooling"),
};
#define TABLE OPTION_TABLE(ROWS)

static void defaults_fill_every_field(void **state)
{
    (void)state;
    sample s;
    memset(&s, 0x55, sizeof s);
    bert_options_defaults(&s, TABLE);
    assert_false(s.verbose);
    assert_true(s.tidy);
    assert_int_equal(s.batch_size, 32);
    assert_int_equal(s.seed, 0);
    assert_int_equal(s.from_end, -1);
    assert_true(s.learning_rate == 1e-5);
    assert_true(s.scale == 0);
    assert_null(s.module);
    assert_string_equal(s.label, "label");
    assert_int_equal(s.pooling, 3);
    assert_int_equal(options_check(&s, TABLE, NULL), BERT_OK);
}

static void a_value_reaches_its_field(void **state)
{
    (void)state;
    sample s;
    bert_options_defaults(&s, TABLE);
    static const char *const values[][2] = { { "verbose", "true" },     { "tidy", "no" },
                                             { "batch-size", "65536" }, { "seed", "9223372036854775807" },
                                             { "from_end", "-12" },     { "learning-rate", "0.5" },
                                             { "scale", "-1e300" },     { "module", "x" },
                                             { "pooling", "cls-raw" } };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(bert_options_set(&s, TABLE, values[i][0], values[i][1], NULL), BERT_OK);
    assert_true(s.verbose);
    assert_false(s.tidy);
    assert_int_equal(s.batch_size, 65536);
    assert_true(s.seed == INT64_MAX);
    assert_int_equal(s.from_end, -12);
    assert_true(s.learning_rate == 0.5);
    assert_true(s.scale == -1e300);
    assert_ptr_equal(s.module, values[7][1]);
    assert_int_equal(s.pooling, 2);
}

static void a_wrong_value_is_refused_with_its_reason_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "batch_size", "0", "--batch-size: 0 is out of range, 1 to 65536" },
        { "batch_size", "65537", "--batch-size: 65537 is out of range, 1 to 65536" },
        { "batch_size", "99999999999999999999", "--batch-size: 99999999999999999999 is out of range, 1 to 65536" },
        { "batch_size", "many", "--batch-size: \"many\" is not a whole number" },
        { "batch_size", "3.5", "--batch-size: \"3.5\" is not a whole number" },
        { "batch_size", "", "--batch-size: \"\" is not a whole number" },
        { "seed", "-1", "--seed: -1 is out of range, at least 0" },
        { "from_end", "101", "--from-end: 101 is out of range, at most 100" },
        { "learning_rate", "2", "--learning-rate: 2 is out of range, 0 to 1" },
        { "learning_rate", "nan", "--learning-rate: nan is out of range, 0 to 1" },
        { "learning_rate", "1e-5x", "--learning-rate: \"1e-5x\" is not a number" },
        { "scale", "inf", "--scale: inf is out of range, too large" },
        { "verbose", "maybe", "--verbose: \"maybe\" is neither true nor false" },
        { "pooling", "foo", "--pooling: \"foo\" is not one of none, cls, cls_raw, mean" },
        { "pooling", "cl", "--pooling: \"cl\" is not one of none, cls, cls_raw, mean" },
        { "no_such", "1", "--no-such: no such option" },
        { "module", NULL, "--module: a value is missing" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample s, before;
        memset(&s, 0, sizeof s); /* padding too: the structs are compared as bytes */
        bert_options_defaults(&s, TABLE);
        memcpy(&before, &s, sizeof s);
        bert_err err = { 0 };
        assert_int_equal(bert_options_set(&s, TABLE, cases[i][0], cases[i][1], &err), BERT_ERR_ARGUMENT);
        assert_int_equal(err.code, BERT_ERR_ARGUMENT);
        assert_string_equal(err.message, cases[i][2]);
        assert_memory_equal(&s, &before, sizeof s);
        assert_int_equal(bert_options_set(&s, TABLE, cases[i][0], cases[i][1], NULL), BERT_ERR_ARGUMENT);
    }
}

static void a_printed_field_is_read_back_as_it_was(void **state)
{
    (void)state;
    sample s, again;
    bert_options_defaults(&s, TABLE);
    s.learning_rate = 0.1 + 0.2 - 0.3; /* 5.55e-17: needs 17 digits */
    s.scale = 1.0 / 3;
    s.seed = INT64_MAX;
    s.module = "a b";
    bert_options_defaults(&again, TABLE);
    buffer text[sizeof ROWS / sizeof *ROWS] = { 0 };
    for (size_t i = 0; i < TABLE.n; i++) {
        assert_true(option_text(&s, &ROWS[i], &text[i]));
        assert_int_equal(bert_options_set(&again, TABLE, ROWS[i].name, text[i].data, NULL), BERT_OK);
    }
    assert_true(again.learning_rate == s.learning_rate && again.scale == s.scale && again.seed == s.seed);
    assert_string_equal(again.module, "a b");
    assert_string_equal(text[9].data, "mean");
    for (size_t i = 0; i < TABLE.n; i++)
        buffer_free(&text[i]);
}

static void a_field_without_value_prints_nothing(void **state)
{
    (void)state;
    sample s;
    bert_options_defaults(&s, TABLE);
    s.pooling = 4;
    buffer text = { 0 };
    assert_false(option_text(&s, option_find(TABLE, "module"), &text));
    assert_false(option_text(&s, option_find(TABLE, "pooling"), &text));
    assert_int_equal(text.size, 0);
    buffer_free(&text);
}

static void numbers_are_printed_with_the_digits_they_need(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = { { 1e-5, "1e-05" },  { 0.1, "0.1" },   { 32, "32" },
                  { 0, "0" },         { -2.5, "-2.5" }, { 1.0 / 3, "0.3333333333333333" },
                  { 65536, "65536" }, { 100, "100" },   { 1e300, "1e+300" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer text = { 0 };
        number_text(&text, cases[i].number);
        assert_string_equal(text.data, cases[i].text);
        buffer_free(&text);
    }
}

static void a_struct_filled_by_hand_is_checked(void **state)
{
    (void)state;
    sample s;
    bert_err err;
    bert_options_defaults(&s, TABLE);
    s.batch_size = 0;
    assert_int_equal(options_check(&s, TABLE, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "--batch-size: 0 is out of range, 1 to 65536");
    bert_options_defaults(&s, TABLE);
    s.learning_rate = NAN;
    assert_int_equal(options_check(&s, TABLE, &err), BERT_ERR_ARGUMENT);
    bert_options_defaults(&s, TABLE);
    s.pooling = 9;
    assert_int_equal(options_check(&s, TABLE, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "--pooling: \"9\" is not one of none, cls, cls_raw, mean");
}

/* A program that speaks German must not read 0.5 as 0, nor print 0,5. */
static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE" };
    size_t i = 0;
    while (i < 4 && !setlocale(LC_NUMERIC, names[i]))
        i++;
    if (i == 4) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    sample s;
    bert_options_defaults(&s, TABLE);
    bert_status status = bert_options_set(&s, TABLE, "learning_rate", "0.5", NULL);
    buffer text = { 0 };
    number_text(&text, 0.5);
    setlocale(LC_NUMERIC, "C");
    assert_int_equal(status, BERT_OK);
    assert_true(s.learning_rate == 0.5);
    assert_string_equal(text.data, "0.5");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_every_field),
        cmocka_unit_test(a_value_reaches_its_field),
        cmocka_unit_test(a_wrong_value_is_refused_with_its_reason_and_changes_nothing),
        cmocka_unit_test(a_printed_field_is_read_back_as_it_was),
        cmocka_unit_test(a_field_without_value_prints_nothing),
        cmocka_unit_test(numbers_are_printed_with_the_digits_they_need),
        cmocka_unit_test(a_struct_filled_by_hand_is_checked),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
