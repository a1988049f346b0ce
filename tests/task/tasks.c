/* The list of tasks: which labels suit which, losses and their gradients, scores; and making a model with a head. */
#include "toy_module.h"

#include "task/tasks.h"

static const char *const ZERO_ONE[] = { "0", "1" }, *const ONE_ZERO[] = { "1", "0" }, *const WORDS[] = { "blue", "green", "red" };

static void a_task_is_found_by_name_id_and_labels(void **state)
{
    (void)state;
    assert_string_equal(task_by_name("binary")->name, "binary");
    assert_int_equal(task_by_name("multiclass")->id, BERT_TASK_MULTICLASS);
    assert_null(task_by_name("ranking"));
    assert_string_equal(task_by_id(BERT_TASK_AUTO, ZERO_ONE, 2)->name, "binary");
    assert_string_equal(task_by_id(BERT_TASK_AUTO, ONE_ZERO, 2)->name, "multiclass");
    assert_string_equal(task_by_id(BERT_TASK_AUTO, WORDS, 3)->name, "multiclass");
    assert_string_equal(task_by_id(BERT_TASK_AUTO, WORDS, 1)->name, "multiclass");
    assert_string_equal(task_by_id(BERT_TASK_BINARY, WORDS, 3)->name, "binary");
    assert_null(task_by_id((bert_task)9, WORDS, 3));
}

static void labels_that_do_not_suit_are_named(void **state)
{
    (void)state;
    const task *binary = task_by_name("binary"), *multiclass = task_by_name("multiclass");
    assert_int_equal(binary->check_labels(ZERO_ONE, 2, NULL), BERT_OK);
    assert_int_equal(multiclass->check_labels(ZERO_ONE, 2, NULL), BERT_OK);
    assert_fails(binary->check_labels(WORDS, 3, err), BERT_ERR_DATA, "task binary: the labels are 3 (blue, green, ...), expected 0 and 1");
    assert_fails(binary->check_labels(ONE_ZERO, 2, err), BERT_ERR_DATA, "task binary: the labels are 2 (1, 0), expected 0 and 1");
    assert_fails(binary->check_labels(ZERO_ONE, 1, err), BERT_ERR_DATA, "task binary: the labels are 1 (0), expected 0 and 1");
    assert_fails(binary->check_labels(NULL, 0, err), BERT_ERR_DATA, "task binary: the labels are 0 (none), expected 0 and 1");
    assert_fails(multiclass->check_labels(WORDS, 1, err), BERT_ERR_DATA,
                 "task multiclass: every row has the label blue; a classifier needs at least two");
}

static void binary_loss_and_scores_are_those_of_the_sigmoid(void **state)
{
    (void)state;
    const task *t = task_by_name("binary");
    static const float logits[] = { 0, 2, -3, 40, -200 };
    static const int32_t labels[] = { 1, 0, 0, 1, 1 };
    float scores[10];
    double expected = log(2) + (2 + log1p(exp(-2))) + log1p(exp(-3)) + exp(-40) + 200;
    assert_true(fabs(t->loss(NULL, logits, labels, 1, 5, 1) - expected) < 1e-9);
    t->scores(scores, logits, 5, 1);
    for (int i = 0; i < 5; i++) {
        assert_true(fabs(scores[2 * i + 1] - 1 / (1 + exp(-(double)logits[i]))) < 1e-7);
        assert_true(scores[2 * i] + scores[2 * i + 1] == 1);
    }
    assert_true(scores[0] == 0.5f && scores[1] == 0.5f);
}

static void multiclass_scores_are_the_softmax(void **state)
{
    (void)state;
    static const float logits[] = { 1, 2, 3, 100, 100, -100 };
    float scores[6];
    task_by_name("multiclass")->scores(scores, logits, 2, 3);
    double sum = exp(1) + exp(2) + exp(3);
    for (int k = 0; k < 3; k++)
        assert_true(fabs(scores[k] - exp(k + 1) / sum) < 1e-7);
    assert_true(scores[3] == 0.5f && scores[4] == 0.5f && scores[5] < 1e-30f);
}

/* Rows enough that the binary loss takes more than one of its blocks. */
static void check_gradient(const char *name, size_t n, size_t n_labels)
{
    const task *t = task_by_name(name);
    size_t K = t->outputs(n_labels);
    float *logits = arena_alloc(&golden_memory, n * K * sizeof *logits), *grad = arena_alloc(&golden_memory, n * K * sizeof *grad);
    int32_t *labels = arena_alloc(&golden_memory, n * sizeof *labels);
    random_stream r = { 1, 2, 0 };
    const float scale = 0.25f, h = 1.0f / 128;
    for (size_t i = 0; i < n * K; i++)
        logits[i] = random_uniform(&r, -3, 3);
    for (size_t i = 0; i < n; i++)
        labels[i] = (int32_t)random_below(&r, (uint32_t)n_labels);
    double loss = t->loss(grad, logits, labels, scale, n, K);
    assert_true(loss == t->loss(NULL, logits, labels, scale, n, K)); /* the loss itself is not scaled */
    for (size_t i = 0; i < n * K; i += 1 + n * K / 200) {
        float was = logits[i];
        logits[i] = was + h;
        double up = t->loss(NULL, logits, labels, scale, n, K), step = logits[i];
        logits[i] = was - h;
        double down = t->loss(NULL, logits, labels, scale, n, K);
        step -= logits[i];
        logits[i] = was;
        double expected = (up - down) / step * scale;
        if (!(fabs(grad[i] - expected) < 2e-6))
            fail_msg("%s: gradient %zu is %.9g, by differences %.9g", name, i, grad[i], expected);
    }
}

static void gradients_match_differences(void **state)
{
    (void)state;
    check_gradient("binary", 700, 2);
    check_gradient("multiclass", 40, 2);
    check_gradient("multiclass", 40, 7);
}

/* ---- models ---------------------------------------------------------------------------------------------------------------- */

static void a_model_is_made_with_the_head_that_its_labels_ask_for(void **state)
{
    (void)state;
    bert_err err;
    bert_layer_spec spec;
    bert_model *model;
    const char *const *labels;
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", (toy){ 0 });
    spec.seq_len = 16;
    check(bert_model_create(&spec, BERT_TASK_AUTO, WORDS, 3, 1, &model, &err), &err);
    assert_int_equal(bert_model_labels(model, &labels), 3);
    assert_string_equal(labels[2], "red");
    const bert_param *head = weight_at(&bert_model_layer(model)->weights, HEAD_WEIGHT, 0);
    assert_int_equal(head->rows, 3);
    double limit = sqrt(6.0 / (3 + TOY_HIDDEN)), largest = 0;
    for (size_t i = 0; i < head->rows * head->cols; i++)
        largest = fmax(largest, fabs(head->value[i]));
    assert_true(largest <= limit && largest > 0.9 * limit); /* Glorot's uniform start */
    assert_true(head[1].value[0] == 0 && head[1].value[2] == 0);
    bert_model_free(model);
    check(bert_model_create(&spec, BERT_TASK_AUTO, ZERO_ONE, 2, 1, &model, &err), &err);
    assert_int_equal(weight_at(&bert_model_layer(model)->weights, HEAD_WEIGHT, 0)->rows, 1);
    bert_model_free(model);
}

static void a_model_that_cannot_be_is_refused(void **state)
{
    (void)state;
    bert_model *model;
    bert_layer_spec spec;
    static const char *const TWICE[] = { "a", "b", "a" }, *const LATIN_1[] = { "gut", "m\xe4\xdfig" };
    bert_layer_defaults(&spec);
    spec.seq_len = 16;
    assert_fails(bert_model_create(&spec, BERT_TASK_AUTO, ZERO_ONE, 2, 1, &model, err), BERT_ERR_ARGUMENT, "the layer spec names no module");
    assert_null(model);
    spec.module = toy_module("module", (toy){ 0 });
    assert_fails(bert_model_create(&spec, (bert_task)7, ZERO_ONE, 2, 1, &model, err), BERT_ERR_ARGUMENT, "task 7 is none of bert_task");
    assert_fails(bert_model_create(&spec, BERT_TASK_BINARY, WORDS, 3, 1, &model, err), BERT_ERR_DATA,
                 "task binary: the labels are 3 (blue, green, ...), expected 0 and 1");
    assert_fails(bert_model_create(&spec, BERT_TASK_AUTO, TWICE, 3, 1, &model, err), BERT_ERR_ARGUMENT, "labels 0 and 2 are the same, \"a\"");
    assert_fails(bert_model_create(&spec, BERT_TASK_AUTO, LATIN_1, 2, 1, &model, err), BERT_ERR_ARGUMENT, "label 1 is not UTF-8");
    spec.pooling = BERT_POOLING_NONE;
    assert_fails(bert_model_create(&spec, BERT_TASK_AUTO, WORDS, 3, 1, &model, err), BERT_ERR_ARGUMENT,
                 "pooling none gives a vector a token; task multiclass needs one a text");
    assert_null(model);
}

int main(void)
{
#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_found_by_name_id_and_labels),
        cmocka_unit_test(labels_that_do_not_suit_are_named),
        cmocka_unit_test(binary_loss_and_scores_are_those_of_the_sigmoid),
        cmocka_unit_test(multiclass_scores_are_the_softmax),
        cmocka_unit_test(gradients_match_differences),
        in_a_folder(a_model_is_made_with_the_head_that_its_labels_ask_for),
        in_a_folder(a_model_that_cannot_be_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
