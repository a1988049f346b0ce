/* What a run tells, to whom, in which order; and what is remembered of it. */
#include "train/toy_run.h"

#include "train/record_json.h"

#include <math.h>

/* ---- a loop and who listens to it -------------------------------------------------------------------------------- */

typedef struct heard {
    const char *name;
    bert_event_kind fails; /* with which event; NOTE: none */
    size_t rows;           /* of the outcomes of an epoch */
} heard;

static char story[4096]; /* of all who listen */

static bert_status hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    static const char *const KINDS[] = { "note", "step", "epoch", "checkpoint", "end" };
    heard *h = self;
    size_t n = strlen(story);
    snprintf(story + n, sizeof story - n, "%s:%s%s ", h->name, KINDS[e->told.kind], e->step ? "!" : "");
    assert_ptr_equal(e->epoch, e->told.kind == BERT_EVENT_EPOCH ? &l->record.epochs[l->record.n_epochs - 1] : NULL);
    if (e->outcomes)
        h->rows = e->outcomes->n;
    return h->fails && h->fails == e->told.kind ? (fail)(err, BERT_ERR_IO, "%s fails", h->name) : BERT_OK;
}

static bert_status finish(void *self, bert_err *err)
{
    size_t n = strlen(story);
    snprintf(story + n, sizeof story - n, "%s:closed ", ((const heard *)self)->name);
    return (void)err, BERT_OK;
}

static bert_model *begin_loop(train_loop *l, const char *module, const bert_train_options *o)
{
    bert_err err;
    bert_layer_spec spec = toy_spec(module, BERT_POOLING_MEAN, 1);
    bert_model *model = new_binary(&spec);
    *l = (train_loop){ 0 };
    loop_start(l);
    check(run_check(&l->run, model, learnable(40, 2, 1), learnable(12, 2, 2), o, &err), &err);
    check(run_prepare(&l->run, true, &err), &err);
    run_begin(&l->run);
    *story = 0;
    return model;
}

static void end_loop(train_loop *l, bert_model *model)
{
    bert_err err;
    bert_dataset *train = (bert_dataset *)(uintptr_t)l->run.train, *valid = (bert_dataset *)(uintptr_t)l->run.valid;
    check(loop_end(l, &err), &err);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_model_free(model);
}

static bert_train_options two_batches_a_step(void)
{
    bert_train_options o = options_of(2, 0.01);
    o.accumulate = 2;
    return o;
}

static void all_who_listen_hear_each_event_in_their_order(void **state)
{
    (void)state;
    bert_err err;
    train_loop l;
    heard a = { .name = "a" }, b = { .name = "b" };
    const bert_train_options o = two_batches_a_step();
    bert_model *model = begin_loop(&l, toy_module("module", (toy){ 0 }), &o);
    loop_add(&l, (listener){ .self = &a, .hear = hear, .close = finish });
    loop_add(&l, (listener){ .self = &b, .hear = hear });
    check(epoch_run(&l, &err), &err);
    assert_string_equal(story,
                        "a:step b:step a:step! b:step! a:step b:step a:step! b:step! a:step! b:step! a:epoch b:epoch ");
    assert_int_equal(a.rows, 12);
    assert_int_equal(l.record.n_steps, 3);
    assert_int_equal(l.at.epoch, 2); /* the next one, before the last is told: a checkpoint goes on there */
    assert_int_equal(l.record.epochs[0].epoch, 1);
    *story = 0;
    end_loop(&l, model);
    assert_string_equal(story, "a:closed ");
}

static void the_run_ends_with_a_listener_that_fails_and_those_behind_it_hear_nothing(void **state)
{
    (void)state;
    bert_err err;
    train_loop l;
    heard a = { .name = "a", .fails = BERT_EVENT_EPOCH }, b = { .name = "b" };
    const bert_train_options o = two_batches_a_step();
    bert_model *model = begin_loop(&l, toy_module("module", (toy){ 0 }), &o);
    loop_add(&l, (listener){ .self = &a, .hear = hear });
    loop_add(&l, (listener){ .self = &b, .hear = hear });
    assert_error(epoch_run(&l, &err), &err, BERT_ERR_IO, "a fails");
    assert_non_null(strstr(story, "b:step! a:epoch "));
    assert_null(strstr(story, "b:epoch"));
    end_loop(&l, model);
}

static void without_a_listener_the_weights_are_the_same(void **state)
{
    (void)state;
    bert_err err;
    train_loop l[2];
    heard a = { .name = "a" };
    bert_model *models[2];
    const char *module = toy_module("module", (toy){ 0 });
    const bert_train_options o = two_batches_a_step();
    for (int i = 0; i < 2; i++) {
        models[i] = begin_loop(&l[i], module, &o);
        if (i)
            loop_add(&l[i], (listener){ .self = &a, .hear = hear });
        check(epoch_run(&l[i], &err), &err);
        check(epoch_run(&l[i], &err), &err);
    }
    assert_same_weights(models[0], models[1]);
    for (int i = 0; i < 2; i++)
        end_loop(&l[i], models[i]);
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static void a_record_is_the_same_after_it_was_json(void **state)
{
    (void)state;
    enum { EPOCHS = 9, STEPS = 1000 };
    bert_err err;
    run_record was = { 0 }, is = { 0 };
    random_stream r = { 3, 96, 0 };
    const progress p = { .epoch = EPOCHS, .step = 10 * STEPS };
    for (int i = 0; i < STEPS; i++) {
        assert_true(run_record_room(&was));
        was.steps[was.n_steps++] = (step_record){ 10 * i + 1, (double)random_normal(&r),
                                                  1e-5 * (double)random_normal(&r) };
        if (i < EPOCHS) {
            epoch_record *e = &was.epochs[was.n_epochs++];
            *e = (epoch_record){ i + 1,  10 * i + 1, (double)random_normal(&r), i % 2 ? NAN : 0.5,
                                 1e-300, 1e300,      metrics_unknown() };
            e->valid.auc = (double)random_normal(&r);
        }
    }
    json_t *json = json_pack("{s:o, s:o}", "epochs", epochs_to_json(&was), "steps", steps_to_json(&was)), *again;
    char *text = json_compact(json);
    check(json_read_bytes(&again, text, strlen(text), "text", &err), &err);
    check(record_from_json(again, &p, &is, "text", &err), &err);
    assert_int_equal(is.n_epochs, EPOCHS);
    assert_int_equal(is.n_steps, STEPS);
    assert_memory_equal(is.steps, was.steps, STEPS * sizeof *is.steps);
    epoch_number number;
    for (size_t k = 0; epoch_number_at(k, &number); k++)
        for (size_t i = 0; i < EPOCHS; i++)
            assert_true(
                same_number(epoch_value(&is.epochs[i], number.offset), epoch_value(&was.epochs[i], number.offset)));
    json_decref(json);
    json_decref(again);
    free(text);
    run_record_free(&was);
    run_record_free(&is);
}

static void numbers_of_an_epoch_have_the_names_that_files_have(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "loss", "accuracy", "learning_rate", "seconds", "val_loss", "val_accuracy" };
    epoch_number number;
    size_t n;
    bert_metric_table(&n);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        assert_true(epoch_number_at(i, &number));
        assert_string_equal(number.name, NAMES[i]);
    }
    assert_true(epoch_number_at(3 + n, &number));
    assert_false(epoch_number_at(4 + n, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(all_who_listen_hear_each_event_in_their_order),
        in_a_folder(the_run_ends_with_a_listener_that_fails_and_those_behind_it_hear_nothing),
        in_a_folder(without_a_listener_the_weights_are_the_same),
        in_a_folder(a_record_is_the_same_after_it_was_json),
        in_a_folder(numbers_of_an_epoch_have_the_names_that_files_have),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
