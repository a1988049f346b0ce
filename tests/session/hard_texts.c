/* Texts that a program may be handed: of a megabyte, of bytes that are no text, a hundred thousand empty ones, none. */
#include "session/frozen_toys.h"

enum { MEGABYTE = 1 << 20, K = 2 };

static bert_session *session_with(const bert_model *model, int64_t seq_len, int64_t window, int64_t stride)
{
    bert_session_options options = session_options(0);
    options.seq_len = seq_len;
    options.window = window;
    options.stride = stride;
    return session_of(model, &options);
}

/* A megabyte of each kind, all cut to seq_len. */
static void a_text_of_a_megabyte_is_cut(void **state)
{
    (void)state;
    static const char *const PIECES[] = { "a ", "a",  " ",    "\xff", "\xe4\xb8\xad", "e\xcc\x81", "\xf0\x9f\x98\x80",
                                          ".",  "\n", "a\xff" };
    enum { KINDS = sizeof PIECES / sizeof *PIECES };
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 32);
    bert_session *session = session_with(model, 0, 0, 0);
    bert_text texts[KINDS];
    float scores[KINDS * K], alone[K];
    size_t cut = 0;
    for (size_t i = 0; i < KINDS; i++) {
        size_t piece = strlen(PIECES[i]), n = MEGABYTE / piece;
        char *text = arena_alloc(&golden_memory, MEGABYTE);
        for (size_t k = 0; k < n; k++)
            memcpy(text + k * piece, PIECES[i], piece);
        texts[i] = (bert_text){ text, n * piece };
    }
    check(bert_session_predict(session, texts, NULL, KINDS, scores, &cut, &err), &err);
    /* blanks, bytes that are dropped, and words of a megabyte are no more tokens than fit */
    assert_true(cut >= 3 && cut < KINDS);
    for (size_t i = 0; i < KINDS; i++) {
        check(bert_session_predict(session, &texts[i], NULL, 1, alone, NULL, &err), &err);
        assert_memory_equal(alone, scores + i * K, sizeof alone);
        assert_true(fabs(alone[0] + alone[1] - 1) < 1e-6);
        check(bert_session_predict(session, &texts[i], &texts[i], 1, alone, NULL, &err), &err);
        assert_true(fabs(alone[0] + alone[1] - 1) < 1e-6);
    }
    bert_session_free(session);
    bert_model_free(model);
}

static void a_text_of_a_megabyte_is_read_in_windows(void **state)
{
    (void)state;
    bert_err err;
    random_stream r = { 71, 0, 0 };
    bert_model *model = toy_model(toy_module("module", (toy){ .layers = 1 }), BERT_POOLING_CLS, 32);
    bert_session *session = session_with(model, 0, TOY_POSITIONS, TOY_POSITIONS - 2);
    bert_text text = toy_text(&r, MEGABYTE / 16);
    float scores[2 * K];
    size_t cut = 0;
    check(bert_session_predict(session, &text, NULL, 1, scores, &cut, &err), &err);
    check(bert_session_predict(session, &text, &text, 1, scores + K, &cut, &err), &err);
    assert_int_equal(cut, 1); /* the first of the pair */
    for (int i = 0; i < 2; i++)
        assert_true(fabs(scores[i * K] + scores[i * K + 1] - 1) < 1e-5);
    bert_session_free(session);
    bert_model_free(model);
}

static void bytes_that_are_no_text_are_as_if_they_were_not_there(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 32);
    bert_session *session = session_with(model, 0, 0, 0);
    const bert_text texts[] = { text_of("\xff\xfe a\x80 b\xc3"),
                                text_of("a b"),
                                text_of("\xed\xa0\x80\xf5"),
                                text_of(""),
                                { "a\0b", 3 },
                                text_of("ab") };
    enum { N = sizeof texts / sizeof *texts };
    float scores[N * K], vectors[N * TOY_HIDDEN];
    size_t cut = 0;
    check(bert_session_predict(session, texts, NULL, N, scores, &cut, &err), &err);
    check(bert_session_embed(session, texts, NULL, N, vectors, NULL, &cut, &err), &err);
    assert_int_equal(cut, 0);
    for (size_t i = 0; i < N; i += 2) {
        assert_memory_equal(scores + i * K, scores + (i + 1) * K, K * sizeof *scores);
        assert_memory_equal(vectors + i * TOY_HIDDEN, vectors + (i + 1) * TOY_HIDDEN, TOY_HIDDEN * sizeof *vectors);
    }
    bert_session_free(session);
    bert_model_free(model);
}

static void a_hundred_thousand_empty_texts_are_all_the_same(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ .layers = 1 }), BERT_POOLING_CLS, 32);
    bert_text *texts = arena_alloc(&golden_memory, MANY * sizeof *texts);
    float *scores = arena_alloc(&golden_memory, MANY * K * sizeof *scores),
          *vectors = arena_alloc(&golden_memory, MANY * TOY_HIDDEN * sizeof *vectors);
    size_t cut = 0;
    for (int window = 0; window < 2; window++) {
        bert_session *session = session_with(model, 0, window ? 16 : 0, 0);
        check(bert_session_predict(session, texts, NULL, MANY, scores, &cut, &err), &err);
        check(bert_session_embed(session, texts, texts, MANY, vectors, NULL, &cut, &err), &err);
        assert_int_equal(cut, 0);
        for (size_t i = 1; i < MANY; i++)
            if (memcmp(scores, scores + i * K, K * sizeof *scores) ||
                memcmp(vectors, vectors + i * TOY_HIDDEN, TOY_HIDDEN * sizeof *vectors))
                fail_msg("text %zu differs", i);
        bert_session_free(session);
    }
    bert_model_free(model);
}

static void no_text_is_no_answer(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 32);
    for (int window = 0; window < 2; window++) {
        bert_session *session = session_with(model, 0, window ? 16 : 0, 0);
        size_t cut = 5;
        check(bert_session_predict(session, NULL, NULL, 0, NULL, &cut, &err), &err);
        check(bert_session_embed(session, NULL, NULL, 0, NULL, NULL, &cut, &err), &err);
        if (!window)
            check(bert_session_run(session, NULL, NULL, 0, &(bert_outputs){ 0 }, &cut, &err), &err);
        assert_int_equal(cut, 5);
        bert_session_free(session);
    }
    bert_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_text_of_a_megabyte_is_cut),
        in_a_folder(a_text_of_a_megabyte_is_read_in_windows),
        in_a_folder(bytes_that_are_no_text_are_as_if_they_were_not_there),
        in_a_folder(a_hundred_thousand_empty_texts_are_all_the_same),
        in_a_folder(no_text_is_no_answer),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
