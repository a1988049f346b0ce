/* A checkpoint may come from anybody: whatever its state says that this run's data and options do not allow is refused
 * by name, and nothing of the model has changed then. */
#include "train/toy_run.h"

#include "base/checksum.h"
#include "train/checkpoint.h"
#include "train/checkpoint_state.h"

enum { TRAIN_ROWS = 27 }; /* batches of 8, 8, 8 and 3; two batches a step: two steps an epoch */

static bert_train_options run_options(void)
{
    bert_train_options o = options_of(3, 0.003);
    o.accumulate = 2;
    o.length_window = 2;
    o.checkpoint_every = "0";
    return o;
}

typedef struct crafting {
    bert_dataset *train, *valid;
    const char *path;
    json_t *state; /* as the run has left it */
} crafting;

static bert_status train(const crafting *c, bert_model *model, bool resume, told *t, bert_err *err)
{
    bert_train_options o = run_options();
    o.resume = resume;
    return bert_model_train(model, c->train, c->valid, &o, scratch("model"), false, t ? listen : NULL, t, err);
}

static bert_model *fresh_model(void)
{
    bert_layer_spec spec = toy_spec(scratch("module"), BERT_POOLING_CLS, 2);
    return new_binary(&spec);
}

/* A run that was stopped after so many events. */
static crafting begin(size_t stop_at)
{
    bert_err err;
    checkpoint opened;
    crafting c = { .train = learnable(TRAIN_ROWS, 2, 1), .valid = learnable(9, 2, 2) };
    told *t = new_told();
    t->stop_at = stop_at;
    toy_module("module", (toy){ 0 });
    c.path = arena_string(&golden_memory, scratch("model/checkpoint.safetensors"));
    bert_model *model = fresh_model();
    assert_int_equal(train(&c, model, false, t, &err), BERT_ERR_STOPPED);
    bert_model_free(model);
    check(file_copy(c.path, scratch("whole"), &err), &err);
    check(checkpoint_open(&opened, c.path, &err), &err);
    c.state = json_incref(opened.state);
    checkpoint_close(&opened);
    return c;
}

static void end(crafting *c)
{
    bert_dataset_free(c->train);
    bert_dataset_free(c->valid);
    json_decref(c->state);
}

/* The checkpoint with another state; tensor i, where it is not negative, has x as its first number, and the checksum is
 * right again. */
static void write_crafted(const crafting *c, const char *state, int i, float x)
{
    bert_err err;
    tensor_set set;
    check(safetensors_open(&set, scratch("whole"), NULL, &err), &err);
    json_t *metadata = json_pack("{s:s, s:s, s:s}", "format", "pt", "libbert", "checkpoint", "state", state);
    for (size_t k = 0; k < set.n; k++)
        if (i >= 0 && k == (size_t)i) {
            float *numbers = golden_floats(&set.items[k]);
            numbers[0] = x;
            set.items[k].data = numbers;
        }
    check(safetensors_write(c->path, set.items, set.n, metadata, &err), &err);
    json_decref(metadata);
    tensors_close(&set);
}

static void assert_refused(const crafting *c, const char *words)
{
    bert_err err = { 0 };
    bert_model *model = fresh_model(), *untouched = fresh_model();
    bert_status s = train(c, model, true, NULL, &err);
    if (s != BERT_ERR_FORMAT || !strstr(err.message, words) || strncmp(err.message, c->path, strlen(c->path)))
        fail_msg("%s: \"%s\" does not say \"%s\"", bert_status_name(s), err.message, words);
    assert_same_weights(model, untouched);
    assert_true(bert_model_threshold(model) == 0.5);
    bert_model_free(model);
    bert_model_free(untouched);
}

/* The member at a path like "progress.batch" becomes `value`, JSON; NULL: it is taken away. */
static char *with_member(const crafting *c, const char *path, const char *value)
{
    char names[128], *member = names;
    json_t *state = json_deep_copy(c->state), *object = state;
    snprintf(names, sizeof names, "%s", path);
    for (char *dot; (dot = strchr(member, '/')); member = dot + 1) {
        *dot = 0;
        object = json_object_get(object, member);
        assert_non_null(object);
    }
    if (value) {
        json_t *parsed = json_loads(value, JSON_DECODE_ANY, NULL);
        assert_non_null(parsed);
        json_object_set_new(object, member, parsed);
    } else
        assert_int_equal(json_object_del(object, member), 0);
    char *text = json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(state);
    return text;
}

typedef struct crafted {
    const char *path, *value, *words;
} crafted;

static void assert_each_refused(const crafting *c, const crafted *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *text = with_member(c, cases[i].path, cases[i].value);
        write_crafted(c, text, -1, 0);
        assert_refused(c, cases[i].words);
        free(text);
    }
}

#define EACH_REFUSED(c, cases) assert_each_refused(c, cases, sizeof(cases) / sizeof *(cases))

/* Stopped after the first step of the second epoch: 3 steps are done. */
static void the_place_in_the_data_is_held_to_the_data(void **state)
{
    (void)state;
    static const crafted CASES[] = {
        { "progress", NULL, "state: progress is missing" },
        { "progress", "[]", "state: progress is an array, expected an object" },
        { "progress/batch", NULL, "state: progress: batch is missing" },
        { "progress/batch", "\"2\"", "state: progress: batch is a string, expected a whole number" },
        { "progress/batch", "-1", "state: progress: batch is -1, expected 0 to " },
        { "progress/batch", "1",
          "state: progress: batch is 1, which is not the end of a step of an epoch of 4 batches" },
        { "progress/batch", "6",
          "state: progress: batch is 6, which is not the end of a step of an epoch of 4 batches" },
        { "progress/batch", "1000000", "batch is 1000000, which is not the end of a step of an epoch of 4 batches" },
        { "progress/batch", "9223372036854775806", "which is not the end of a step of an epoch of 4 batches" },
        { "progress/batch", "0", "state: progress: step is 3, batch 0 of epoch 2 is the end of step 2" },
        { "progress/epoch", "0", "state: progress: epoch is 0, expected 1 to 16777215" },
        { "progress/epoch", "1", "state: progress: step is 3, batch 2 of epoch 1 is the end of step 1" },
        { "progress/epoch", "16777216", "state: progress: epoch is 16777216, expected 1 to 16777215" },
        { "progress/epoch", "16777215", "step is 3, batch 2 of epoch 16777215 is the end of step 33554429" },
        { "progress/step", "4", "state: progress: step is 4, batch 2 of epoch 2 is the end of step 3" },
        { "progress/step", "-1", "state: progress: step is -1, expected 0 to " },
        { "progress/rows", "0", "state: progress: rows is 0, 2 batches have " },
        { "progress/rows", "28", "state: progress: rows is 28, expected 0 to 27" },
        { "progress/targets", "0", "state: progress: correct is " },
        { "progress/targets", "17", "state: progress: targets is 17, " },
        { "progress/correct", "28", "state: progress: correct is 28, expected 0 to " },
        { "progress/measured", NULL, "state: progress: measured is missing" },
        { "progress/measured", "1", "state: progress: measured is a whole number, expected true or false" },
        { "progress/best_epoch", "0", "state: progress: best_epoch is 0, expected 1 to 2" },
        { "progress/best_epoch", "3", "state: progress: best_epoch is 3, expected 1 to 2" },
        { "progress/loss", "null", "state: progress: loss is missing" },
        { "progress/loss", "\"0\"", "state: progress: loss is a string, expected a number" },
        { "progress/seconds", "-1", "state: progress: seconds is -1, expected 0 to " },
        { "progress/threshold", "1.5", "state: progress: threshold is 1.5, expected 0 to 1" },
        { "progress/best", "{}", "state: progress: best: n is missing" },
        { "progress/best/n", "-1", "state: progress: best: n is -1, expected 0 to " },
        { "progress/best/loss", "true", "state: progress: best: loss is true, expected a number" },
    };
    crafting c = begin(8);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c.state, "progress"), "step")), 3);
    EACH_REFUSED(&c, CASES);
    end(&c);
}

static void the_rest_of_the_state_is_held_to_the_run(void **state)
{
    (void)state;
    static const crafted CASES[] = {
        { "crc", "-1", "crc is -1, expected 0 to 4294967295" },
        { "crc", "0", "the tensors are damaged: their checksum is not 00000000" },
        { "model_threshold", NULL, "state: model_threshold is missing" },
        { "model_threshold", "-0.5", "state: model_threshold is -0.5, expected 0 to 1" },
        { "tensor_steps", "[]", "state: tensor_steps is an array, expected an object" },
        { "tensor_steps/classifier.bias", "4", "state: tensor_steps: classifier.bias is 4, expected 0 to 3" },
        { "tensor_steps/classifier.bias", "-1", "state: tensor_steps: classifier.bias is -1, expected 0 to 3" },
        { "tensor_steps/classifier.bias", NULL, "state: tensor_steps: classifier.bias is missing" },
        { "seconds", "0", "state: seconds is a whole number, expected an object" },
        { "seconds/forward", "-3", "state: seconds: forward is -3, expected 0 to " },
        { "seconds/forward", "[]", "state: seconds: forward is an array, expected a number" },
        { "epochs", "{}", "state: epochs is no array" },
        { "epochs", "[1]", "state: epochs: entry 0 is none of an epoch of this run" },
        { "epochs", "[{\"epoch\": 1, \"step\": 2, \"loss\": \"<b>\"}]",
          "state: epochs: entry 0 is none of an epoch of this run" },
        { "epochs", "[{\"epoch\": 3, \"step\": 2}]", "state: epochs: entry 0 is none of an epoch of this run" },
        { "epochs", "[{\"epoch\": 1, \"step\": 4}]", "state: epochs: entry 0 is none of an epoch of this run" },
        { "epochs", "[{\"epoch\": 1, \"step\": 2}, {\"epoch\": 1, \"step\": 2}]",
          "state: epochs: entry 1 is none of an epoch of this run" },
        { "steps", "null", "state: steps is no array" },
        { "steps", "[{}]", "state: steps: entry 0 is none of a step of this run" },
        { "steps", "[[1, 0.5]]", "state: steps: entry 0 is none of a step of this run" },
        { "steps", "[[1, 0.5, 0.1], [2, null, 0.1]]", "state: steps: entry 1 is none of a step of this run" },
        { "steps", "[[2, 0.5, 0.1], [1, 0.5, 0.1]]", "state: steps: entry 1 is none of a step of this run" },
        { "steps", "[[4, 0.5, 0.1]]", "state: steps: entry 0 is none of a step of this run" },
    };
    crafting c = begin(8);
    EACH_REFUSED(&c, CASES);
    end(&c);
}

/* At the end of an epoch that is not measured, and before the first step. */
static void the_ends_of_an_epoch_are_places_of_their_own(void **state)
{
    (void)state;
    static const crafted WHOLE[] = { { "progress/measured", "true",
                                       "batch is 4, which is not the end of a step of an epoch of 4 batches" } },
                         FIRST[] = { { "progress/best_epoch", "1",
                                       "state: progress: best_epoch is 1, expected 0 to 0" },
                                     { "progress/rows", "8", "state: progress: rows is 8, 0 batches have 0" } };
    crafting c = begin(4); /* the last batch */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c.state, "progress"), "batch")), 4);
    EACH_REFUSED(&c, WHOLE);
    json_t *place = json_object_get(c.state, "progress");
    json_object_set_new(c.state, "epochs", json_array());
    json_object_set_new(c.state, "steps", json_array());
    static const char *const ZERO[] = { "batch", "step", "rows", "targets", "correct" };
    for (size_t i = 0; i < sizeof ZERO / sizeof *ZERO; i++)
        json_object_set_new(place, ZERO[i], json_integer(0));
    const char *name;
    json_t *steps;
    json_object_foreach(json_object_get(c.state, "tensor_steps"), name, steps) json_integer_set(steps, 0);
    EACH_REFUSED(&c, FIRST);
    end(&c);
}

static void a_state_that_is_no_json_is_refused(void **state)
{
    (void)state;
    crafting c = begin(8);
    char *text = json_dumps(c.state, JSON_COMPACT | JSON_REAL_PRECISION(17));
    write_crafted(&c, text, -1, 0);
    bert_err err;
    bert_model *model = fresh_model();
    check(train(&c, model, true, NULL, &err), &err); /* as it is, it is fine */
    bert_model_free(model);
    static const char *const NONE[] = {
        "", "[]", "null", "{\"a\": 1} x", "{\"format\": \"libbert.checkpoint\"", "{\"step\": 1e999}"
    };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        write_crafted(&c, NONE[i], -1, 0);
        assert_refused(&c, "");
    }
    free(text);
    end(&c);
}

/* The checksum of the tensors of a file, in the order of the run. */
static const char *checksum_of(const char *path)
{
    static const char *const PREFIX[] = { "", "optimizer.m.", "optimizer.v." };
    bert_err err;
    tensor_set set;
    uint32_t crc = 0;
    bert_model *model = fresh_model();
    const weight_list *w = &model->layer->weights;
    check(safetensors_open(&set, path, NULL, &err), &err);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < w->n; i++)
            if (w->items[i].tuned) {
                const tensor *t = golden(&set, "%s%s", PREFIX[k], w->items[i].name);
                crc = crc32c(crc, t->data, t->n * sizeof(float));
            }
    tensors_close(&set);
    bert_model_free(model);
    return arena_printf(&golden_memory, "%u", crc);
}

/* A number that no run would save, with a checksum that is right. */
static void numbers_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *tensor;
        float x;
        const char *words;
    } CASES[] = {
        { "classifier.weight", NAN, "tensor classifier.weight: number 0 is nan" },
        { "classifier.weight", -INFINITY, "tensor classifier.weight: number 0 is -inf" },
        { "optimizer.m.classifier.bias", INFINITY, "tensor optimizer.m.classifier.bias: number 0 is inf" },
        { "optimizer.v.classifier.bias", -1, "tensor optimizer.v.classifier.bias: number 0 is -1" },
        { "optimizer.v.classifier.bias", NAN, "tensor optimizer.v.classifier.bias: number 0 is nan" },
    };
    bert_err err;
    crafting c = begin(8);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        tensor_set set;
        check(safetensors_open(&set, scratch("whole"), NULL, &err), &err);
        int at = (int)(tensors_find(&set, CASES[i].tensor) - set.items);
        tensors_close(&set);
        write_crafted(&c, "{}", at, CASES[i].x);
        char *text = with_member(&c, "crc", checksum_of(c.path));
        write_crafted(&c, text, at, CASES[i].x);
        assert_refused(&c, CASES[i].words);
        free(text);
    }
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(the_place_in_the_data_is_held_to_the_data),
        in_a_folder(the_rest_of_the_state_is_held_to_the_run),
        in_a_folder(the_ends_of_an_epoch_are_places_of_their_own),
        in_a_folder(a_state_that_is_no_json_is_refused),
        in_a_folder(numbers_that_are_not_finite_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
