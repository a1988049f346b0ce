/* Texts to the three matrices: cutting, threads, what is counted, what is refused. */
#include "text/features.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, A = 4, B = 5 };

static bert_tokenizer *tokenizer;

static int set_up(void **state)
{
    (void)state;
    const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##a\n";
    return bert_tokenizer_create(vocabulary, sizeof vocabulary - 1, "vocabulary", NULL, &tokenizer, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    bert_tokenizer_free(tokenizer);
    return 0;
}

static bert_text text_of(const char *string)
{
    return (bert_text){ string, strlen(string) };
}

/* "a a a ..." of n tokens, or "b b b ...". */
static bert_text letters(char letter, size_t n, char *space)
{
    for (size_t i = 0; i < n; i++)
        space[2 * i] = letter, space[2 * i + 1] = ' ';
    return (bert_text){ space, 2 * n };
}

/* The original's _truncate_seq_pair, one token at a time. */
static void pop_from_the_longer(size_t *a, size_t *b, size_t room)
{
    while (*a + *b > room)
        --*(*a > *b ? a : b);
}

static void every_cut_is_that_of_popping_one_token_at_a_time(void **state)
{
    (void)state;
    char first[64], second[64];
    int32_t ids[16];
    encode_scratch scratch = { 0 };
    for (size_t seq_len = 3; seq_len <= 12; seq_len++)
        for (size_t n_a = 0; n_a <= 16; n_a++)
            for (size_t n_b = 1; n_b <= 16; n_b++) {
                size_t a = n_a, b = n_b;
                pop_from_the_longer(&a, &b, seq_len - 3);
                encoded e;
                assert_int_equal(encode_pair(tokenizer, letters('a', n_a, first), letters('b', n_b, second), seq_len,
                                             &scratch, ids, &e, NULL),
                                 BERT_OK);
                assert_int_equal(e.second, a + 2);
                assert_int_equal(e.n, b ? a + b + 3 : a + 2);
                assert_int_equal(e.truncated, a < n_a || b < n_b);
                for (size_t i = 0; i < e.n; i++)
                    assert_int_equal(ids[i], i == 0 ? CLS : i == a + 1 || i == a + b + 2 ? SEP : i <= a ? A : B);
            }
    encode_scratch_free(&scratch);
}

static void a_row_is_padded_with_zeros(void **state)
{
    (void)state;
    bert_features f = { 0 };
    bert_text texts[2] = { text_of("a aa"), text_of("b b b b b b b b") }, pairs[2] = { text_of("b"), text_of(" ") };
    const int32_t ids[] = { CLS, A, A, 6, SEP, B, SEP, 0, CLS, B, B, B, B, B, B, SEP },
                  mask[] = { 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1 },
                  segments[] = { 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    for (int again = 0; again < 2; again++) {
        assert_int_equal(bert_encode(tokenizer, texts, pairs, 2, 8, &f, NULL), BERT_OK);
        assert_int_equal(f.n, 2);
        assert_int_equal(f.seq_len, 8);
        assert_memory_equal(f.input_ids, ids, sizeof ids);
        assert_memory_equal(f.input_mask, mask, sizeof mask);
        assert_memory_equal(f.segment_ids, segments, sizeof segments);
        assert_int_equal(f.truncated, 1);
    }
    bert_features_free(&f);
    assert_null(f.input_ids);
    bert_features_free(NULL);
}

/* 500 random texts at once, by all threads, are the rows of 500 calls. */
static void rows_do_not_depend_on_what_else_is_encoded(void **state)
{
    (void)state;
    enum { N = 500, LONGEST = 60, SEQ_LEN = 24 };
    static char bytes[2 * N][LONGEST];
    static bert_text texts[2 * N];
    random_stream r = { .seed = 7 };
    bert_features all = { 0 }, one = { 0 };
    size_t truncated = 0, dropped = 0;
    for (size_t i = 0; i < 2 * N; i++) {
        texts[i] = (bert_text){ bytes[i], random_below(&r, LONGEST) };
        for (size_t k = 0; k < texts[i].size; k++)
            bytes[i][k] = "aaabbb   \xC3\xA4.\xFF"[random_below(&r, 13)];
    }
    assert_int_equal(bert_encode(tokenizer, texts, texts + N, N, SEQ_LEN, &all, NULL), BERT_OK);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(bert_encode(tokenizer, texts + i, texts + N + i, 1, SEQ_LEN, &one, NULL), BERT_OK);
        assert_memory_equal(all.input_ids + i * SEQ_LEN, one.input_ids, SEQ_LEN * sizeof *one.input_ids);
        assert_memory_equal(all.input_mask + i * SEQ_LEN, one.input_mask, SEQ_LEN * sizeof *one.input_mask);
        assert_memory_equal(all.segment_ids + i * SEQ_LEN, one.segment_ids, SEQ_LEN * sizeof *one.segment_ids);
        truncated += one.truncated;
        dropped += one.dropped;
    }
    assert_in_range(truncated, 1, N - 1);
    assert_in_range(dropped, 1, N * LONGEST);
    assert_int_equal(all.truncated, truncated);
    assert_int_equal(all.dropped, dropped);
    bert_features_free(&all);
    bert_features_free(&one);
}

static void no_texts_make_empty_features(void **state)
{
    (void)state;
    bert_features f = { 0 };
    assert_int_equal(bert_encode(tokenizer, NULL, NULL, 0, 8, &f, NULL), BERT_OK);
    assert_int_equal(f.n, 0);
    bert_features_free(&f);
}

static void a_sequence_below_three_is_refused(void **state)
{
    (void)state;
    bert_features f = { 0 };
    bert_err err;
    bert_text text = text_of("a");
    assert_int_equal(bert_encode(tokenizer, &text, NULL, 1, 2, &f, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "seq_len is 2, the least is 3");
    bert_features_free(&f);
}

static void a_text_that_is_too_large_is_named(void **state)
{
    (void)state;
    bert_features f = { 0 };
    bert_err err;
    bert_text texts[2] = { text_of("a"), { "", (size_t)1 << 32 } };
    assert_int_equal(bert_encode(tokenizer, texts, NULL, 2, 8, &f, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "text 1: a text of 4294967296 bytes: the tokeniser takes less than 4 GiB");
    assert_int_equal(f.n, 0);
    bert_features_free(&f);
}

static void matrices_beyond_memory_are_refused(void **state)
{
    (void)state;
    bert_features f = { 0 };
    bert_err err;
    bert_text text = text_of("a");
    assert_int_equal(bert_encode(tokenizer, &text, NULL, 1, SIZE_MAX / 2, &f, &err), BERT_ERR_MEMORY);
    assert_string_equal(err.message, "out of memory: features");
    bert_features_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_that_of_popping_one_token_at_a_time),
        cmocka_unit_test(a_row_is_padded_with_zeros),
        cmocka_unit_test(rows_do_not_depend_on_what_else_is_encoded),
        cmocka_unit_test(no_texts_make_empty_features),
        cmocka_unit_test(a_sequence_below_three_is_refused),
        cmocka_unit_test(a_text_that_is_too_large_is_named),
        cmocka_unit_test(matrices_beyond_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
