/* Sets of words keep each word once and find it in about the same time however many there are. */
#include "data/word_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WORDS = 200 };
static char names[WORDS + 1][16];

static bert_text numbered(size_t i)
{
    return (bert_text){ names[i], (size_t)snprintf(names[i], sizeof names[i], "word %zu", i) };
}

static void each_word_is_kept_once_and_its_number_is_that_of_adding(void **state)
{
    (void)state;
    word_set set = { 0 };
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < WORDS; i++)
            assert_true(word_set_add(&set, numbered(i * 37 % WORDS)));
    assert_int_equal(set.n, WORDS);
    for (size_t i = 0; i < WORDS; i++)
        assert_int_equal(set.counts[i], 2);
    for (size_t i = 0; i < WORDS; i++) {
        bert_text word = numbered(i * 37 % WORDS);
        assert_int_equal(word_set_find(&set, word), i);
        assert_int_equal(word_compare(&set.words[i], &word), 0);
    }
    assert_int_equal(word_set_find(&set, numbered(WORDS)), -1);
    assert_int_equal(word_set_find(&set, (bert_text){ 0 }), -1);
    word_set_free(&set);
    assert_null(set.words);
    assert_int_equal(word_set_find(&set, numbered(0)), -1);
}

static void words_are_told_apart_by_every_byte_and_by_their_length(void **state)
{
    (void)state;
    static const bert_text ODD[] = { { NULL, 0 },
                                     { "\0", 1 },
                                     { "\0\0", 2 },
                                     { "a", 1 },
                                     { "a\0", 2 },
                                     { "abcdefgh", 8 },
                                     { "abcdefgi", 8 },
                                     { "abcdefgh\0", 9 },
                                     { "abcdefghi", 9 },
                                     { "abcdefgh abcdefgh", 17 },
                                     { "abcdefgh abcdefgi", 17 } };
    enum { N = sizeof ODD / sizeof *ODD };
    word_set set = { 0 };
    for (size_t i = 0; i < N; i++)
        assert_true(word_set_add(&set, ODD[i]));
    assert_int_equal(set.n, N);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(word_set_find(&set, ODD[i]), i);
    word_set_free(&set);
}

static void the_order_of_bytes_puts_the_shorter_word_first(void **state)
{
    (void)state;
    bert_text a = { "ab", 2 }, b = { "abc", 3 }, c = { "b", 1 }, none = { NULL, 0 }, high = { "\xC3\xA4", 2 };
    assert_true(word_compare(&a, &b) < 0 && word_compare(&b, &c) < 0 && word_compare(&none, &a) < 0 &&
                word_compare(&c, &high) < 0);
    assert_true(word_compare(&b, &a) > 0 && word_compare(&a, &none) > 0);
    assert_int_equal(word_compare(&none, &none), 0);
}

/* Looking at each of the others would take minutes. */
static void a_million_words_take_a_moment(void **state)
{
    (void)state;
    enum { N = 1000000 };
    static char words[N][8];
    word_set set = { 0 };
    clock_t began = clock();
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0, x = i; k < 7; k++, x /= 10)
            words[i][k] = (char)('0' + x % 10);
        assert_true(word_set_add(&set, (bert_text){ words[i], 7 }));
    }
    for (size_t i = 0; i < N; i++)
        assert_int_equal(word_set_find(&set, (bert_text){ words[i], 7 }), i);
    assert_true(clock() - began < 20 * CLOCKS_PER_SEC);
    word_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_is_kept_once_and_its_number_is_that_of_adding),
        cmocka_unit_test(words_are_told_apart_by_every_byte_and_by_their_length),
        cmocka_unit_test(the_order_of_bytes_puts_the_shorter_word_first),
        cmocka_unit_test(a_million_words_take_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
