/* Runs that are stopped, killed and gone on with end with the same bits as one that was left alone. */
#include "train/toy_run.h"

#include "base/lock.h"
#include "each_isa.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

/* ---- a run, and what it leaves ----------------------------------------------------------------------------------- */

/* What decides a run: shuffled batches of 8 and one of 3, steps of two batches, dropout, a schedule, clipping,
 * unfreezing, validation. */
static bert_train_options whole_options(void)
{
    bert_train_options o = options_of(3, 0.003);
    o.optimizer = BERT_OPTIMIZER_ADAMW;
    o.accumulate = 2;
    o.schedule = SCHEDULE_COSINE;
    o.warmup = 0.2;
    o.clip_norm = 1;
    o.unfreeze_every = 1;
    o.choose_threshold = true;
    o.checkpoint_every = "0";
    return o;
}

enum { WHOLE_ROWS = 51, WHOLE_BATCHES = 7, WHOLE_STEPS = 12 };

typedef struct data {
    bert_dataset *train, *valid;
} data;

static data make_data(void)
{
    return (data){ learnable(WHOLE_ROWS, 2, 1), learnable(21, 2, 2) };
}

static void free_data(data d)
{
    bert_dataset_free(d.train);
    bert_dataset_free(d.valid);
}

static bert_model *whole_model(const char *module)
{
    bert_layer_spec spec = toy_spec(module, BERT_POOLING_CLS, 2);
    return new_binary(&spec);
}

static bert_status run_into(const char *folder, const data *d, const bert_train_options *o, told *t, bert_err *err)
{
    bert_model *model = whole_model(scratch("module"));
    bert_status s = bert_model_train(model, d->train, d->valid, o, folder, false, t ? listen : NULL, t, err);
    bert_model_free(model);
    return s;
}

/* Both files hold the same tensors, bit for bit. */
static void assert_same_tensors(const char *a, const char *b)
{
    bert_err err;
    tensor_set x, y;
    check(safetensors_open(&x, a, NULL, &err), &err);
    check(safetensors_open(&y, b, NULL, &err), &err);
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n; i++) {
        assert_string_equal(x.items[i].name, y.items[i].name);
        assert_int_equal(x.items[i].n, y.items[i].n);
        if (memcmp(x.items[i].data, y.items[i].data, x.items[i].n * sizeof(float)))
            fail_msg("%s and %s differ in %s", a, b, x.items[i].name);
    }
    tensors_close(&x);
    tensors_close(&y);
}

/* The history without what a clock says. */
static json_t *history_of(const char *folder)
{
    bert_err err;
    json_t *json, *epoch;
    size_t i;
    check(json_read_file(&json, path_join(&golden_memory, folder, "history.json"), &err), &err);
    json_object_del(json, "seconds");
    json_object_del(json, "options");
    json_array_foreach(json_object_get(json, "epochs"), i, epoch) json_object_del(epoch, "seconds");
    return json;
}

static void assert_same_folder(const char *a, const char *b)
{
    static const char *const FILES[] = { "weights.safetensors", "checkpoint.safetensors" };
    for (size_t i = 0; i < 2; i++)
        assert_same_tensors(path_join(&golden_memory, a, FILES[i]), path_join(&golden_memory, b, FILES[i]));
    json_t *x = history_of(a), *y = history_of(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
    bert_model *m = open_folder(a), *n = open_folder(b);
    assert_true(bert_model_threshold(m) == bert_model_threshold(n));
    bert_model_free(m);
    bert_model_free(n);
}

/* The run that nobody disturbs, in FOLDER/whole. */
static void run_whole(const data *d)
{
    bert_err err;
    bert_train_options o = whole_options();
    toy_module("module", (toy){ 0 });
    check(run_into(scratch("whole"), d, &o, NULL, &err), &err);
}

/* ---- stopped ----------------------------------------------------------------------------------------------------- */

/* Stopped by every event of the run in turn, gone on with and stopped again after seven more, until it is done. */
static void a_run_that_is_stopped_anywhere_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    data d = make_data();
    run_whole(&d);
    size_t stops = 0;
    bool done = false;
    for (size_t at = 1; !done; at += 2) {
        bert_err err;
        bert_train_options o = whole_options();
        const char *folder = arena_string(&golden_memory, scratch("parts"));
        folder_remove(folder, NULL);
        for (size_t part = 0;; part++) {
            told *t = new_told();
            t->stop_at = part ? 7 : at;
            o.resume = part > 0;
            bert_status s = run_into(folder, &d, &o, t, &err);
            if (!s) {
                done = part == 0;
                break;
            }
            assert_int_equal(s, BERT_ERR_STOPPED);
            assert_null(told_event(t, BERT_EVENT_END, 0));
            stops++;
        }
        assert_same_folder(folder, scratch("whole"));
    }
    assert_true(stops > 20);
    free_data(d);
}

static void stopping_says_where_and_how_to_go_on(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    told *t = new_told();
    toy_module("module", (toy){ 0 });
    t->stop_at = 1; /* the first batch of two: the step is finished */
    assert_int_equal(run_into(scratch("model"), &d, &o, t, &err), BERT_ERR_STOPPED);
    assert_string_equal(
        err.message,
        arena_printf(&golden_memory,
                     "stopped in epoch 1 after step 1; %s/checkpoint.safetensors holds the run, resume goes "
                     "on with it",
                     scratch("model")));
    const bert_event *e = told_event(t, BERT_EVENT_CHECKPOINT, 0);
    assert_non_null(e);
    assert_string_equal(e->note, scratch("model/checkpoint.safetensors"));
    assert_int_equal(e->step, 1);
    assert_int_equal(e->done, 2 * BATCH);
    t = new_told();
    t->stop_at = 1;
    assert_int_equal(run_into(NULL, &d, &o, t, &err), BERT_ERR_STOPPED);
    assert_string_equal(err.message, "stopped in epoch 1 after step 1; nothing was saved");
    free_data(d);
}

/* The first event of a resumed run tells of rows that were done before, and its pace of those alone that it does
 * itself. */
static void a_resumed_run_counts_on(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    told *t = new_told();
    toy_module("module", (toy){ 0 });
    t->stop_at = 4;
    assert_int_equal(run_into(scratch("model"), &d, &o, t, &err), BERT_ERR_STOPPED);
    o.resume = true;
    t = new_told();
    check(run_into(scratch("model"), &d, &o, t, &err), &err);
    const bert_event *e = told_event(t, BERT_EVENT_STEP, 0);
    assert_int_equal(e->done, 5 * BATCH);
    assert_int_equal(e->step, 2);
    assert_int_equal(e->epoch, 1);
    assert_true(e->samples_per_second * e->seconds < 1.5 * BATCH);
    free_data(d);
}

/* ---- killed ------------------------------------------------------------------------------------------------------ */

static bool kill_at(told *t, const bert_event *e)
{
    if (e->kind == BERT_EVENT_STEP && e->step == *(int64_t *)t->context)
        kill(getpid(), SIGKILL);
    return true;
}

static void killed_at_step(const data *d, const bert_train_options *o, int64_t step)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bert_err err;
        told *t = new_told();
        t->then = kill_at;
        t->context = &step;
        run_into(scratch("killed"), d, o, t, &err);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_run_that_is_killed_goes_on_from_its_last_checkpoint(void **state)
{
    (void)state;
    static const int64_t STEPS[] = { 3, 5, 9, 11 };
    data d = make_data();
    threads_allow(1);
    run_whole(&d);
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        bert_err err;
        bert_train_options o = whole_options();
        o.checkpoint_every = "2"; /* steps */
        folder_remove(scratch("killed"), NULL);
        killed_at_step(&d, &o, STEPS[i]);
        assert_true(file_exists(scratch("killed/train.lock")));
        told *t = new_told();
        o.resume = true;
        check(run_into(scratch("killed"), &d, &o, t, &err), &err);
        assert_true(was_noted(t, "train.lock was left by a process that did not come to its end"));
        /* At most two steps were lost. */
        int64_t first = told_event(t, BERT_EVENT_STEP, 0)->step;
        assert_true(first <= STEPS[i] && first + 2 >= STEPS[i]);
        assert_same_folder(scratch("killed"), scratch("whole"));
    }
    free_data(d);
}

/* ---- what may change --------------------------------------------------------------------------------------------- */

static void stop_early(const data *d, const bert_train_options *o)
{
    bert_err err;
    told *t = new_told();
    t->stop_at = 20;
    folder_remove(scratch("model"), NULL);
    assert_int_equal(run_into(scratch("model"), d, o, t, &err), BERT_ERR_STOPPED);
}

static void refused(const data *d, bert_train_options o, const char *words)
{
    bert_err err = { 0 };
    o.resume = true;
    assert_int_equal(run_into(scratch("model"), d, &o, NULL, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, arena_printf(&golden_memory, "%s/checkpoint.safetensors: cannot go on: %s",
                                                  scratch("model"), words));
}

static void other_data_options_or_modules_are_refused_by_name(void **state)
{
    (void)state;
    data d = make_data(), other = { learnable(WHOLE_ROWS, 2, 7), NULL }, mixed;
    bert_train_options o = whole_options(), changed;
    toy_module("module", (toy){ 0 });
    stop_early(&d, &o);
    changed = o;
    changed.learning_rate = 0.004;
    changed.seed = 7;
    changed.class_weights = "balanced";
    changed.frozen_precision = 3;
    refused(&d, changed,
            "learning_rate: 0.003 in the checkpoint, 0.004 now; class_weights: none in the checkpoint, balanced now; "
            "seed: 42 in the checkpoint, 7 now; frozen_precision: same in the checkpoint, int8 now");
    changed = o;
    changed.epochs = 4;
    refused(&d, changed, "steps in all, on which the learning rate depends: 12 in the checkpoint, 16 now");
    mixed = (data){ other.train, d.valid };
    refused(&mixed, o, "training data: not the checkpoint's");
    mixed = (data){ d.train, other.train };
    refused(&mixed, o, "validation data: not the checkpoint's");

    bert_err err = { 0 };
    bert_layer_spec spec = toy_spec(toy_module("second", (toy){ .layers = 4 }), BERT_POOLING_MEAN, 2);
    bert_model *model = new_binary(&spec);
    changed = o;
    changed.resume = true;
    assert_int_equal(bert_model_train(model, d.train, d.valid, &changed, scratch("model"), false, NULL, NULL, &err),
                     BERT_ERR_ARGUMENT);
    assert_non_null(
        strstr(err.message, "cannot go on: module: not the checkpoint's; pooling: cls in the checkpoint, mean now"));
    bert_model_free(model);
    static const char *const WORDS[] = { "1", "0" };
    spec = toy_spec(scratch("module"), BERT_POOLING_CLS, 2);
    bert_head_spec turned = toy_head(BERT_TASK_BINARY, WORDS, 2);
    model = new_model(&spec, &turned);
    assert_int_equal(bert_model_train(model, d.train, d.valid, &changed, scratch("model"), false, NULL, NULL, &err),
                     BERT_ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "cannot go on: labels: [\"0\", \"1\"] in the checkpoint, [\"1\", \"0\"] now"));
    bert_model_free(model);
    free_data(d);
    free_data(other);
}

/* With a constant rate more epochs are what a longer run would have been. */
static void a_finished_run_says_so_and_may_be_made_longer(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    toy_module("module", (toy){ 0 });
    o.schedule = SCHEDULE_CONSTANT;
    o.warmup = 3;
    check(run_into(scratch("whole"), &d, &o, NULL, &err), &err);
    o.epochs = 2;
    check(run_into(scratch("model"), &d, &o, NULL, &err), &err);
    o.resume = true;
    told *t = new_told();
    bert_model *model = whole_model(scratch("module")), *best = open_folder(scratch("model"));
    check(bert_model_train(model, d.train, d.valid, &o, scratch("model"), false, listen, t, &err), &err);
    assert_int_equal(t->n, 1);
    assert_int_equal(t->events[0].kind, BERT_EVENT_END);
    assert_string_equal(t->events[0].note,
                        arena_printf(&golden_memory, "the run was finished before, at step 8; its best epoch is %d",
                                     (int)t->events[0].best_epoch));
    assert_same_weights(model, best);
    assert_true(bert_model_threshold(model) == bert_model_threshold(best));
    bert_model_free(model);
    bert_model_free(best);
    o.epochs = 3;
    o.patience = 50;
    check(run_into(scratch("model"), &d, &o, NULL, &err), &err);
    assert_same_folder(scratch("model"), scratch("whole"));
    free_data(d);
}

static void a_run_is_replaced_by_force_alone(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    run_whole(&d);
    stop_early(&d, &o);
    assert_int_equal(run_into(scratch("model"), &d, &o, NULL, &err), BERT_ERR_ARGUMENT);
    assert_non_null(strstr(
        err.message,
        "model: a training run that is not finished stands there; --resume goes on with it, --force begins anew"));
    o.force = true;
    check(run_into(scratch("model"), &d, &o, NULL, &err), &err);
    assert_same_folder(scratch("model"), scratch("whole"));
    o.force = false;
    assert_int_equal(run_into(scratch("model"), &d, &o, NULL, &err), BERT_ERR_ARGUMENT);
    assert_non_null(
        strstr(err.message, "model: a trained model stands there; --resume goes on with it, --force begins anew"));
    free_data(d);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void resume_fails(const data *d, bert_status code, const char *words)
{
    bert_err err = { 0 };
    bert_train_options o = whole_options();
    o.resume = true;
    assert_int_equal(run_into(scratch("model"), d, &o, NULL, &err), code);
    if (!strstr(err.message, words) ||
        strncmp(err.message, scratch("model/checkpoint.safetensors"), strlen(scratch("model/checkpoint.safetensors"))))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* The file with one byte turned, or cut. */
static void damage(const char *path, const buffer *whole, size_t at, bool cut)
{
    bert_err err;
    buffer b = { 0 };
    buffer_add(&b, whole->data, cut ? at : whole->size);
    if (!cut)
        b.data[at] = (char)(b.data[at] ^ 1);
    check(file_write_whole(path, b.data, b.size, &err), &err);
    buffer_free(&b);
}

static void a_checkpoint_that_is_damaged_or_absent_is_named(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    file_mapping file;
    buffer whole = { 0 };
    const char *path = arena_string(&golden_memory, scratch("model/checkpoint.safetensors"));
    toy_module("module", (toy){ 0 });
    resume_fails(&d, BERT_ERR_IO, "is not there: there is nothing to go on with");
    stop_early(&d, &o);
    check(file_map(&file, path, &err), &err);
    buffer_add(&whole, file.data, file.size);
    file_unmap(&file);
    for (size_t at = 0; at < whole.size; at += whole.size / 20) {
        damage(path, &whole, at, true);
        resume_fails(&d, BERT_ERR_FORMAT, "");
    }
    damage(path, &whole, whole.size - 100, false);
    resume_fails(&d, BERT_ERR_FORMAT, "the tensors are damaged: their checksum is not ");
    char *state_at = memmem(whole.data, whole.size, "libbert.checkpoint", 18);
    damage(path, &whole, (size_t)(state_at - whole.data), false);
    resume_fails(&d, BERT_ERR_FORMAT, "format");
    state_at = memmem(whole.data, whole.size, "\\\"best_epoch", 12);
    damage(path, &whole, (size_t)(state_at - whole.data) + 4, false);
    resume_fails(&d, BERT_ERR_FORMAT, "state: progress: best_epoch is missing");
    check(file_copy(scratch("model/weights.safetensors"), path, &err), &err);
    resume_fails(&d, BERT_ERR_FORMAT, "is no checkpoint of a training run");
    o.resume = true;
    assert_int_equal(run_into(NULL, &d, &o, NULL, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "--resume: there is no folder to go on from");
    buffer_free(&whole);
    free_data(d);
}

/* What resume goes on with is a file of weights, too. */
static void a_checkpoint_loads_as_weights(void **state)
{
    (void)state;
    bert_err err;
    data d = make_data();
    bert_train_options o = whole_options();
    toy_module("module", (toy){ 0 });
    stop_early(&d, &o);
    bert_model *model = whole_model(scratch("module")), *fresh = whole_model(scratch("module"));
    check(bert_model_load_weights(model, scratch("model/checkpoint.safetensors"), &err), &err);
    assert_memory_not_equal(model->layer->values, fresh->layer->values, model->layer->n_tuned * sizeof(float));
    bert_model_free(model);
    bert_model_free(fresh);
    free_data(d);
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static size_t checkpoints_with(const data *d, const char *every)
{
    bert_err err;
    bert_train_options o = whole_options();
    told *t = new_told();
    o.checkpoint_every = every;
    o.force = true;
    check(run_into(scratch("model"), d, &o, t, &err), &err);
    return told_count(t, BERT_EVENT_CHECKPOINT);
}

static void checkpoints_come_by_steps_or_time_and_with_each_epoch(void **state)
{
    (void)state;
    data d = make_data();
    toy_module("module", (toy){ 0 });
    assert_int_equal(checkpoints_with(&d, "0"), 3);
    assert_int_equal(checkpoints_with(&d, "1"), 3 + 3 * 3); /* four steps an epoch; the last is the epoch's */
    assert_int_equal(checkpoints_with(&d, "3"), 3 + 3);
    assert_int_equal(checkpoints_with(&d, "15m"), 3);
    free_data(d);
}

static bool fill_disk(told *t, const bert_event *e)
{
    (void)t;
    if (e->kind == BERT_EVENT_STEP && e->step == 6) {
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 100;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    return true;
}

static void a_disk_that_fills_up_leaves_the_last_checkpoint_to_go_on_from(void **state)
{
    (void)state;
    bert_err err = { 0 };
    data d = make_data();
    bert_train_options o = whole_options();
    struct rlimit before;
    told *t = new_told();
    run_whole(&d);
    t->then = fill_disk;
    o.checkpoint_every = "1";
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    bert_status s = run_into(scratch("model"), &d, &o, t, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(s, BERT_ERR_IO);
    assert_string_equal(err.message, arena_printf(&golden_memory, "%s: cannot write: File too large",
                                                  scratch("model/checkpoint.safetensors")));
    o.resume = true;
    t = new_told();
    check(run_into(scratch("model"), &d, &o, t, &err), &err);
    assert_int_equal(told_event(t, BERT_EVENT_STEP, 0)->step, 5); /* half-way to the sixth */
    assert_same_folder(scratch("model"), scratch("whole"));
    free_data(d);
}

/* ---- the lock ---------------------------------------------------------------------------------------------------- */

static void two_runs_cannot_write_one_folder(void **state)
{
    (void)state;
    bert_err err = { 0 };
    data d = make_data();
    bert_train_options o = whole_options();
    folder_lock lock = { 0 };
    toy_module("module", (toy){ 0 });
    check(folder_create(scratch("model"), &err), &err);
    check(lock_take(&lock, scratch("model"), &err), &err);
    assert_false(lock.stale);
    assert_int_equal(run_into(scratch("model"), &d, &o, NULL, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message,
                        arena_printf(&golden_memory, "%s: process %ld is training into this folder (train.lock)",
                                     scratch("model"), (long)getpid()));
    lock_release(&lock);
    assert_false(file_exists(scratch("model/train.lock")));
    check(run_into(scratch("model"), &d, &o, NULL, &err), &err);
    free_data(d);
}

static void a_lock_that_nobody_holds_is_taken_over(void **state)
{
    (void)state;
    bert_err err;
    folder_lock lock = { 0 };
    check(file_write_whole(scratch("train.lock"), "999999\n", 7, &err), &err);
    check(lock_take(&lock, scratch_folder, &err), &err);
    assert_true(lock.stale);
    char id[32];
    snprintf(id, sizeof id, "%ld\n", (long)getpid());
    assert_true(file_holds(scratch("train.lock"), id, strlen(id)));
    lock_release(&lock);
    lock_release(&lock); /* nothing to do */
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_run_that_is_stopped_anywhere_goes_on_with_the_same_bits),
        in_a_folder(stopping_says_where_and_how_to_go_on),
        in_a_folder(a_resumed_run_counts_on),
        in_a_folder(a_run_that_is_killed_goes_on_from_its_last_checkpoint),
        in_a_folder(other_data_options_or_modules_are_refused_by_name),
        in_a_folder(a_finished_run_says_so_and_may_be_made_longer),
        in_a_folder(a_run_is_replaced_by_force_alone),
        in_a_folder(a_checkpoint_that_is_damaged_or_absent_is_named),
        in_a_folder(a_checkpoint_loads_as_weights),
        in_a_folder(checkpoints_come_by_steps_or_time_and_with_each_epoch),
        in_a_folder(a_disk_that_fills_up_leaves_the_last_checkpoint_to_go_on_from),
        in_a_folder(two_runs_cannot_write_one_folder),
        in_a_folder(a_lock_that_nobody_holds_is_taken_over),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
