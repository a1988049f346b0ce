/* The training loop on a set that can be learned: what it gives, what it keeps, what it tells, and how it stops. */
#include "toy_module.h"

#include "each_isa.h"
#include "task/classifier.h"

#include <signal.h>
#include <sys/resource.h>

enum { ROWS = 96, BATCH = 8, SEQ_LEN = 16, MOST_EVENTS = 1024 };

/* Texts of 4 to 9 letters; label k has letters of the k-th third of the alphabet. */
static bert_dataset *learnable(size_t n, size_t n_labels, uint64_t seed)
{
    static const char *const WORDS[] = { "0", "1", "2" };
    bert_err err;
    bert_dataset *d;
    random_stream r = { seed, 94, 0 };
    bert_text *texts = arena_alloc(&golden_memory, n * sizeof *texts), *labels = arena_alloc(&golden_memory, n * sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        char *text = arena_alloc(&golden_memory, 20);
        size_t letters = 4 + random_below(&r, 6), k = i % n_labels;
        for (size_t j = 0; j < letters; j++) {
            text[2 * j] = (char)('a' + 8 * k + random_below(&r, 8));
            text[2 * j + 1] = ' ';
        }
        texts[i] = (bert_text){ text, 2 * letters };
        labels[i] = text_of(WORDS[k]);
    }
    check(bert_dataset_create(texts, NULL, labels, n, &d, &err), &err);
    return d;
}

static bert_train_options options_of(int64_t epochs, double learning_rate)
{
    bert_train_options o;
    bert_train_defaults(&o);
    o.epochs = epochs;
    o.batch_size = BATCH;
    o.learning_rate = learning_rate;
    return o;
}

/* ---- what was told --------------------------------------------------------------------------------------------------------- */

typedef struct told {
    bert_event events[MOST_EVENTS];
    bert_metrics valid[MOST_EVENTS];
    size_t n;
    size_t stop_at;       /* the event of this number, from 1, stops the run; 0: none */
    bert_model *spoil;    /* its head is negated at the end of epoch 1 */
    rlim_t full_at_epoch; /* from this epoch on the disk is full; 0: never */
} told;

static bool listen(void *context, const bert_event *e)
{
    told *t = context;
    assert_true(t->n < MOST_EVENTS);
    t->events[t->n] = *e;
    if (e->valid)
        t->valid[t->n] = *e->valid;
    t->n++;
    if (t->spoil && e->kind == BERT_EVENT_EPOCH && e->epoch == 1) {
        bert_param *head = weight_at(&bert_model_layer(t->spoil)->weights, HEAD_WEIGHT, 0);
        for (size_t i = 0; i < head->cols; i++)
            head->tuned[i] *= -1;
        head[1].tuned[0] *= -1;
    }
    if (t->full_at_epoch && e->kind == BERT_EVENT_EPOCH && (rlim_t)e->epoch + 1 == t->full_at_epoch) {
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 100;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    return t->n != t->stop_at;
}

static told *new_told(void)
{
    return arena_alloc(&golden_memory, sizeof(told));
}

static const bert_event *last_epoch(const told *t)
{
    const bert_event *last = NULL;
    for (size_t i = 0; i < t->n; i++)
        if (t->events[i].kind == BERT_EVENT_EPOCH)
            last = &t->events[i];
    assert_non_null(last);
    return last;
}

static bert_model *open_folder(const char *folder)
{
    bert_err err;
    bert_model *model;
    check(model_open_folder(folder, &model, &err), &err);
    return model;
}

static bert_metrics evaluate(const bert_model *model, const bert_dataset *d)
{
    bert_err err;
    bert_metrics m;
    text_encoder texts;
    classifier c;
    check(text_encoder_create(&texts, model, BERT_POOLING_AUTO, (size_t)model->layer->spec.seq_len, &err), &err);
    check(classifier_create(&c, model, &texts, &err), &err);
    check(classifier_evaluate(&c, d, &m, &err), &err);
    classifier_free(&c);
    text_encoder_free(&texts);
    return m;
}

static void assert_same_metrics(bert_metrics a, bert_metrics b)
{
    assert_int_equal(a.n, b.n);
    assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
    assert_memory_equal(&a.accuracy, &b.accuracy, sizeof a.accuracy);
    assert_memory_equal(&a.f1, &b.f1, sizeof a.f1);
}

static void assert_same_weights(const bert_model *a, const bert_model *b)
{
    assert_int_equal(a->layer->n_tuned, b->layer->n_tuned);
    assert_memory_equal(a->layer->values, b->layer->values, a->layer->n_tuned * sizeof(float));
}

/* ---- learning -------------------------------------------------------------------------------------------------------------- */

static void check_learns(bert_layer_spec *spec, size_t n_labels)
{
    static const char *const WORDS[] = { "0", "1", "2" };
    bert_err err;
    bert_model *model;
    bert_dataset *train = learnable(480, n_labels, 1), *valid = learnable(60, n_labels, 2);
    bert_train_options o = options_of(8, 0.01);
    told *t = new_told();
    check(bert_model_create(spec, BERT_TASK_AUTO, WORDS, n_labels, 7, &model, &err), &err);
    bert_metrics before = evaluate(model, valid);
    check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
    bert_metrics after = evaluate(model, valid);
    if (!(after.loss < 0.7 * before.loss && after.accuracy > 1.5 / (double)n_labels))
        fail_msg("pooling %d, %zu labels: loss from %g to %g, accuracy %g", spec->pooling, n_labels, before.loss, after.loss, after.accuracy);
    assert_true(last_epoch(t)->loss < t->events[0].loss);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void what_can_be_learned_is_learned(void **state)
{
    (void)state;
    static const int POOLINGS[] = { BERT_POOLING_CLS, BERT_POOLING_CLS_RAW, BERT_POOLING_MEAN, BERT_POOLING_SQRT_MEAN, BERT_POOLING_MAX };
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", (toy){ .seq_layer = 2 });
    spec.seq_len = SEQ_LEN;
    spec.n_tune_layers = 1;
    for (size_t i = 0; i < sizeof POOLINGS / sizeof *POOLINGS; i++) {
        spec.pooling = POOLINGS[i];
        check_learns(&spec, 2);
    }
    spec.pooling = BERT_POOLING_CLS;
    check_learns(&spec, 3);
    spec.tune_embeddings = true;
    check_learns(&spec, 2);
    spec.tune_embeddings = false;
    spec.n_tune_layers = 0;
    spec.pooling = BERT_POOLING_MEAN;
    check_learns(&spec, 2);   /* the head alone */
    spec.outputs = "layer_0"; /* not what the head reads */
    check_learns(&spec, 2);
}

static bert_model *trained(const char *module, int pooling, bool tune_embeddings, int64_t seed, int threads)
{
    bert_err err;
    bert_model *model;
    bert_layer_spec spec;
    bert_dataset *train = learnable(50, 2, 1);
    bert_train_options o = options_of(2, 0.003);
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.pooling = pooling;
    spec.seq_len = SEQ_LEN;
    spec.n_tune_layers = 2;
    spec.tune_embeddings = tune_embeddings;
    o.seed = seed;
    omp_set_num_threads(threads);
    check(bert_model_create(&spec, BERT_TASK_BINARY, TOY_BINARY, 2, 3, &model, &err), &err);
    check(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &err), &err);
    bert_dataset_free(train);
    return model;
}

static void the_same_seed_gives_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    const char *module = toy_module("module", (toy){ 0 });
    for (int i = 0; i < 3; i++) {
        int pooling = i == 1 ? BERT_POOLING_MEAN : BERT_POOLING_CLS;
        bert_model *first = trained(module, pooling, i == 2, 42, 1), *other;
        for (int threads = 1; threads <= 4; threads++) {
            other = trained(module, pooling, i == 2, 42, threads);
            assert_same_weights(first, other);
            bert_model_free(other);
        }
        other = trained(module, pooling, i == 2, 43, 1);
        assert_memory_not_equal(first->layer->values, other->layer->values, first->layer->n_tuned * sizeof(float));
        bert_model_free(other);
        bert_model_free(first);
    }
}

static void a_batch_larger_than_the_data_is_all_of_it(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(5, 2, 1);
    bert_train_options o = options_of(2, 0.001);
    told *t = new_told();
    o.batch_size = 1000;
    check(bert_model_train(model, train, NULL, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(t->n, 4);
    assert_int_equal(t->events[0].done, 5);
    bert_dataset_free(train);
    bert_model_free(model);
}

/* ---- what is kept ---------------------------------------------------------------------------------------------------------- */

/* A run whose first epoch is its best: then the head is turned round, and the learning rate is too low to mend that. */
static void the_best_epoch_is_kept_in_memory_and_on_disk(void **state)
{
    (void)state;
    bert_err err;
    json_t *history;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN), *loaded;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    const char *folder = in_folder("model");
    bert_train_options o = options_of(4, 0.01);
    told *t = new_told();
    check(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &err), &err);
    t->spoil = model;
    o = options_of(3, 1e-9);
    check(bert_model_train(model, train, valid, &o, folder, false, listen, t, &err), &err);
    size_t steps = ROWS / BATCH;
    assert_int_equal(t->n, 3 * (steps + 1));
    assert_true(t->events[steps].best && !t->events[2 * steps + 1].best && !t->events[3 * steps + 2].best);
    assert_true(t->valid[steps].accuracy > 0.9 && t->valid[2 * steps + 1].accuracy < 0.1);
    assert_same_metrics(evaluate(model, valid), t->valid[steps]);
    loaded = open_folder(folder);
    assert_same_weights(model, loaded);
    assert_same_metrics(evaluate(loaded, valid), t->valid[steps]);
    check(json_read_file(&history, path_join(&golden_memory, folder, "history.json"), &err), &err);
    assert_int_equal(json_integer_value(json_object_get(history, "best_epoch")), 1);
    json_decref(history);
    bert_model_free(loaded);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("history.json: %s is no number", key);
    return json_number_value(value);
}

static void assert_close(double a, double b)
{
    if (!(fabs(a - b) <= 1e-8 * fabs(b)))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void the_history_tells_every_epoch_and_all_options(void **state)
{
    (void)state;
    bert_err err;
    json_t *history;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, SEQ_LEN);
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    const char *folder = in_folder("model");
    bert_train_options o = options_of(2, 0.002);
    bert_option_table table = bert_train_option_table();
    told *t = new_told();
    check(bert_model_train(model, train, valid, &o, folder, false, listen, t, &err), &err);
    check(json_read_file(&history, path_join(&golden_memory, folder, "history.json"), &err), &err);
    json_t *epochs = json_object_get(history, "epochs"), *options = json_object_get(history, "options");
    assert_string_equal(json_string_value(json_object_get(history, "format")), "libbert.history");
    assert_int_equal(json_array_size(epochs), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *e = json_array_get(epochs, i);
        size_t at = (i + 1) * (ROWS / BATCH + 1) - 1;
        assert_int_equal(number(e, "epoch"), i + 1);
        assert_close(number(e, "loss"), t->events[at].loss);
        assert_close(number(e, "accuracy"), t->events[at].accuracy);
        assert_close(number(e, "val_loss"), t->valid[at].loss);
        assert_close(number(e, "val_accuracy"), t->valid[at].accuracy);
        assert_close(number(e, "val_precision"), t->valid[at].precision);
        assert_close(number(e, "val_recall"), t->valid[at].recall);
        assert_close(number(e, "val_f1"), t->valid[at].f1);
        assert_true(number(e, "seconds") > 0);
    }
    assert_int_equal(json_object_size(options), table.n);
    assert_close(number(options, "learning_rate"), 0.002);
    assert_close(number(options, "epsilon"), 1e-7);
    assert_int_equal(number(options, "batch_size"), BATCH);
    assert_true(json_is_true(json_object_get(options, "frozen_dropout")));
    json_decref(history);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

/* ---- what is told ---------------------------------------------------------------------------------------------------------- */

static void events_come_step_by_step_and_then_the_epoch(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(ROWS + 3, 2, 1), *valid = learnable(10, 2, 2);
    bert_train_options o = options_of(3, 0.001);
    told *t = new_told();
    size_t steps = ROWS / BATCH + 1, i = 0;
    check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(t->n, 3 * (steps + 1));
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        size_t before = 0;
        for (size_t k = 0; k <= steps; k++, i++) {
            const bert_event *e = &t->events[i];
            assert_int_equal(e->kind, k < steps ? BERT_EVENT_STEP : BERT_EVENT_EPOCH);
            assert_int_equal(e->epoch, epoch);
            assert_int_equal(e->epochs, 3);
            assert_int_equal(e->total, ROWS + 3);
            assert_int_equal(e->valid != NULL, k == steps);
            assert_true(e->seconds >= 0 && e->loss > 0 && e->accuracy >= 0 && e->accuracy <= 1);
            assert_true(k == steps ? e->done == before : e->done > before && e->done <= before + BATCH);
            before = e->done;
        }
        assert_int_equal(before, ROWS + 3);
    }
    assert_true(t->events[steps].best); /* the first epoch always is */
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

/* ---- stopping -------------------------------------------------------------------------------------------------------------- */

static void check_stopped(size_t stop_at, bool with_folder, const char *words, bool saved)
{
    bert_err e = { 0 };
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(ROWS, 2, 1);
    const char *folder = in_folder("model");
    bert_train_options o = options_of(3, 0.001);
    told *t = new_told();
    t->stop_at = stop_at;
    folder_remove(folder, NULL);
    assert_int_equal(bert_model_train(model, train, NULL, &o, with_folder ? folder : NULL, false, listen, t, &e), BERT_ERR_STOPPED);
    assert_int_equal(e.code, BERT_ERR_STOPPED);
    assert_string_equal(e.message, arena_printf(&golden_memory, words, folder));
    assert_int_equal(t->n, stop_at);
    assert_int_equal(file_exists(path_join(&golden_memory, folder, "model.json")), saved);
    assert_int_equal(file_exists(path_join(&golden_memory, folder, "history.json")), saved);
    if (saved) {
        bert_model *loaded = open_folder(folder);
        assert_same_weights(model, loaded);
        bert_model_free(loaded);
    }
    bert_dataset_free(train);
    bert_model_free(model);
}

static void a_run_that_is_stopped_keeps_what_was_saved(void **state)
{
    (void)state;
    enum { EPOCH = ROWS / BATCH + 1 };
    check_stopped(1, true, "stopped in epoch 1; nothing was saved", false);
    check_stopped(EPOCH - 1, true, "stopped in epoch 1; nothing was saved", false);
    check_stopped(EPOCH, true, "stopped in epoch 1; %s holds the weights of epoch 1", true);
    check_stopped(EPOCH + 4, true, "stopped in epoch 2; %s holds the weights of epoch 1", true);
    check_stopped(EPOCH + 4, false, "stopped in epoch 2; nothing was saved", false);
}

/* ---- what goes wrong ------------------------------------------------------------------------------------------------------- */

static bert_dataset *load_rows(const char *name, const char *rows)
{
    bert_err err;
    bert_dataset *d;
    check(file_write_whole(in_folder(name), rows, strlen(rows), &err), &err);
    check(bert_dataset_load(in_folder(name), NULL, &d, &err), &err);
    return d;
}

static void an_unknown_label_is_found_before_training_starts(void **state)
{
    (void)state;
    char words[512];
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *good = load_rows("good.tsv", "text\tlabel\na b\t0\nc d\t1\n");
    bert_dataset *bad = load_rows("bad.tsv", "text\tlabel\na b\t0\nc d\t1\ne f\tmaybe\n");
    told *t = new_told();
    snprintf(words, sizeof words, "%s:4: label \"maybe\" is not one of the model's: 0, 1", in_folder("bad.tsv"));
    assert_fails(bert_model_train(model, bad, NULL, NULL, in_folder("model"), false, listen, t, err), BERT_ERR_DATA, words);
    assert_fails(bert_model_train(model, good, bad, NULL, in_folder("model"), false, listen, t, err), BERT_ERR_DATA, words);
    assert_int_equal(t->n, 0);
    assert_false(file_exists(in_folder("model")));
    bert_dataset_free(good);
    bert_dataset_free(bad);
    bert_model_free(model);
}

static void a_loss_that_is_not_finite_ends_the_run(void **state)
{
    (void)state;
    bert_err e = { 0 };
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = toy_model(module, BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(ROWS, 2, 1);
    bert_train_options o = options_of(2, 1e300);
    assert_int_equal(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &e), BERT_ERR_NUMERIC);
    assert_non_null(strstr(e.message, "the loss is "));
    assert_non_null(strstr(e.message, "at step 2 of epoch 1 (a batch with row "));
    assert_non_null(strstr(e.message, "); try a lower learning rate"));
    bert_model_free(model);
    /* One step an epoch: no loss tells of it any more. */
    model = toy_model(module, BERT_POOLING_CLS, SEQ_LEN);
    o.batch_size = ROWS;
    const char *folder = in_folder("model");
    assert_fails(bert_model_train(model, train, NULL, &o, folder, false, NULL, NULL, err), BERT_ERR_NUMERIC,
                 "a weight is not finite after epoch 1; try a lower learning rate");
    assert_false(file_exists(path_join(&golden_memory, folder, "model.json")));
    bert_dataset_free(train);
    bert_model_free(model);
}

static void what_cannot_be_trained_is_said(void **state)
{
    (void)state;
    static const char WORDS[] = "only a model with a head that is made on a module can be trained";
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(8, 2, 1);
    bert_train_options o = options_of(0, 0.01);
    const char *name = model->task;
    model->task = NULL; /* as a module alone */
    assert_fails(bert_model_train(model, train, NULL, NULL, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT, WORDS);
    model->task = name;
    model->module->frozen = true;
    assert_fails(bert_model_train(model, train, NULL, NULL, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT, WORDS);
    model->module->frozen = false;
    assert_fails(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--epochs: 0 is out of range, 1 to 100000");
    bert_dataset_free(train);
    bert_model_free(model);
}

static void a_folder_that_cannot_be_written_is_found_before_training_starts(void **state)
{
    (void)state;
    bert_err err = { 0 };
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(8, 2, 1);
    told *t = new_told();
    assert_int_equal(bert_model_train(model, train, NULL, NULL, "/proc/self", false, listen, t, &err), BERT_ERR_IO);
    assert_non_null(strstr(err.message, "/proc/self/history.json: cannot write: "));
    assert_int_equal(t->n, 0);
    bert_dataset_free(train);
    bert_model_free(model);
}

static void a_disk_that_fills_up_leaves_the_last_good_model(void **state)
{
    (void)state;
    bert_err err = { 0 };
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN), *first;
    bert_dataset *train = learnable(ROWS, 2, 1);
    const char *folder = in_folder("model"), *alone = in_folder("alone");
    bert_train_options o = options_of(3, 0.01);
    told *t = new_told();
    struct rlimit before;
    t->full_at_epoch = 2;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    bert_status s = bert_model_train(model, train, NULL, &o, folder, false, listen, t, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(s, BERT_ERR_IO);
    assert_string_equal(err.message, arena_printf(&golden_memory, "%s/weights.safetensors: cannot write: File too large", folder));
    bert_model_free(model);
    /* Epoch 1 of the same run, written to a disk that has room. */
    model = toy_model(in_folder("module"), BERT_POOLING_CLS, SEQ_LEN);
    o.epochs = 1;
    check(bert_model_train(model, train, NULL, &o, alone, false, NULL, NULL, &err), &err);
    first = open_folder(folder);
    assert_same_weights(first, model);
    bert_model_free(first);
    bert_model_free(model);
    bert_dataset_free(train);
}

static int groups(void)
{
#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)
    const struct CMUnitTest tests[] = {
        in_a_folder(what_can_be_learned_is_learned),
        in_a_folder(the_same_seed_gives_the_same_bits_on_any_number_of_threads),
        in_a_folder(a_batch_larger_than_the_data_is_all_of_it),
        in_a_folder(the_best_epoch_is_kept_in_memory_and_on_disk),
        in_a_folder(the_history_tells_every_epoch_and_all_options),
        in_a_folder(events_come_step_by_step_and_then_the_epoch),
        in_a_folder(a_run_that_is_stopped_keeps_what_was_saved),
        in_a_folder(an_unknown_label_is_found_before_training_starts),
        in_a_folder(a_loss_that_is_not_finite_ends_the_run),
        in_a_folder(what_cannot_be_trained_is_said),
        in_a_folder(a_folder_that_cannot_be_written_is_found_before_training_starts),
        in_a_folder(a_disk_that_fills_up_leaves_the_last_good_model),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
