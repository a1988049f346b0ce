/* What sessions cost that share a model: weights stand in memory once, trained ones too; each has its work alone. */
#include "session/frozen_toys.h"

#include <unistd.h>

enum { SEQ_LEN = 64, SESSIONS = 100, MOST = 2 << 20, N = 300 };

/* Of MiniLM's shape, three layers tuned; its vocabulary is small, which is shared in any case. */
static bert_model *minilm_like(void)
{
    bert_err err;
    bert_model *model;
    bert_layer_spec spec;
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    const toy shape = { .layers = 6, .positions = 128, .hidden = 384, .heads = 12, .inner = 1536 };
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", shape);
    spec.seq_len = SEQ_LEN;
    spec.n_tune_layers = 3;
    check(bert_model_create(&spec, &head, 11, &model, &err), &err);
    return model;
}

static size_t resident(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*u %zu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bert_session *session_that_answers(const bert_model *model, bert_text text, float score[2])
{
    bert_err err;
    bert_session_options options = session_options(1);
    bert_session *session = session_of(model, &options);
    check(bert_session_predict(session, &text, NULL, 1, score, NULL, &err), &err);
    return session;
}

static void a_session_on_a_trained_model_costs_less_than_two_megabytes(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: a sanitizer has memory of its own\n");
    skip();
#endif
    random_stream r = { 9, 0, 0 };
    float first[2], score[2];
    bert_session *sessions[SESSIONS + 1];
    bert_model *model = minilm_like();
    bert_text text = toy_text(&r, SEQ_LEN);
    sessions[0] = session_that_answers(model, text, first);
    size_t before = resident();
    for (size_t i = 1; i <= SESSIONS; i++) {
        sessions[i] = session_that_answers(model, text, score);
        assert_memory_equal(score, first, sizeof first);
    }
    size_t each = (resident() - before) / SESSIONS;
    print_message("%zu KB a session\n", each >> 10);
    assert_true(before && each < MOST);
    for (size_t i = 0; i <= SESSIONS; i++)
        bert_session_free(sessions[i]);
    bert_model_free(model);
}

/* Calls of one text, then of many, then of one: a session grows with them, and gives the same bits. */
static void a_session_grows_with_its_calls(void **state)
{
    (void)state;
    bert_err err;
    random_stream r = { 10, 0, 0 };
    static bert_text texts[N];
    static float together[2 * N], alone[2];
    for (size_t i = 0; i < N; i++)
        texts[i] = toy_text(&r, 1 + random_below(&r, SEQ_LEN));
    bert_model *model = toy_model(toy_module("module", (toy){ .positions = SEQ_LEN }), BERT_POOLING_AUTO, SEQ_LEN);
    for (int threads = 1; threads <= 3; threads++)
        for (size_t most = 1; most <= N; most = most * 3 + 1) {
            bert_session_options options = session_options(threads);
            bert_session *small = session_of(model, &options), *large = session_of(model, &options);
            check(bert_session_predict(large, texts, NULL, N, together, NULL, &err), &err);
            for (size_t i = 0, n; i < N; i += n) {
                n = i + most < N ? most : N - i;
                float *scores = arena_array(&golden_memory, n, 2 * sizeof *scores);
                check(bert_session_predict(small, texts + i, NULL, n, scores, NULL, &err), &err);
                assert_memory_equal(scores, together + 2 * i, 2 * n * sizeof *scores);
                check(bert_session_predict(small, texts + i, NULL, 1, alone, NULL, &err), &err);
                assert_memory_equal(alone, together + 2 * i, sizeof alone);
            }
            bert_session_free(small);
            bert_session_free(large);
        }
    bert_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_session_on_a_trained_model_costs_less_than_two_megabytes),
        in_a_folder(a_session_grows_with_its_calls),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
