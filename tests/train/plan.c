/* The plan of a run: what it counts, and that nothing is changed by it. */
#include "train/toy_run.h"

#include "each_isa.h"

static json_t *plan_of(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                       const bert_train_options *o)
{
    bert_err err;
    char *text;
    json_t *json;
    check(bert_train_plan(model, train, valid, o, true, &text, &err), &err);
    check(json_read_bytes(&json, text, strlen(text), "plan", &err), &err);
    bert_free(text);
    return json;
}

static double item(const json_t *plan, const char *section, const char *name)
{
    const json_t *value = json_object_get(json_object_get(plan, section), name);
    if (!json_is_number(value))
        fail_msg("the plan has no %s: %s", section, name);
    return json_number_value(value);
}

static void the_plan_counts_layers_steps_and_memory(void **state)
{
    (void)state;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 2);
    bert_model *model = new_binary(&spec);
    bert_dataset *train = learnable(50, 2, 1), *valid = learnable(20, 2, 2);
    bert_train_options o = options_of(3, 0.001);
    o.accumulate = 2;
    o.warmup = 0.25;
    json_t *plan = plan_of(model, train, valid, &o), *group;
    size_t i, all = 0, tuned = 0;
    json_array_foreach(json_object_get(plan, "groups"), i, group)
    {
        size_t n = (size_t)json_integer_value(json_object_get(group, "parameters"));
        all += n;
        tuned += json_is_true(json_object_get(group, "tuned")) ? n : 0;
    }
    assert_int_equal(json_array_size(json_object_get(plan, "groups")), 6); /* embeddings, three layers, pooler, head */
    assert_int_equal(tuned, model->layer->n_tuned);
    assert_int_equal(item(plan, "steps", "training rows"), 50);
    assert_int_equal(item(plan, "steps", "validation rows"), 20);
    assert_int_equal(item(plan, "steps", "batches of an epoch"), 7);
    assert_int_equal(item(plan, "steps", "steps of an epoch"), 4);
    assert_int_equal(item(plan, "steps", "steps in all"), 12);
    assert_int_equal(item(plan, "steps", "of which warm-up"), 3);
    assert_int_equal(item(plan, "memory", "tuned weights"), 4 * tuned);
    assert_int_equal(item(plan, "memory", "gradients"), 4 * tuned);
    assert_int_equal(item(plan, "memory", "optimiser"), 8 * tuned);
    double below = item(plan, "memory", "embeddings and vectors that are frozen") +
                   item(plan, "memory", "frozen layers, packed");
    assert_int_equal(below, 4 * (all - tuned));
    assert_true(item(plan, "memory", "kept outputs of frozen layers") > 70 * 6 * TOY_HIDDEN * sizeof(float));
    assert_true(item(plan, "memory", "activations of the longest batch") > BATCH * 6 * TOY_HIDDEN * 30 * sizeof(float));
    /* frozen layers run first and are gone then */
    double above = 12 * (double)tuned + item(plan, "memory", "activations of the longest batch");
    double both = 4 * (double)tuned + item(plan, "memory", "tokens") +
                  item(plan, "memory", "kept outputs of frozen layers") +
                  item(plan, "memory", "vocabulary and all else");
    assert_true(fabs(item(plan, "memory", "in all") - both - (above > below ? above : below)) < 8);
    double first = item(plan, "time", "first epoch"), later = item(plan, "time", "each later epoch");
    assert_true(first > 0 && later > 0 && later <= first);
    double rest = item(plan, "time", "in all") - (item(plan, "time", "tokenising") + first + 2 * later);
    assert_true(fabs(rest) < 1e-6 * item(plan, "time", "in all"));
    double packed = item(plan, "memory", "frozen layers, packed");
    json_decref(plan);
    o.frozen_precision = 3;
    plan = plan_of(model, train, valid, &o);
    assert_true(item(plan, "memory", "frozen layers, packed") == packed / 4);
    json_decref(plan);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void the_plan_leaves_the_model_as_it_is(void **state)
{
    (void)state;
    bert_err err;
    char *text;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 2);
    spec.tune_embeddings = true;
    bert_model *model = new_binary(&spec), *other = new_binary(&spec);
    bert_dataset *train = learnable(50, 2, 1);
    bert_train_options o = options_of(3, 0.001);
    o.epsilon = 0;
    check(bert_train_plan(model, train, NULL, &o, false, &text, &err), &err);
    assert_same_weights(model, other);
    for (size_t i = 0; i < model->layer->n_tuned; i++)
        assert_true(model->layer->grads[i] == 0);
    assert_non_null(strstr(text, "layer 2"));
    assert_non_null(strstr(text, "  steps in all                                     21\n"));
    assert_non_null(strstr(text, "\ntime\n"));
    bert_free(text);
    o.epochs = 0;
    assert_int_equal(bert_train_plan(model, train, NULL, &o, false, &text, &err), BERT_ERR_ARGUMENT);
    assert_null(text);
    bert_model_free(model);
    bert_model_free(other);
    bert_dataset_free(train);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(the_plan_counts_layers_steps_and_memory),
        in_a_folder(the_plan_leaves_the_model_as_it_is),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
