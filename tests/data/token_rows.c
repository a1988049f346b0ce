/* A tokenised data set holds what bert_encode makes of each row, and packs into batches. */
#include "data/token_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\n##a\n##b\n##c\n";

enum { N = 1500, SEQ_LEN = 9 };

/* Texts and pairs of 0 to 12 words, some with bytes that are not UTF-8. */
static bert_dataset *make_dataset(void)
{
    static char words[2 * N][40];
    static bert_text texts[N], pairs[N], labels[N];
    for (size_t i = 0; i < 2 * N; i++) {
        size_t n = (i * 7919) % 13, at = 0;
        for (size_t k = 0; k < n; k++)
            at += (size_t)sprintf(words[i] + at, "%c%s ", "abc"[(i + k) % 3], k % 5 == 4 ? "a" : "");
        if (i % 100 == 7)
            at += (size_t)sprintf(words[i] + at, "\xff");
        (i % 2 ? pairs : texts)[i / 2] = (bert_text){ words[i], at };
    }
    for (size_t i = 0; i < N; i++)
        labels[i] = (bert_text){ i % 2 ? "1" : "0", 1 };
    bert_dataset *d;
    assert_int_equal(bert_dataset_create(texts, pairs, labels, N, &d, NULL), BERT_OK);
    return d;
}

static bert_tokenizer *make_tokenizer(void)
{
    bert_tokenizer *tokenizer;
    assert_int_equal(bert_tokenizer_create(VOCABULARY, sizeof VOCABULARY - 1, "vocabulary", true, &tokenizer, NULL), BERT_OK);
    return tokenizer;
}

static void rows_hold_what_encode_gives(void **state)
{
    (void)state;
    bert_dataset *d = make_dataset();
    bert_tokenizer *tokenizer = make_tokenizer();
    bert_features f = { 0 };
    token_rows t;
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, NULL), BERT_OK);
    assert_int_equal(bert_encode(tokenizer, d->texts, d->pairs, N, SEQ_LEN, &f, NULL), BERT_OK);
    assert_int_equal(t.n, N);
    assert_int_equal(t.longest, SEQ_LEN);
    assert_int_equal(t.losses.truncated, f.truncated);
    assert_true(f.truncated > 0);
    size_t n = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < SEQ_LEN && f.input_mask[i * SEQ_LEN + k]; k++, n++) {
            assert_int_equal(t.start[i] + k, n);
            assert_int_equal(t.ids[n], f.input_ids[i * SEQ_LEN + k]);
            assert_int_equal(k >= t.second[i], f.segment_ids[i * SEQ_LEN + k]);
        }
    assert_int_equal(t.start[N], n);
    bert_features_free(&f);
    token_rows_free(&t);
    bert_tokenizer_free(tokenizer);
    bert_dataset_free(d);
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    bert_dataset *d = make_dataset();
    bert_tokenizer *tokenizer = make_tokenizer();
    int before = omp_get_max_threads();
    token_rows one, many;
    omp_set_num_threads(1);
    assert_int_equal(token_rows_create(&one, d, tokenizer, SEQ_LEN, NULL), BERT_OK);
    for (int threads = 2; threads <= 5; threads++) {
        omp_set_num_threads(threads);
        assert_int_equal(token_rows_create(&many, d, tokenizer, SEQ_LEN, NULL), BERT_OK);
        assert_memory_equal(one.start, many.start, (N + 1) * sizeof *one.start);
        assert_memory_equal(one.second, many.second, N * sizeof *one.second);
        assert_memory_equal(one.ids, many.ids, one.start[N] * sizeof *one.ids);
        assert_memory_equal(&one.losses, &many.losses, sizeof one.losses);
        assert_int_equal(one.longest, many.longest);
        token_rows_free(&many);
    }
    omp_set_num_threads(before);
    token_rows_free(&one);
    bert_tokenizer_free(tokenizer);
    bert_dataset_free(d);
}

static void a_failure_names_the_first_row(void **state)
{
    (void)state;
    bert_dataset *d = make_dataset();
    bert_tokenizer *tokenizer = make_tokenizer();
    token_rows t;
    bert_err err;
    assert_int_equal(token_rows_create(&t, d, tokenizer, 2, &err), BERT_ERR_ARGUMENT);
    assert_memory_equal(err.message, "row 0: ", 7);
    assert_null(t.ids);
    assert_int_equal(token_rows_create(&t, d, tokenizer, 2, NULL), BERT_ERR_ARGUMENT);
    bert_tokenizer_free(tokenizer);
    bert_dataset_free(d);
}

static void chosen_rows_are_packed_in_their_order(void **state)
{
    (void)state;
    bert_dataset *d = make_dataset();
    bert_tokenizer *tokenizer = make_tokenizer();
    token_rows t;
    arena memory = { 0 };
    packed_batch b;
    const uint32_t rows[] = { 17, 3, N - 1, 3 };
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, NULL), BERT_OK);
    assert_int_equal(token_rows_pack(&t, rows, 4, &b, &memory, NULL), BERT_OK);
    assert_int_equal(b.n_seq, 4);
    int32_t at = 0;
    for (size_t s = 0; s < 4; s++) {
        size_t length = token_rows_length(&t, rows[s]);
        assert_int_equal(b.start[s], at);
        for (size_t k = 0; k < length; k++, at++) {
            assert_int_equal(b.ids[at], t.ids[t.start[rows[s]] + k]);
            assert_int_equal(b.positions[at], k);
            assert_int_equal(b.segments[at], k >= t.second[rows[s]]);
        }
    }
    assert_int_equal(b.n_tok, at);
    assert_int_equal(b.start[4], at);
    arena_free(&memory);
    token_rows_free(&t);
    bert_tokenizer_free(tokenizer);
    bert_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_what_encode_gives),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(a_failure_names_the_first_row),
        cmocka_unit_test(chosen_rows_are_packed_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
