/* Texts that come again in a call: each has the bits that it has alone, in every call of every kind of model. */
#include "session/frozen_toys.h"

#include "each_isa.h"

enum { N = 200, KINDS = 17, SEQ_LEN = 14, MOST_LABELS = 3 };

static const char *const TAGS[] = { "O", "B-X", "I-X" };

typedef struct sample {
    bert_text texts[N], pairs[N];
} sample;

/* Few texts, many times over, alone or in pairs; some differ in what the tokeniser does not see. */
static sample repeating_sample(bool both)
{
    random_stream r = { 17, 0, 0 };
    bert_text kinds[KINDS];
    sample s;
    for (size_t i = 0; i < KINDS; i++)
        kinds[i] = toy_text(&r, 1 + random_below(&r, SEQ_LEN + 4));
    kinds[1] = text_of("A  b c");
    kinds[2] = text_of("a b C ");
    for (size_t i = 0; i < N; i++) {
        s.texts[i] = kinds[random_below(&r, KINDS)];
        s.pairs[i] = both || i % 3 ? kinds[random_below(&r, KINDS / 4)] : (bert_text){ 0 };
    }
    return s;
}

static bert_model *model_of(bert_task task)
{
    bert_head_spec head = toy_head((int)task, task == BERT_TASK_TOKENS ? TAGS : TOY_BINARY,
                                   task == BERT_TASK_TOKENS ? 3 : 2);
    if (task == BERT_TASK_SIMILARITY)
        head.n_labels = 0;
    head.label_max = 1;
    return toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, SEQ_LEN, &head);
}

static void check_scores(bert_session *session, const sample *s)
{
    bert_err err;
    size_t K = bert_session_outputs(session), cut = 0, cut_alone = 0;
    float together[N * MOST_LABELS], alone[MOST_LABELS];
    check(bert_session_predict(session, s->texts, s->pairs, N, together, &cut, &err), &err);
    for (size_t i = 0; i < N; i++) {
        check(bert_session_predict(session, s->texts + i, s->pairs + i, 1, alone, &cut_alone, &err), &err);
        assert_memory_equal(together + i * K, alone, K * sizeof *alone);
    }
    assert_int_equal(cut, cut_alone);
}

static void check_vectors(bert_session *session, const sample *s)
{
    bert_err err;
    size_t H = bert_session_hidden(session), before = 0;
    float *together = arena_array(&golden_memory, N * SEQ_LEN * H, sizeof *together),
          *alone = arena_array(&golden_memory, SEQ_LEN * H, sizeof *alone);
    size_t counts[N], count, n;
    bool tokens = bert_session_per_token(session);
    check(bert_session_embed(session, s->texts, s->pairs, N, together, counts, NULL, &err), &err);
    for (size_t i = 0; i < N; i++, before += n) {
        check(bert_session_embed(session, s->texts + i, s->pairs + i, 1, alone, &count, NULL, &err), &err);
        n = tokens ? count : 1;
        assert_true(!tokens || counts[i] == count);
        assert_memory_equal(together + before * H, alone, n * H * sizeof *alone);
    }
}

static void scores_and_vectors_are_those_of_the_text_alone(void **state)
{
    (void)state;
    static const bert_task TASKS[] = { BERT_TASK_BINARY, BERT_TASK_SIMILARITY };
    static const int POOLINGS[] = { BERT_POOLING_AUTO, BERT_POOLING_NONE, BERT_POOLING_MEAN };
    for (size_t k = 0; k < sizeof TASKS / sizeof *TASKS; k++)
        for (int threads = 1; threads <= 3; threads++)
            for (size_t p = 0; p < sizeof POOLINGS / sizeof *POOLINGS; p++) {
                bert_model *model = model_of(TASKS[k]);
                sample s = repeating_sample(TASKS[k] == BERT_TASK_SIMILARITY);
                bert_session_options options = session_options(threads);
                options.pooling = POOLINGS[p];
                options.window = threads == 3 && POOLINGS[p] != BERT_POOLING_NONE ? SEQ_LEN : 0;
                bert_session *session = session_of(model, &options);
                check_scores(session, &s);
                check_vectors(session, &s);
                bert_session_free(session);
                bert_model_free(model);
            }
}

static void entities_are_those_of_the_text_alone(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = model_of(BERT_TASK_TOKENS);
    bert_session_options options = session_options(1);
    bert_session *session = session_of(model, &options), *other = session_of(model, &options);
    sample s = repeating_sample(false);
    const bert_entity *together, *alone;
    size_t n, n_alone, at = 0;
    check(bert_session_entities(session, s.texts, N, &together, &n, NULL, &err), &err);
    for (size_t i = 0; i < N; i++) {
        check(bert_session_entities(other, s.texts + i, 1, &alone, &n_alone, NULL, &err), &err);
        for (size_t k = 0; k < n_alone; k++, at++) {
            assert_true(at < n && together[at].text == i && together[at].label == alone[k].label);
            assert_int_equal(together[at].byte_start, alone[k].byte_start);
            assert_int_equal(together[at].byte_end, alone[k].byte_end);
            assert_memory_equal(&together[at].score, &alone[k].score, sizeof alone[k].score);
        }
    }
    assert_int_equal(at, n);
    assert_true(n > 0);
    bert_session_free(session);
    bert_session_free(other);
    bert_model_free(model);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(scores_and_vectors_are_those_of_the_text_alone),
        in_a_folder(entities_are_those_of_the_text_alone),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
