/* A tokenised data set holds what bert_encode makes of each row, and packs into batches. */
#include "base/scratch.h"
#include "base/threads.h"
#include "data/token_reader.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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
    bert_dataset *made;
    assert_int_equal(bert_dataset_create(texts, pairs, labels, N, &made, NULL), BERT_OK);
    return made;
}

/* What each test begins with, and rows that it makes of it. */
static bert_dataset *d;
static bert_tokenizer *tokenizer;
static token_rows t;

static int set_up(void **state)
{
    (void)state;
    d = make_dataset();
    t = (token_rows){ 0 };
    return bert_tokenizer_create(VOCABULARY, sizeof VOCABULARY - 1, "vocabulary", NULL, &tokenizer, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    token_rows_free(&t);
    bert_tokenizer_free(tokenizer);
    bert_dataset_free(d);
    return 0;
}

/* *rows of all texts. */
static void tokenise(token_rows *rows, row_form form)
{
    assert_int_equal(token_rows_create(rows, d, tokenizer, SEQ_LEN, form, NULL), BERT_OK);
}

static void rows_hold_what_encode_gives(void **state)
{
    (void)state;
    bert_features f = { 0 };
    tokenise(&t, ROW_TOGETHER);
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
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    token_rows one, many;
    size_t before = threads_allow(1);
    tokenise(&one, ROW_TOGETHER);
    for (int threads = 2; threads <= 5; threads++) {
        threads_allow((size_t)threads);
        tokenise(&many, ROW_TOGETHER);
        assert_memory_equal(one.start, many.start, (N + 1) * sizeof *one.start);
        assert_memory_equal(one.second, many.second, N * sizeof *one.second);
        assert_memory_equal(one.ids, many.ids, one.start[N] * sizeof *one.ids);
        assert_memory_equal(&one.losses, &many.losses, sizeof one.losses);
        assert_int_equal(one.longest, many.longest);
        token_rows_free(&many);
    }
    threads_allow(before);
    token_rows_free(&one);
}

static void a_failure_names_the_first_row(void **state)
{
    (void)state;
    bert_err err;
    assert_int_equal(token_rows_create(&t, d, tokenizer, 2, ROW_TOGETHER, &err), BERT_ERR_ARGUMENT);
    assert_memory_equal(err.message, "row 0: ", 7);
    assert_null(t.ids);
    assert_int_equal(token_rows_create(&t, d, tokenizer, 2, ROW_TOGETHER, NULL), BERT_ERR_ARGUMENT);
}

/* Where the template gives both texts one segment, so do batches; the second text's place stays known. */
static void batches_have_the_segments_of_the_template(void **state)
{
    (void)state;
    special_template flat = *tokenizer->specials;
    arena a = { 0 };
    packed_batch b;
    const uint32_t rows[] = { 3 };
    for (int second = 1; second >= 0; second--) {
        flat.second_segment = second;
        tokenizer->specials = &flat;
        tokenise(&t, ROW_TOGETHER);
        size_t length = t.start[4] - t.start[3];
        assert_true(t.second[3] < length);
        assert_int_equal(token_rows_pack(&t, rows, 1, &b, &a, NULL), BERT_OK);
        assert_int_equal(b.segments[length - 1], second);
        assert_int_equal(b.segments[0], 0);
        token_rows_free(&t);
    }
    arena_free(&a);
}

/* A module of one segment has no place for a second text, read whole or in windows. */
static void a_second_text_needs_a_segment(void **state)
{
    (void)state;
    token_reader reader = { 0 };
    bert_err err;
    tokenizer->one_segment = true;
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, ROW_TOGETHER, &err), BERT_ERR_DATA);
    assert_non_null(strstr(err.message, ": a second text, for which the module has no segment (type_vocab_size 1)"));
    const row_reading how = { tokenizer, 32, ROW_TOGETHER, true, 0 };
    assert_int_equal(token_reader_run(&reader, &(texts_to_read){ d->n, d->texts, d->pairs, d, 0 }, &how, &err),
                     BERT_ERR_DATA);
    token_reader_free(&reader);
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, ROW_APART, &err), BERT_OK);
}

static void chosen_rows_are_packed_in_their_order(void **state)
{
    (void)state;
    arena memory = { 0 };
    packed_batch b;
    const uint32_t rows[] = { 17, 3, N - 1, 3 };
    tokenise(&t, ROW_TOGETHER);
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
}

static void texts_apart_are_two_sequences(void **state)
{
    (void)state;
    bert_features first = { 0 }, second = { 0 };
    tokenise(&t, ROW_APART);
    assert_int_equal(bert_encode(tokenizer, d->texts, NULL, N, SEQ_LEN, &first, NULL), BERT_OK);
    assert_int_equal(bert_encode(tokenizer, d->pairs, NULL, N, SEQ_LEN, &second, NULL), BERT_OK);
    assert_int_equal(token_rows_sequences(&t), 2);
    assert_int_equal(t.longest, 2 * SEQ_LEN);
    assert_null(t.words);
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < SEQ_LEN && first.input_mask[i * SEQ_LEN + k]; k++, n++)
            assert_int_equal(t.ids[n], first.input_ids[i * SEQ_LEN + k]);
        assert_int_equal(n - t.start[i], t.second[i]);
        for (size_t k = 0; k < SEQ_LEN && second.input_mask[i * SEQ_LEN + k]; k++, n++)
            assert_int_equal(t.ids[n], second.input_ids[i * SEQ_LEN + k]);
        assert_int_equal(t.start[i + 1], n);
    }
    bert_features_free(&first);
    bert_features_free(&second);
}

static void sequences_apart_are_packed_side_by_side(void **state)
{
    (void)state;
    arena memory = { 0 };
    packed_batch b;
    const uint32_t rows[] = { 9, 0, 1200 };
    tokenise(&t, ROW_APART);
    assert_int_equal(token_rows_pack(&t, rows, 3, &b, &memory, NULL), BERT_OK);
    assert_int_equal(b.n_seq, 6);
    for (size_t i = 0; i < 3; i++) {
        size_t row = rows[i], at = (size_t)b.start[2 * i];
        assert_int_equal((size_t)b.start[2 * i + 1] - at, t.second[row]);
        assert_int_equal((size_t)b.start[2 * i + 2] - at, token_rows_length(&t, row));
        for (size_t k = 0; k < token_rows_length(&t, row); k++) {
            assert_int_equal(b.ids[at + k], t.ids[t.start[row] + k]);
            assert_int_equal(b.positions[at + k], k < t.second[row] ? k : k - t.second[row]);
            assert_int_equal(b.segments[at + k], 0);
        }
    }
    arena_free(&memory);
}

static const char one_label[] = "O";

/* The data set becomes one row. */
static void use_text(bert_text text, const bert_text *pair)
{
    const bert_text label = { one_label, 1 };
    bert_dataset_free(d);
    assert_int_equal(bert_dataset_create(&text, pair, &label, 1, &d, NULL), BERT_OK);
}

/* Each word's first piece is known; -1 stands for [CLS], [SEP] and all other pieces. */
static void the_first_piece_of_each_word_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size; /* 0: up to the NUL */
        size_t n;
        int32_t words[SEQ_LEN];
    } cases[] = {
        { "a b c", 0, 5, { -1, 0, 1, 2, -1 } },
        { "abc ab", 0, 7, { -1, 0, -1, -1, 1, -1, -1 } },
        { "  a\t\r\nb ", 0, 4, { -1, 0, 1, -1 } },
        { "a.b c!", 0, 7, { -1, 0, -1, -1, 1, -1, -1 } }, /* one word of the table, three of the tokeniser */
        { "a \x01\x02 b", 0, 4, { -1, 0, 2, -1 } },       /* a word without pieces has none */
        { "\x01"
          "a b",
          0,
          4,
          { -1, 0, 1, -1 } },
        { "a \xff\xff b", 0, 4, { -1, 0, 2, -1 } },
        { "a\xc2\xa0"
          "b c",
          0,
          5,
          /* a no-break space does not divide the table's words */
          { -1, 0, -1, 1, -1 } },
        { "\xe4\xb8\xad\xe6\x96\x87 b", 0, 5, { -1, 0, -1, 1, -1 } },    /* nor do Chinese characters */
        { "a a a a a a aa a a", 0, 9, { -1, 0, 1, 2, 3, 4, 5, 6, -1 } }, /* cut within a word */
        { "a\0b c", 5, 5, { -1, 0, -1, 1, -1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        use_text((bert_text){ cases[i].text, cases[i].size ? cases[i].size : strlen(cases[i].text) }, NULL);
        token_rows plain;
        tokenise(&t, ROW_WORDS);
        tokenise(&plain, ROW_TOGETHER);
        assert_int_equal(t.start[1], plain.start[1]);
        assert_memory_equal(t.ids, plain.ids, t.start[1] * sizeof *t.ids);
        assert_int_equal(t.second[0], t.start[1]);
        assert_int_equal(t.start[1], cases[i].n);
        for (size_t k = 0; k < cases[i].n; k++)
            assert_int_equal(t.words[k], cases[i].words[k]);
        token_rows_free(&t);
        token_rows_free(&plain);
    }
}

/* A pipeline's token may begin with the blank before its word, or be that blank alone: the word's all the same. */
static void tokens_with_their_blank_begin_words(void **state)
{
    static const char JSON[] =
        "{\"model\": {\"type\": \"BPE\", \"merges\": [\"\xc4\xa0 b\"], \"vocab\": {\"a\": 0, \"b\": 1, \"\xc4\xa0\": "
        "2, "
        "\"\xc4\xa0"
        "b\": 3, \"x\": 4}}, \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
        "\"trim_offsets\": false}}";
    static const int32_t IDS[] = { 0, 3, 4, 2, 0 }, WORDS[] = { 0, 1, -1, 2, -1 };
    bert_text text = { "a bx a", 6 };
    assert_int_equal(scratch_make(state), 0);
    bert_tokenizer_free(tokenizer);
    assert_works(bert_tokenizer_load(scratch_text("t.json", JSON), NULL, &tokenizer, err));
    assert_int_equal(scratch_remove(state), 0);
    use_text(text, NULL);
    tokenise(&t, ROW_WORDS);
    assert_int_equal(t.start[1], 5);
    assert_memory_equal(t.ids, IDS, sizeof IDS);
    assert_memory_equal(t.words, WORDS, sizeof WORDS);
}

static void words_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    token_rows one, many;
    free(d->pairs);
    d->pairs = NULL;
    size_t before = threads_allow(1);
    tokenise(&one, ROW_WORDS);
    threads_allow(4);
    tokenise(&many, ROW_WORDS);
    threads_allow(before);
    assert_memory_equal(one.start, many.start, (N + 1) * sizeof *one.start);
    assert_memory_equal(one.ids, many.ids, one.start[N] * sizeof *one.ids);
    assert_memory_equal(one.words, many.words, one.start[N] * sizeof *one.words);
    token_rows_free(&one);
    token_rows_free(&many);
}

static void a_form_that_the_texts_do_not_have_is_refused(void **state)
{
    (void)state;
    const bert_text text = { "a", 1 };
    bert_err err;
    use_text(text, NULL);
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, ROW_APART, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "row 0: task similarity needs two texts");
    use_text(text, &text);
    assert_int_equal(token_rows_create(&t, d, tokenizer, SEQ_LEN, ROW_WORDS, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "row 0: task tokens reads one text, and this row has two");
    assert_null(t.ids);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_hold_what_encode_gives),
        TEST(the_number_of_threads_changes_nothing),
        TEST(a_failure_names_the_first_row),
        TEST(batches_have_the_segments_of_the_template),
        TEST(tokens_with_their_blank_begin_words),
        TEST(a_second_text_needs_a_segment),
        TEST(chosen_rows_are_packed_in_their_order),
        TEST(texts_apart_are_two_sequences),
        TEST(sequences_apart_are_packed_side_by_side),
        TEST(the_first_piece_of_each_word_is_known),
        TEST(words_are_the_same_for_any_number_of_threads),
        TEST(a_form_that_the_texts_do_not_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
