/* The whole way with bert.h alone: import, train, save, load, freeze, predict, as a program that links the installed
 * library would. */
#include "api/toy_folder.h"

#include <math.h>
#include <sys/wait.h>

enum { N = 16, MOST = 64 };

static int run(const char *program, const char *a, const char *b, const char *c)
{
    pid_t child = fork();
    if (child == 0) {
        execlp(program, program, a, b, c, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static bert_dataset *load(const char *path)
{
    bert_err err = { 0 };
    bert_dataset *d = toy_pairs(path, &err);
    if (!d)
        fail_msg("%s", err.message);
    return d;
}

/* Scores of the first rows of the validation table: (N, 2). */
static void predict(const bert_model *model, float scores[N * 2])
{
    bert_table *table;
    bert_table_options columns;
    bert_rows rows;
    bert_session *session;
    bert_table_defaults(&columns);
    columns.text_columns = "1,2";
    memset(scores, 0, N * 2 * sizeof *scores);
    check(bert_table_open("tests/files/toy-valid.tsv", &columns, false, &table, &err));
    check(bert_table_next(table, N, &rows, &err));
    check(bert_session_create(model, NULL, &session, &err));
    assert_true(rows.n > 4);
    check(bert_session_predict(session, rows.texts, rows.pairs, rows.n, scores, NULL, &err));
    bert_session_free(session);
    bert_table_close(table);
}

static bert_model *open_model(const char *path)
{
    bert_model *model;
    check(bert_model_load(path, &model, &err));
    return model;
}

static void assert_predicts(const char *path, const float expected[N * 2])
{
    float scores[N * 2];
    bert_model *model = open_model(path);
    predict(model, scores);
    bert_model_free(model);
    assert_memory_equal(scores, expected, sizeof scores);
}

static bool remember(void *context, const bert_event *event)
{
    if (event->kind == BERT_EVENT_EPOCH && event->best)
        *(bert_metrics *)context = *event->valid;
    return true;
}

/* Trains, saving to model_path, and returns the model; best receives its validation. */
static bert_model *train_model(bert_metrics *best)
{
    bert_layer_spec spec;
    bert_train_options options;
    bert_model *model;
    bert_head_spec head;
    bert_dataset *train = load("tests/files/toy-train.tsv"), *valid = load("tests/files/toy-valid.tsv");
    bert_layer_defaults(&spec);
    spec.module = module_path;
    spec.seq_len = 24;
    spec.n_tune_layers = 1;
    bert_head_defaults(&head);
    check(bert_head_of_dataset(&head, train, &err));
    assert_int_equal(head.task, BERT_TASK_BINARY);
    check(bert_model_create(&spec, &head, 1, &model, &err));
    bert_train_defaults(&options);
    check(bert_options_set(&options, bert_train_option_table(), "learning-rate", "0.01", &err));
    options.epochs = 3;
    options.batch_size = 4;
    check(bert_model_train(model, train, valid, &options, model_path, false, remember, best, &err));
    bert_dataset_free(train);
    bert_dataset_free(valid);
    return model;
}

static void check_evaluation(const bert_model *model, const bert_metrics *expected)
{
    bert_session *session;
    bert_evaluation e;
    bert_dataset *valid = load("tests/files/toy-valid.tsv");
    check(bert_session_create(model, NULL, &session, &err));
    check(bert_session_evaluate(session, valid, NULL, NULL, &e, &err));
    assert_int_equal(e.metrics.n, expected->n);
    assert_true(e.metrics.loss == expected->loss && e.metrics.accuracy == expected->accuracy &&
                e.metrics.f1 == expected->f1);
    bert_session_free(session);
    bert_dataset_free(valid);
}

/* A model rebuilt from its architecture, with the weights alone brought over. */
static void check_rebuilt(const bert_model *model, const float expected[N * 2])
{
    char *json;
    bert_model *rebuilt;
    float scores[N * 2];
    check(bert_model_to_json(model, folder, &json, &err));
    check(bert_model_from_json(json, folder, &rebuilt, &err));
    predict(rebuilt, scores);
    assert_memory_not_equal(scores, expected, sizeof scores); /* its head is new */
    check(bert_model_save_weights(model, path_of("weights.safetensors"), &err));
    check(bert_model_load_weights(rebuilt, path_of("weights.safetensors"), &err));
    predict(rebuilt, scores);
    assert_memory_equal(scores, expected, sizeof scores);
    bert_free(json);
    bert_model_free(rebuilt);
}

static void from_a_checkpoint_to_a_frozen_models_prediction(void **state)
{
    (void)state;
    char *note;
    float scores[N * 2];
    bert_metrics best = { 0 };
    check(bert_import("tests/files/toy", module_path, NULL, &note, &err));
    bert_free(note);
    bert_model *model = train_model(&best);
    predict(model, scores);
    for (size_t i = 0; i < N; i++)
        assert_true(scores[2 * i] == 0 || fabsf(scores[2 * i] + scores[2 * i + 1] - 1) < 1e-6f);
    check_evaluation(model, &best);
    check_rebuilt(model, scores);
    check(bert_model_save(model, path_of("copy"), true, &err));
    check(bert_model_freeze(model, frozen_path, NULL, NULL, NULL, &err));
    bert_model_free(model);

    assert_predicts(model_path, scores);
    assert_int_equal(run("rm", "-rf", module_path, model_path), 0);
    assert_predicts(path_of("copy"), scores); /* it has the module in it */
    assert_int_equal(run("rm", "-rf", path_of("copy"), path_of("weights.safetensors")), 0);
    assert_predicts(frozen_path, scores);
    model = open_model(frozen_path);
    check_evaluation(model, &best);
    bert_err err;
    bert_dataset *train = load("tests/files/toy-train.tsv");
    assert_int_equal(bert_model_train(model, train, NULL, NULL, NULL, false, NULL, NULL, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "only a model with a task that is made on a module can be trained");
    assert_int_equal(bert_model_save(model, model_path, false, &err), BERT_ERR_ARGUMENT);
    bert_dataset_free(train);
    bert_model_free(model);
}

static void null_may_be_freed_and_errors_need_no_struct(void **state)
{
    (void)state;
    bert_model *model;
    bert_session_free(NULL);
    bert_model_free(NULL);
    bert_module_free(NULL);
    bert_layer_free(NULL);
    bert_pass_free(NULL);
    bert_dataset_free(NULL);
    bert_optimizer_free(NULL);
    bert_tokenizer_free(NULL);
    bert_table_close(NULL);
    bert_free(NULL);
    assert_int_equal(bert_model_load("tests/files/nowhere", &model, NULL), BERT_ERR_IO);
    assert_null(model);
    assert_string_equal(bert_version(), BERT_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_checkpoint_to_a_frozen_models_prediction),
        cmocka_unit_test(null_may_be_freed_and_errors_need_no_struct),
    };
    return cmocka_run_group_tests(tests, toy_folder_make, toy_folder_remove);
}
