/* Calls that nobody means: no text, no rows, sizes beyond memory, numbers that are none, choices that are not there.
 * Each is refused or does nothing. */
#include "api/toy_folder.h"

#include <math.h>

static bert_module *module;
static bert_model *model;
static bert_dataset *rows;

static void expect_status(bert_status got, bert_status wanted, const bert_err *err, const char *call)
{
    if (got != wanted)
        fail_msg("%s: %s (%s), expected %s", call, bert_status_name(got), got ? err->message : "",
                 bert_status_name(wanted));
    if (got && !*err->message)
        fail_msg("%s: no message", call);
}

#define EXPECT(wanted, call)                      \
    do {                                          \
        bert_err err = { 0 };                     \
        expect_status(call, wanted, &err, #call); \
    } while (0)
#define REFUSED(call) EXPECT(BERT_ERR_ARGUMENT, call)
#define FINE(call) EXPECT(BERT_OK, call)

static const bert_text NOTHING = { NULL, 0 };

static int set_up(void **state)
{
    const bert_text texts[] = { { "a", 1 }, { "b", 1 } }, labels[] = { { "0", 1 }, { "1", 1 } };
    return toy_folder_make(state) || bert_import("tests/files/toy", module_path, NULL, NULL, NULL) ||
           bert_module_open(module_path, &module, NULL) || !(model = toy_binary(8, NULL)) ||
           bert_dataset_create(texts, NULL, labels, 2, &rows, NULL);
}

static int tear_down(void **state)
{
    bert_dataset_free(rows);
    bert_model_free(model);
    bert_module_free(module);
    return toy_folder_remove(state);
}

static void texts_that_are_nothing_are_empty(void **state)
{
    (void)state;
    const bert_tokenizer *t = bert_module_tokenizer(module);
    bert_tokens tokens = { 0 };
    bert_features features = { 0 };
    FINE(bert_tokenize(t, NOTHING, &tokens, &err));
    assert_int_equal(tokens.n, 0);
    bert_tokens_free(&tokens);
    FINE(bert_encode(t, &NOTHING, &NOTHING, 1, 3, &features, &err));
    assert_int_equal(features.input_mask[0] + features.input_mask[1] + features.input_mask[2], 2);
    FINE(bert_encode(t, NULL, NULL, 0, 8, &features, &err));
    assert_int_equal(features.n, 0);
    REFUSED(bert_encode(t, &NOTHING, NULL, 1, 0, &features, &err));
    REFUSED(bert_encode(t, &NOTHING, NULL, 1, 2, &features, &err));
    EXPECT(BERT_ERR_MEMORY, bert_encode(t, &NOTHING, NULL, 1, SIZE_MAX, &features, &err));
    EXPECT(BERT_ERR_MEMORY, bert_encode(t, &NOTHING, NULL, 1, SIZE_MAX / 4, &features, &err));
    EXPECT(BERT_ERR_MEMORY, bert_encode(t, &NOTHING, NULL, SIZE_MAX / 2, 8, &features, &err));
    bert_features_free(&features);
    assert_null(bert_tokenizer_token(t, -1, NULL));
    assert_null(bert_tokenizer_token(t, INT32_MAX, NULL));
    assert_null(bert_tokenizer_token(t, INT32_MIN, NULL));
    assert_int_equal(bert_tokenizer_id(t, NULL, 0), -1);
    assert_int_equal(bert_tokenizer_id(t, "", 0), -1);
}

static void sessions_bear_no_text_and_texts_that_are_nothing(void **state)
{
    (void)state;
    bert_session *session;
    const bert_entity *found;
    size_t n_found;
    float scores[2] = { 0 }, *vector;
    FINE(bert_session_create(model, NULL, &session, &err));
    FINE(bert_session_predict(session, NULL, NULL, 0, NULL, NULL, &err));
    FINE(bert_session_embed(session, NULL, NULL, 0, NULL, NULL, NULL, &err));
    FINE(bert_session_predict(session, &NOTHING, NULL, 1, scores, NULL, &err));
    assert_true(fabsf(scores[0] + scores[1] - 1) < 1e-5f);
    FINE(bert_session_predict(session, &NOTHING, &NOTHING, 1, scores, NULL, &err));
    vector = calloc(bert_session_hidden(session), sizeof *vector);
    FINE(bert_session_embed(session, &NOTHING, NULL, 1, vector, NULL, NULL, &err));
    free(vector);
    REFUSED(bert_session_entities(session, &NOTHING, 1, &found, &n_found, NULL, &err));
    bert_session_free(session);
}

static void options_of_a_session_are_held_to_their_bounds(void **state)
{
    (void)state;
    bert_session *session;
    bert_session_options good, o;
    bert_session_defaults(&good);
#define WITH(member, value) (o = good, o.member = (value), &o)
    REFUSED(bert_session_create(model, WITH(seq_len, -1), &session, &err));
    assert_null(session);
    REFUSED(bert_session_create(model, WITH(seq_len, 2), &session, &err));
    REFUSED(bert_session_create(model, WITH(seq_len, INT64_MAX), &session, &err));
    REFUSED(bert_session_create(model, WITH(pooling, 99), &session, &err));
    REFUSED(bert_session_create(model, WITH(pooling, -1), &session, &err));
    REFUSED(bert_session_create(model, WITH(streams, 7), &session, &err));
    REFUSED(bert_session_create(model, WITH(combine, -7), &session, &err));
    REFUSED(bert_session_create(model, WITH(threads, -1), &session, &err));
    REFUSED(bert_session_create(model, WITH(threads, INT64_MAX), &session, &err));
    REFUSED(bert_session_create(model, WITH(window, -5), &session, &err));
    REFUSED(bert_session_create(model, WITH(window, INT64_MIN), &session, &err));
    REFUSED(bert_session_create(model, WITH(stride, INT64_MAX), &session, &err));
#undef WITH
}

static void options_of_training_are_held_to_their_bounds(void **state)
{
    (void)state;
    bert_train_options good, o;
    bert_train_defaults(&good);
    good.epochs = 1;
#define WITH(member, value) (o = good, o.member = (value), &o)
#define TRAIN(options) bert_model_train(model, rows, NULL, options, NULL, false, NULL, NULL, &err)
    REFUSED(TRAIN(WITH(learning_rate, NAN)));
    REFUSED(TRAIN(WITH(learning_rate, INFINITY)));
    REFUSED(TRAIN(WITH(learning_rate, -1)));
    REFUSED(TRAIN(WITH(beta_1, NAN)));
    REFUSED(TRAIN(WITH(epsilon, NAN)));
    REFUSED(TRAIN(WITH(warmup, NAN)));
    REFUSED(TRAIN(WITH(label_smoothing, NAN)));
    REFUSED(TRAIN(WITH(clip_norm, NAN)));
    REFUSED(TRAIN(WITH(epochs, 0)));
    REFUSED(TRAIN(WITH(epochs, INT64_MAX)));
    REFUSED(TRAIN(WITH(batch_size, 0)));
    REFUSED(TRAIN(WITH(batch_size, INT64_MAX)));
    REFUSED(TRAIN(WITH(max_steps, -1)));
    REFUSED(TRAIN(WITH(accumulate, INT64_MIN)));
    REFUSED(TRAIN(WITH(cache_budget, INT64_MAX)));
    REFUSED(TRAIN(WITH(length_window, 0)));
    REFUSED(TRAIN(WITH(schedule, 77)));
    REFUSED(TRAIN(WITH(precision, -3)));
    REFUSED(TRAIN(WITH(optimizer, 12)));
    REFUSED(TRAIN(WITH(watch, "")));
    REFUSED(TRAIN(WITH(checkpoint_every, "")));
    REFUSED(TRAIN(WITH(checkpoint_every, "99999999999999999999m")));
    REFUSED(TRAIN(WITH(class_weights, "=")));
#undef TRAIN
#undef WITH
}

static void heads_and_layers_are_held_to_what_there_is(void **state)
{
    (void)state;
    static const char *const NULLS[] = { "0", NULL }, *const TWICE[] = { "a", "a" }, *const BYTES[] = { "a", "\xff" };
    bert_model *made;
    bert_layer_spec good, spec;
    bert_head_spec head, h;
    bert_layer_defaults(&good);
    good.module = module_path;
    good.seq_len = 8;
    bert_head_defaults(&head);
    head.task = BERT_TASK_MULTICLASS;
    head.n_labels = 2;
    head.labels = TWICE;
#define HEAD(member, value) (h = head, h.member = (value), &h)
    REFUSED(bert_model_create(&good, &head, 1, &made, &err));
    assert_null(made);
    REFUSED(bert_model_create(&good, HEAD(labels, NULLS), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(labels, BYTES), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(labels, NULL), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(task, 99), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(task, -99), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(head_hidden, -1), 1, &made, &err));
    REFUSED(bert_model_create(&good, HEAD(label_min, NAN), 1, &made, &err));
    static const char *const FINE_LABELS[] = { "a", "b" };
    head.labels = FINE_LABELS;
#define SPEC(member, value) (spec = good, spec.member = (value), &spec)
    REFUSED(bert_model_create(SPEC(seq_len, INT64_MAX), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(seq_len, -1), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(pooling, 55), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(n_tune_layers, 1000), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(n_tune_layers, INT64_MIN), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(use_layers, INT64_MAX), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(module, NULL), &head, 1, &made, &err));
    REFUSED(bert_model_create(SPEC(outputs, ",,"), &head, 1, &made, &err));
    bert_layer *layer;
    REFUSED(bert_layer_create(module, SPEC(seq_len, 2), 1, &layer, NULL, &err));
    REFUSED(bert_layer_create(module, SPEC(pooling, -2), 1, &layer, NULL, &err));
    assert_null(layer);
#undef HEAD
#undef SPEC
}

static void passes_read_no_more_than_there_is(void **state)
{
    (void)state;
    bert_layer *layer;
    bert_pass *pass;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.seq_len = 4;
    spec.n_tune_layers = 1;
    FINE(bert_layer_create(module, &spec, 1, &layer, NULL, &err));
    const int32_t low[] = { -1, 0, 0, 0 }, high[] = { INT32_MAX, 0, 0, 0 }, ids[] = { 1, 2, 0, 0 },
                  mask[] = { 1, 1, 0, 0 };
    const int32_t none[4] = { 0 }, odd[] = { 1, 7, 0, 0 };
    const bert_run run = { .keep = true };
#define FORWARD(...) bert_layer_forward(layer, &(bert_input){ __VA_ARGS__ }, &run, &pass, &err)
    FINE(FORWARD(0));
    bert_pass_free(pass);
    FINE(FORWARD(.n = 1, .texts = &NOTHING));
    float *grad = calloc(bert_layer_hidden(layer), sizeof *grad);
    const bert_output_grad wrong = { "no such output", grad }, nameless = { NULL, grad };
    REFUSED(bert_pass_backward(pass, &wrong, 1, &err));
    (void)nameless;
    free(grad);
    bert_pass_free(pass);
    spec.do_preprocessing = false;
    bert_layer_free(layer);
    FINE(bert_layer_create(module, &spec, 1, &layer, NULL, &err));
    REFUSED(FORWARD(.n = 1, .input_ids = low, .input_mask = mask, .segment_ids = none));
    REFUSED(FORWARD(.n = 1, .input_ids = high, .input_mask = mask, .segment_ids = none));
    REFUSED(FORWARD(.n = 1, .input_ids = ids, .input_mask = none, .segment_ids = none));
    REFUSED(FORWARD(.n = 1, .input_ids = ids, .input_mask = mask, .segment_ids = odd));
    REFUSED(FORWARD(.n = 1, .input_ids = ids, .input_mask = mask, .segment_ids = low));
    REFUSED(FORWARD(.n = 1, .texts = &NOTHING));
    REFUSED(FORWARD(.n = 1));
    bert_layer_free(layer);
}

static void data_sets_bear_nothing_and_refuse_what_is_too_much(void **state)
{
    (void)state;
    bert_dataset *d, *train, *valid;
    EXPECT(BERT_ERR_DATA, bert_dataset_create(&NOTHING, &NOTHING, &NOTHING, 1, &d, &err));
    static const double SHARES[] = { NAN, 0, 1, -1, 2, INFINITY };
    for (size_t i = 0; i < sizeof SHARES / sizeof *SHARES; i++)
        REFUSED(bert_dataset_split(rows, SHARES[i], 1, &train, &valid, &err));
    bert_freeze_options options;
    char path[96];
    bert_freeze_defaults(&options);
    snprintf(path, sizeof path, "%s/frozen", folder);
    options.min_agreement = NAN;
    REFUSED(bert_model_freeze(model, path, &options, rows, NULL, &err));
    options.min_agreement = 0;
    options.precision = 44;
    REFUSED(bert_model_freeze(model, path, &options, NULL, NULL, &err));
}

static void json_of_an_architecture_is_checked(void **state)
{
    (void)state;
    static const char *const NONE[] = { "",
                                        "null",
                                        "[]",
                                        "{",
                                        "{}",
                                        "{\"format\": \"libbert.model\"}",
                                        "{\"format\": \"libbert.model\", \"version\": 1}" };
    bert_model *made;
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        EXPECT(BERT_ERR_FORMAT, bert_model_from_json(NONE[i], folder, &made, &err));
        assert_null(made);
        EXPECT(BERT_ERR_FORMAT, bert_model_from_json(NONE[i], NULL, &made, &err));
    }
}

static void optimisers_refuse_numbers_that_are_none(void **state)
{
    (void)state;
    bert_optimizer *optimizer;
    bert_optimizer_options good, o;
    size_t n;
    const bert_param *params = bert_layer_params(bert_model_layer(model), &n);
    bert_optimizer_defaults(&good);
#define WITH(member, value) (o = good, o.member = (value), &o)
    REFUSED(bert_optimizer_create(params, n, WITH(learning_rate, NAN), &optimizer, &err));
    assert_null(optimizer);
    REFUSED(bert_optimizer_create(params, n, WITH(beta_2, 2), &optimizer, &err));
    REFUSED(bert_optimizer_create(params, n, WITH(optimizer, -1), &optimizer, &err));
    FINE(bert_optimizer_create(NULL, 0, &good, &optimizer, &err));
    assert_true(bert_optimizer_step(optimizer) == 0);
    bert_optimizer_free(optimizer);
    float value[2] = { 1, 1 }, gradient[2] = { 1, 1 };
    /* no group */
    const bert_param own = { .name = "own", .rows = 2, .cols = 1, .value = value, .tuned = value, .grad = gradient };
    FINE(bert_optimizer_create(&own, 1, &good, &optimizer, &err));
    bert_optimizer_step(optimizer);
    assert_true(value[0] < 1);
    bert_optimizer_free(optimizer);
#undef WITH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_nothing_are_empty),
        cmocka_unit_test(sessions_bear_no_text_and_texts_that_are_nothing),
        cmocka_unit_test(options_of_a_session_are_held_to_their_bounds),
        cmocka_unit_test(options_of_training_are_held_to_their_bounds),
        cmocka_unit_test(heads_and_layers_are_held_to_what_there_is),
        cmocka_unit_test(passes_read_no_more_than_there_is),
        cmocka_unit_test(data_sets_bear_nothing_and_refuse_what_is_too_much),
        cmocka_unit_test(json_of_an_architecture_is_checked),
        cmocka_unit_test(optimisers_refuse_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
