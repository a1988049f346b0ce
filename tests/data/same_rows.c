/* Equal rows are found by their bytes, whatever the hash does. */
#include "data/same_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal)               \
    {                               \
        literal, sizeof literal - 1 \
    }

static bert_dataset *make(const bert_text *texts, const bert_text *pairs, size_t n)
{
    static const bert_text label = TEXT("1");
    bert_text labels[16];
    bert_dataset *d;
    for (size_t i = 0; i < n; i++)
        labels[i] = label;
    assert_int_equal(bert_dataset_create(texts, pairs, labels, n, &d, NULL), BERT_OK);
    return d;
}

static void rows_are_equal_where_both_texts_are(void **state)
{
    (void)state;
    const bert_text texts[] = { TEXT("ab"), TEXT("a"), TEXT("ab"), TEXT("ab\0"), TEXT("ab"), TEXT("abc"), TEXT("") };
    const bert_text pairs[] = { TEXT("c"), TEXT("bc"), TEXT("c"), TEXT("c"), TEXT("C"), TEXT(""), TEXT("abc") };
    static const uint32_t first[] = { 0, 1, 0, 3, 4, 5, 6 };
    bert_dataset *d = make(texts, pairs, 7);
    same_rows s;
    assert_int_equal(same_rows_create(&s, d, NULL), BERT_OK);
    assert_memory_equal(s.first, first, sizeof first);
    same_rows_free(&s);
    bert_dataset_free(d);
}

static void rows_of_another_data_set_are_found(void **state)
{
    (void)state;
    const bert_text texts[] = { TEXT("x"), TEXT("y"), TEXT("y"), TEXT("z") },
                    others[] = { TEXT("y"), TEXT("Y"), TEXT("z"), TEXT("x") };
    const bert_text pairs[] = { TEXT(""), TEXT(""), TEXT("a"), TEXT("") };
    bert_dataset *d = make(texts, NULL, 4), *other = make(others, pairs, 4);
    same_rows s;
    assert_int_equal(same_rows_create(&s, d, NULL), BERT_OK);
    assert_int_equal(same_rows_find(&s, other, 0), 1);
    assert_int_equal(same_rows_find(&s, other, 1), NO_SUCH_ROW);
    assert_int_equal(same_rows_find(&s, other, 2), NO_SUCH_ROW); /* it has a second text */
    assert_int_equal(same_rows_find(&s, other, 3), 0);
    same_rows_free(&s);
    bert_dataset_free(other);
    bert_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_equal_where_both_texts_are),
        cmocka_unit_test(rows_of_another_data_set_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
