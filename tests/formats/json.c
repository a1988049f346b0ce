/* JSON in our words. */
#include "formats/json.h"

#include "base/scratch.h"

#include <float.h>

static json_t *parsed(const char *text)
{
    json_t *root;
    assert_works(json_read_bytes(&root, text, strlen(text), "x.json", err));
    return root;
}

static void what_does_not_parse_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "x.json: is empty, expected a JSON object" },
        { "{\n\"a\": 1,\n\"b\" 2}", "x.json: line 3, column 5: ':' expected near '2'" },
        { "{} x", "x.json: line 1, column 4: end of file expected near 'x'" },
        { "[1]", "x.json: is an array, expected a JSON object" },
        { "\"a\"", "x.json: line 1, column 3: '[' or '{' expected near '\"a\"'" },
        { "{\"a\": 1, \"a\": 2}", "x.json: line 1, column 12: duplicate object key near '\"a\"'" },
        { "{\"a\": \"\\u0000\"}",
          "x.json: line 1, column 14: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"'" },
        { "{\"a\": 99999999999999999999, \"b\" 2}", "x.json: line 1, column 33: ':' expected near '2'" },
        { "{\"a\": NaN}", "x.json: line 1, column 9: invalid token near 'NaN'" },
    };
    json_t *root;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(json_read_bytes(&root, cases[i].text, strlen(cases[i].text), "x.json", err), BERT_ERR_FORMAT,
                     cases[i].message);
        assert_null(root);
    }
    assert_fails(json_read_file(&root, scratch("none"), err), BERT_ERR_IO,
                 "none: cannot open: No such file or directory");
    assert_fails(json_read_file(&root, scratch_text("a", "{"), err), BERT_ERR_FORMAT,
                 "a: line 1, column 1: string or '}' expected near end of file");
    assert_null(root);
}

/* Nesting costs stack: it has an end. */
static void nesting_without_end_is_refused(void **state)
{
    (void)state;
    static char deep[100000];
    json_t *root;
    bert_err err = { 0 };
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    assert_int_equal(json_read_bytes(&root, deep, sizeof deep, "x", &err), BERT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "maximum parsing depth reached"));
}

/* Any number that JSON allows is a number: transformers writes 1e30 for a length that is not told. */
static void numbers_beyond_what_the_machine_counts_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        { "1000000000000000019884624838656", 1e30 },
        { "-9223372036854775809", -9223372036854775809.0 },
        { "18446744073709551616", 0x1p64 },
        { "1e999", DBL_MAX },
        { "-1e999", -DBL_MAX },
        { "1e-999", 0 },
    };
    char text[128];
    int64_t i;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double x;
        snprintf(text, sizeof text, "{\"1e999 \\\" 99999999999999999999\": 7, \"x\": [%s], \"y\":%s}", cases[k].text,
                 cases[k].text);
        json_t *root = parsed(text);
        assert_works(json_get_real_or(root, "y", -DBL_MAX, DBL_MAX, 5, &x, "w", err));
        assert_true(x == cases[k].value);
        assert_true(json_number_value(json_array_get(json_object_get(root, "x"), 0)) == cases[k].value);
        /* what stands in quotes stays */
        assert_works(json_get_int(root, "1e999 \" 99999999999999999999", 7, 7, &i, "w", err));
        json_decref(root);
    }
    json_t *root = parsed("{\"x\": 9223372036854775807, \"y\": 1e999}");
    assert_works(json_get_int(root, "x", 0, INT64_MAX, &i, "w", err));
    assert_true(i == INT64_MAX);
    json_decref(root);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    json_t *root = parsed("\xEF\xBB\xBF{\"x\": 99999999999999999999}");
    assert_true(json_is_real(json_object_get(root, "x")));
    json_decref(root);
    assert_fails(json_read_bytes(&root, "\xEF\xBB\xBF{", 4, "x.json", err), BERT_ERR_FORMAT,
                 "x.json: line 1, column 1: string or '}' expected near end of file");
}

static void a_file_that_need_not_be_there_is_read_where_it_is(void **state)
{
    (void)state;
    json_t *root;
    assert_works(json_read_beside(&root, scratch(""), "none.json", err));
    assert_null(root);
    scratch_text("some.json", "{");
    bert_err err;
    assert_int_equal(json_read_beside(&root, scratch(""), "some.json", &err), BERT_ERR_FORMAT);
    scratch_text("list.json", "{}");
    assert_int_equal(json_read_array(&root, scratch("list.json"), &err), BERT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "list.json: is an object, expected a JSON array"));
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    json_t *root = parsed("{\"zeta\": 0.1, \"alpha\": [1, \"\xc3\xa9\"], \"third\": 0.3333333333333333}"), *back;
    char *text = json_text(root);
    assert_string_equal(
        text, "{\n  \"zeta\": 0.1,\n  \"alpha\": [\n    1,\n    \"\xc3\xa9\"\n  ],\n  \"third\": 0.333333333\n}\n");
    assert_works(json_write_file(root, scratch("a"), err));
    assert_works(json_read_file(&back, scratch("a"), err));
    char *again = json_text(back);
    assert_string_equal(again, text);
    assert_fails(json_write_file(root, scratch("none/a"), err), BERT_ERR_IO,
                 "none/a: cannot write: No such file or directory");
    free(text);
    free(again);
    json_decref(root);
    json_decref(back);
}

static void members_are_read_by_type_and_range(void **state)
{
    (void)state;
    json_t *root = parsed("{\"i\": 5, \"r\": 0.5, \"b\": true, \"s\": \"x\", \"o\": {}, \"n\": null}"), *object;
    int64_t i;
    double r;
    bool b;
    const char *s;
    assert_works(json_get_int(root, "i", 5, 5, &i, "w", err));
    assert_int_equal(i, 5);
    assert_works(json_get_real_or(root, "r", 0, 1, 9, &r, "w", err));
    assert_true(r == 0.5);
    assert_works(json_get_real_or(root, "i", 0, 9, 1, &r, "w", err)); /* a whole number is a number */
    assert_true(r == 5);
    assert_works(json_get_bool_or(root, "b", false, &b, "w", err));
    assert_true(b);
    assert_works(json_get_string(root, "s", &s, "w", err));
    assert_string_equal(s, "x");
    assert_works(json_get_object(root, "o", &object, "w", err));
    assert_ptr_equal(object, json_object_get(root, "o"));
    json_decref(root);
}

static void absent_and_null_members_fall_back(void **state)
{
    (void)state;
    json_t *root = parsed("{\"n\": null}");
    static const char *const keys[] = { "n", "absent" };
    for (int k = 0; k < 2; k++) {
        int64_t i = 0;
        double r = 0;
        bool b = false;
        const char *s = "x";
        assert_works(json_get_int_or(root, keys[k], 0, 1, 77, &i, "w", err));
        assert_works(json_get_real_or(root, keys[k], 0, 1, 7.5, &r, "w", err));
        assert_works(json_get_bool_or(root, keys[k], true, &b, "w", err));
        assert_works(json_get_string_or(root, keys[k], NULL, &s, "w", err));
        assert_int_equal(i, 77);
        assert_true(r == 7.5 && b && !s);
    }
    json_decref(root);
}

static void a_wrong_member_says_what_was_found(void **state)
{
    (void)state;
    json_t *root = parsed("{\"i\": 5, \"r\": 0.5, \"b\": true, \"s\": \"x\", \"a\": [], \"o\": {}, \"n\": null}"),
           *object;
    int64_t i;
    double r;
    bool b;
    const char *s;
    assert_fails(json_get_int(root, "x", 0, 9, &i, "c.json", err), BERT_ERR_FORMAT, "c.json: x is missing");
    assert_fails(json_get_int(root, "n", 0, 9, &i, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: n is null, expected a whole number");
    assert_fails(json_get_int(root, "r", 0, 9, &i, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: r is a number, expected a whole number");
    assert_fails(json_get_int(root, "i", 6, 9, &i, "c.json", err), BERT_ERR_FORMAT, "c.json: i is 5, expected 6 to 9");
    assert_fails(json_get_int_or(root, "i", 0, 4, 1, &i, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: i is 5, expected 0 to 4");
    assert_fails(json_get_int_or(root, "s", 0, 4, 1, &i, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: s is a string, expected a whole number");
    assert_fails(json_get_real_or(root, "a", 0, 1, 0, &r, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: a is an array, expected a number");
    assert_fails(json_get_real_or(root, "r", 0, 0.1, 0, &r, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: r is 0.5, expected 0 to 0.1");
    assert_fails(json_get_bool_or(root, "i", true, &b, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: i is a whole number, expected true or false");
    assert_fails(json_get_string(root, "b", &s, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: b is true, expected a string");
    assert_fails(json_get_string(root, "x", &s, "c.json", err), BERT_ERR_FORMAT, "c.json: x is missing");
    assert_fails(json_get_string_or(root, "o", "", &s, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: o is an object, expected a string");
    assert_fails(json_get_object(root, "a", &object, "c.json", err), BERT_ERR_FORMAT,
                 "c.json: a is an array, expected an object");
    assert_fails(json_get_object(root, "x", &object, "c.json", err), BERT_ERR_FORMAT, "c.json: x is missing");
    json_decref(root);
}

#define IN_SCRATCH(test) in_a_folder(test)

static size_t left; /* allocations of a value until one fails */

static void *scarce(size_t n)
{
    return left-- ? malloc(n) : NULL;
}

/* Where memory runs out, the text is not called wrong and nothing of it is lost. */
static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    static const char TEXT[] = "{\"a\": [1, 2.5, \"twenty characters and more\"], \"b\": {\"c\": {}, "
                               "\"1234567890123456\": 1234567890123456789}}";
    json_t *whole = parsed(TEXT), *root = NULL;
    size_t failures = 0;
    json_set_alloc_funcs(scarce, free);
    for (; !root; failures++) {
        left = failures;
        bert_status s = json_read_bytes(&root, TEXT, strlen(TEXT), "x", NULL);
        assert_int_equal(s, root ? BERT_OK : BERT_ERR_MEMORY);
    }
    left = SIZE_MAX;
    assert_true(failures > 10 && json_equal(root, whole));
    json_decref(root);
    json_decref(whole);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_does_not_parse_says_where),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(nesting_without_end_is_refused),
        IN_SCRATCH(numbers_beyond_what_the_machine_counts_are_numbers),
        IN_SCRATCH(a_byte_order_mark_is_passed_over),
        IN_SCRATCH(a_file_that_need_not_be_there_is_read_where_it_is),
        IN_SCRATCH(what_is_written_is_read_back),
        cmocka_unit_test(members_are_read_by_type_and_range),
        cmocka_unit_test(absent_and_null_members_fall_back),
        cmocka_unit_test(a_wrong_member_says_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
