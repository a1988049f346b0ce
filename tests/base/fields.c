/* How values are written in lines of JSON and in columns. */
#include "base/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static buffer text;

#define assert_written(call, expected)            \
    do {                                          \
        buffer_clear(&text);                      \
        call;                                     \
        assert_string_equal(text.data, expected); \
    } while (0)

static void assert_as_printf(double x)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%.9g", x);
    assert_written(field_number(&text, x), expected);
}

/* Over all exponents and signs, many mantissas each, NaN and infinities left out. */
static void a_float_has_the_digits_of_printf(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < UINT64_C(1) << 32; i += 4093) {
        uint32_t bits = (uint32_t)i;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x))
            assert_as_printf((double)x);
    }
}

/* Powers of two have ties and long runs of zeros; beside powers of ten a digit more is needed, or one fewer. */
static void floats_beside_powers_have_the_digits_of_printf(void **state)
{
    (void)state;
    for (int e = -149; e < 128; e++)
        for (int k = -3; k <= 3; k++)
            assert_as_printf((double)(ldexpf(1, e) + (float)k * ldexpf(1, e - 20)));
    for (int e = -12; e < 13; e++) {
        float above = (float)pow(10, e), below = above;
        for (int k = 0; k < 1000; k++, above = nextafterf(above, INFINITY), below = nextafterf(below, 0)) {
            assert_as_printf((double)above);
            assert_as_printf(-(double)below);
        }
    }
}

static void doubles_are_rounded_once(void **state)
{
    (void)state;
    for (int i = 1; i < 100000; i++)
        assert_as_printf(1.0 / i);
    assert_written(field_number(&text, 0.1), "0.1");
    assert_written(field_number(&text, 1234567891234.0), "1.23456789e+12");
    assert_written(field_number(&text, 0.0), "0");
    assert_written(field_number(&text, -0.0), "-0");
}

static void what_is_no_number_is_null(void **state)
{
    (void)state;
    assert_written(field_number(&text, NAN), "null");
    assert_written(field_number(&text, INFINITY), "null");
    assert_written(field_number(&text, -INFINITY), "null");
}

static void the_point_is_a_point_in_any_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip();
    assert_written(field_number(&text, 1.0 / 3), "0.333333333");
    setlocale(LC_ALL, "C");
}

static void integers_of_any_size(void **state)
{
    (void)state;
    assert_written(field_integer(&text, 0), "0");
    assert_written(field_integer(&text, -10), "-10");
    assert_written(field_integer(&text, INT64_MAX), "9223372036854775807");
    assert_written(field_integer(&text, INT64_MIN), "-9223372036854775808");
}

#define STRING(string) string, sizeof(string) - 1

static void json_says_what_it_cannot_hold(void **state)
{
    (void)state;
    assert_written(field_json(&text, STRING("")), "\"\"");
    assert_written(field_json(&text, STRING("\"\\/\x1f\x7f\n\0.")), "\"\\\"\\\\/\\u001f\\u007f\\u000a\\u0000.\"");
    assert_written(field_json(&text, STRING("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")),
                   "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    /* a stray byte, an overlong form, a surrogate, beyond U+10FFFF, a character cut off */
    assert_written(field_json(&text, STRING("a\xFF"
                                            "b\xC0\x80")),
                   "\"a\\ufffdb\\ufffd\\ufffd\"");
    assert_written(field_json(&text, STRING("\xED\xA0\x80")), "\"\\ufffd\\ufffd\\ufffd\"");
    assert_written(field_json(&text, STRING("\xF4\x90\x80\x80")), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    assert_written(field_json(&text, STRING("x\xE2\x82")), "\"x\\ufffd\\ufffd\"");
}

static void columns_keep_their_separators(void **state)
{
    (void)state;
    assert_written(field_tsv(&text, STRING("a\tb\nc\rd\\e\xFF,\"")), "a\\tb\\nc\\rd\\\\e\xFF,\"");
    assert_written(field_csv(&text, STRING("plain \xFF\t")), "plain \xFF\t");
    assert_written(field_csv(&text, STRING("a,b")), "\"a,b\"");
    assert_written(field_csv(&text, STRING("a\"b\n")), "\"a\"\"b\n\"");
}

static int free_text(void **state)
{
    (void)state;
    buffer_free(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_float_has_the_digits_of_printf),
        cmocka_unit_test(floats_beside_powers_have_the_digits_of_printf),
        cmocka_unit_test(doubles_are_rounded_once),
        cmocka_unit_test(what_is_no_number_is_null),
        cmocka_unit_test(the_point_is_a_point_in_any_locale),
        cmocka_unit_test(integers_of_any_size),
        cmocka_unit_test(json_says_what_it_cannot_hold),
        cmocka_unit_test(columns_keep_their_separators),
    };
    return cmocka_run_group_tests(tests, NULL, free_text);
}
