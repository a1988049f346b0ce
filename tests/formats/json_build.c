/* JSON that is put together: whole, or NULL. */
#include "formats/json_build.h"

#include "base/scratch.h"

static size_t left; /* allocations until one fails; SIZE_MAX: none does */

static void *scarce(size_t n)
{
    if (left != SIZE_MAX && left-- == 0)
        return NULL;
    return malloc(n);
}

static json_t *document(void)
{
    static const char *const WORDS[] = { "red", "green" };
    json_t *whole = json_pack("{s:s}", "format", "x"), *rows = json_array();
    for (int i = 0; i < 20; i++)
        json_add(&rows, json_pack("[i, f]", i, 0.5));
    json_put(&whole, "rows", rows);
    json_put(&whole, "words", json_of_words(WORDS, 2));
    json_put_all(&whole, json_pack("{s:o, s:o}", "bytes", json_of_bytes("a\xff"), "number", json_of_number(NAN)));
    return whole;
}

/* Whichever allocation fails, what comes out is the whole document or NULL. */
static void a_document_is_whole_or_null(void **state)
{
    (void)state;
    left = SIZE_MAX;
    json_set_alloc_funcs(scarce, free);
    json_t *expected = document();
    assert_non_null(expected);
    assert_string_equal(json_string_value(json_object_get(expected, "bytes")), "a\xEF\xBF\xBD");
    assert_true(json_is_null(json_object_get(expected, "number")));
    size_t failures = 0;
    for (size_t n = 0;; n++) {
        left = n;
        json_t *found = document();
        bool ended = left > 0 && left != SIZE_MAX;
        left = SIZE_MAX;
        assert_true(!found || json_equal(found, expected));
        failures += !found;
        json_decref(found);
        if (ended && found)
            break;
    }
    assert_true(failures > 50);
    json_decref(expected);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_whole_or_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
