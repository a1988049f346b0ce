/* Numbers that are none: no label, no vector and no file is made of them; the row is named, and the weight. */
#include "toy_model.h"

#include "layers/layer.h"

enum { N = 5 };

static const char *const LABELS[] = { "a", "b", "c" }, *const TAGS[] = { "O", "B-X", "I-X" };

static bert_model *model_of(bert_task id)
{
    bert_head_spec head = toy_head((int)id, id == BERT_TASK_TOKENS ? TAGS : LABELS, id == BERT_TASK_BINARY ? 2 : 3);
    if (id == BERT_TASK_REGRESSION || id == BERT_TASK_SIMILARITY)
        head.n_labels = 0;
    head.label_max = 1;
    return toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, 12, &head);
}

/* The first number of a tuned weight of that group (NULL: any). */
static float *weight_in(bert_model *m, const char *group)
{
    size_t n;
    const bert_param *params = bert_layer_params(bert_model_layer(m), &n);
    for (size_t i = 0; i < n; i++)
        if (params[i].tuned && !strcmp(params[i].group, group))
            return params[i].tuned;
    fail_msg("no tuned weight in %s", group);
    return NULL;
}

static void fill_texts(bert_text texts[N], bert_text pairs[N])
{
    random_stream r = { 8, 1, 0 };
    for (size_t i = 0; i < N; i++) {
        texts[i] = toy_text(&r, 3 + i);
        pairs[i] = toy_text(&r, 4);
    }
}

static const char SAYS_NAN[] = "row 0: what the model gives is NaN; its weights are not sound";

static void no_score_is_made_of_nan(void **state)
{
    (void)state;
    static const bert_task TASKS[] = { BERT_TASK_BINARY, BERT_TASK_MULTICLASS, BERT_TASK_MULTILABEL,
                                       BERT_TASK_REGRESSION };
    bert_text texts[N], pairs[N];
    float scores[3 * N];
    bert_err failure;
    for (size_t i = 0; i < sizeof TASKS / sizeof *TASKS; i++)
        for (int infinite = 0; infinite < 2; infinite++) {
            bert_model *m = model_of(TASKS[i]);
            fill_texts(texts, pairs);
            *weight_in(m, "head") = infinite ? INFINITY : NAN;
            bert_session *session = open_session(m, 12, BERT_POOLING_AUTO, false);
            bert_status s = bert_session_predict(session, texts, NULL, N, scores, NULL, &failure);
            assert_int_equal(s, BERT_ERR_NUMERIC);
            if (!infinite)
                assert_string_equal(failure.message, SAYS_NAN);
            bert_session_free(session);
            bert_model_free(m);
        }
}

static void no_entity_and_no_vector_is_made_of_nan(void **state)
{
    (void)state;
    bert_text texts[N], pairs[N];
    float vectors[N * 12 * 64], score[N];
    size_t counts[N], n;
    const bert_entity *entities;
    fill_texts(texts, pairs);
    bert_model *m = model_of(BERT_TASK_TOKENS);
    *weight_in(m, "head") = NAN;
    bert_session *session = open_session(m, 12, BERT_POOLING_AUTO, false);
    assert_fails(bert_session_entities(session, texts, N, &entities, &n, NULL, err), BERT_ERR_NUMERIC, SAYS_NAN);
    bert_session_free(session);
    bert_model_free(m);

    m = model_of(BERT_TASK_SIMILARITY);
    *weight_in(m, "layer 2") = NAN;
    session = open_session(m, 12, BERT_POOLING_AUTO, false);
    assert_fails(bert_session_predict(session, texts, pairs, N, score, NULL, err), BERT_ERR_NUMERIC, SAYS_NAN);
    assert_true(bert_session_hidden(session) <= 64);
    assert_fails(bert_session_embed(session, texts, NULL, N, vectors, NULL, NULL, err), BERT_ERR_NUMERIC, SAYS_NAN);
    bert_session_free(session);
    session = open_session(m, 12, BERT_POOLING_NONE, false);
    assert_fails(bert_session_embed(session, texts, NULL, N, vectors, counts, NULL, err), BERT_ERR_NUMERIC, SAYS_NAN);
    bert_session_free(session);
    bert_model_free(m);
}

static void a_file_is_not_frozen_with_nan(void **state)
{
    (void)state;
    for (int precision = 0; precision < 3; precision++) {
        bert_freeze_options options;
        bert_err failure;
        bert_freeze_defaults(&options);
        options.precision = precision;
        bert_model *m = model_of(BERT_TASK_MULTICLASS);
        weight_in(m, "head")[1] = -INFINITY;
        assert_int_equal(bert_model_freeze(m, scratch("f.bert"), &options, NULL, NULL, &failure), BERT_ERR_NUMERIC);
        assert_non_null(strstr(failure.message, "tensor classifier.weight is infinite at [0, 1]"));
        assert_false(file_exists(scratch("f.bert")));
        bert_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(no_score_is_made_of_nan),
        in_a_folder(no_entity_and_no_vector_is_made_of_nan),
        in_a_folder(a_file_is_not_frozen_with_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
