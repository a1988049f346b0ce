/* Packed batches from texts and from matrices. */
#include "text/packed_batch.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, A = 4, B = 5, V = 6 };

static bert_tokenizer *make_tokenizer(void)
{
    const char lines[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
    bert_tokenizer *t;
    assert_int_equal(bert_tokenizer_create(lines, sizeof lines - 1, "vocabulary", NULL, &t, NULL), BERT_OK);
    return t;
}

static bert_text text_of(const char *string)
{
    return (bert_text){ string, strlen(string) };
}

#define assert_ints(found, ...)                                \
    do {                                                       \
        const int32_t expected[] = { __VA_ARGS__ };            \
        assert_memory_equal(found, expected, sizeof expected); \
    } while (0)

static void texts_are_packed_one_after_another(void **state)
{
    (void)state;
    bert_tokenizer *t = make_tokenizer();
    bert_text texts[3] = { text_of("a"), text_of(""), text_of("b a b a b\xFF") },
              pairs[3] = { text_of("b b"), text_of(""), text_of("") };
    encode_scratch scratch = { 0 };
    packed_losses losses = { .truncated = 10 };
    packed_batch b;
    arena memory = { 0 };
    assert_int_equal(packed_batch_from_texts(&b, t, texts, pairs, 3, 6, &scratch, &losses, &memory, NULL), BERT_OK);
    assert_int_equal(b.n_seq, 3);
    assert_int_equal(b.n_tok, 14);
    assert_ints(b.start, 0, 6, 8, 14);
    assert_ints(b.ids, CLS, A, SEP, B, B, SEP, CLS, SEP, CLS, B, A, B, A, SEP);
    assert_ints(b.positions, 0, 1, 2, 3, 4, 5, 0, 1, 0, 1, 2, 3, 4, 5);
    assert_ints(b.segments, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(losses.truncated, 11);
    assert_int_equal(losses.dropped, 1);

    assert_int_equal(packed_batch_from_texts(&b, t, texts, NULL, 2, 6, &scratch, NULL, &memory, NULL), BERT_OK);
    assert_ints(b.start, 0, 3, 5);
    arena_free(&memory);
    encode_scratch_free(&scratch);
    bert_tokenizer_free(t);
}

/* A template may give both texts one segment, and more special tokens between them. */
static void segments_are_those_of_the_template(void **state)
{
    (void)state;
    static const special_template FLAT = {
        { 1, { SPECIAL_CLASSIFY } }, { 2, { SPECIAL_SEPARATE, SPECIAL_SEPARATE } }, { 1, { SPECIAL_SEPARATE } }, 0
    };
    bert_tokenizer *t = make_tokenizer();
    bert_text text = text_of("a"), pair = text_of("b");
    encode_scratch scratch = { 0 };
    packed_batch b;
    arena memory = { 0 };
    t->specials = &FLAT;
    t->one_segment = true; /* enough for such a pair */
    assert_int_equal(packed_batch_from_texts(&b, t, &text, &pair, 1, 8, &scratch, NULL, &memory, NULL), BERT_OK);
    assert_ints(b.start, 0, 6);
    assert_ints(b.ids, CLS, A, SEP, SEP, B, SEP);
    assert_ints(b.segments, 0, 0, 0, 0, 0, 0);
    arena_free(&memory);
    encode_scratch_free(&scratch);
    bert_tokenizer_free(t);
}

static void a_text_that_cannot_be_encoded_is_named(void **state)
{
    (void)state;
    bert_tokenizer *t = make_tokenizer();
    bert_text text = text_of("a");
    encode_scratch scratch = { 0 };
    packed_batch b;
    arena memory = { 0 };
    bert_err err;
    assert_int_equal(packed_batch_from_texts(&b, t, &text, NULL, 1, 2, &scratch, NULL, &memory, &err),
                     BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "text 0: seq_len is 2, the least is 3");
    arena_free(&memory);
    encode_scratch_free(&scratch);
    bert_tokenizer_free(t);
}

/* The matrices of the tests below: two rows of four, the first with a hole in its mask. */
typedef struct rows {
    int32_t ids[8], mask[8], segments[8];
} rows;

static const rows SOUND = { { 2, 4, 5, 3, 2, 3, 0, 0 }, { 1, 0, 1, 1, 1, 1, 0, 0 }, { 0, 0, 1, 1, 0, 0, 0, 0 } };

static bert_status pack(packed_batch *b, const rows *r, arena *memory, bert_err *err)
{
    packed_matrices m = { 2, 4, r->ids, r->mask, r->segments, V, 2, NULL };
    return packed_batch_from_matrices(b, &m, memory, err);
}

static void tokens_keep_their_position_over_a_hole(void **state)
{
    (void)state;
    packed_batch b;
    arena memory = { 0 };
    assert_int_equal(pack(&b, &SOUND, &memory, NULL), BERT_OK);
    assert_int_equal(b.n_seq, 2);
    assert_int_equal(b.n_tok, 5);
    assert_ints(b.start, 0, 3, 5);
    assert_ints(b.ids, 2, 5, 3, 2, 3);
    assert_ints(b.positions, 0, 2, 3, 0, 1);
    assert_ints(b.segments, 0, 1, 1, 0, 0);
    arena_free(&memory);
}

static void assert_refused(const rows *r, const char *message)
{
    packed_batch b;
    arena memory = { 0 };
    bert_err err;
    assert_int_equal(pack(&b, r, &memory, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, message);
    arena_free(&memory);
}

static void a_wrong_value_is_named_by_row_and_column(void **state)
{
    (void)state;
    rows r = SOUND;
    r.ids[6] = V;
    assert_refused(&r, "input_ids: 6 in row 1, column 2; the vocabulary has 6 ids");
    r.ids[1] = -1;
    assert_refused(&r, "input_ids: -1 in row 0, column 1; the vocabulary has 6 ids");
    r = SOUND;
    r.segments[5] = 2;
    assert_refused(&r, "segment_ids: 2 in row 1, column 1; there are 2 segments");
    r.segments[5] = -1;
    assert_refused(&r, "segment_ids: -1 in row 1, column 1; there are 2 segments");
    r = SOUND;
    r.mask[7] = 2;
    assert_refused(&r, "input_mask: 2 in row 1, column 3; 0 or 1 expected");
    r = SOUND;
    r.mask[4] = r.mask[5] = 0;
    assert_refused(&r, "input_mask: no 1 in row 1");
}

static void a_batch_of_two_to_the_31_tokens_is_refused(void **state)
{
    (void)state;
    packed_batch b;
    arena memory = { 0 };
    bert_err err;
    assert_int_equal(packed_batch_create(&b, (size_t)1 << 31, 1, &memory, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "a batch of 2147483648 tokens in 1 sequences: there may be at most 2147483647");
    arena_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_those_of_the_template),
        cmocka_unit_test(texts_are_packed_one_after_another),
        cmocka_unit_test(a_text_that_cannot_be_encoded_is_named),
        cmocka_unit_test(tokens_keep_their_position_over_a_hole),
        cmocka_unit_test(a_wrong_value_is_named_by_row_and_column),
        cmocka_unit_test(a_batch_of_two_to_the_31_tokens_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
