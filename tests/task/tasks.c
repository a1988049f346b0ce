/* The list of tasks: which labels and poolings suit which, losses and scores of a row; and making a model with a
 * head. */
#include "toy_model.h"

#include "task/head.h"
#include "task/outcomes.h"
#include "task/tasks.h"

static const char *const ZERO_ONE[] = { "0", "1" }, *const WORDS[] = { "blue", "green", "red" },
                         *const TAGS[] = { "B-X", "O" };

static void a_task_is_found_by_its_id(void **state)
{
    (void)state;
    for (int id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++) {
        const task *t = task_by_id((bert_task)id);
        assert_int_equal(t->id, id);
        assert_string_equal(t->name, TASK_WORDS[id]);
        assert_string_equal(bert_task_name((bert_task)id), t->name);
    }
    assert_null(TASK_WORDS[BERT_TASK_TOKENS + 1]);
    assert_null(task_by_id(BERT_TASK_AUTO));
    assert_null(task_by_id((bert_task)9));
    assert_string_equal(bert_task_name(BERT_TASK_AUTO), "none");
    assert_string_equal(bert_task_name((bert_task)9), "none");
}

static void the_facts_of_a_task_are_those_of_its_row(void **state)
{
    (void)state;
    for (int id = BERT_TASK_AUTO; id <= BERT_TASK_TOKENS; id++) {
        bert_task_facts facts = bert_task_facts_of((bert_task)id);
        assert_int_equal(facts.compares, id == BERT_TASK_SIMILARITY);
        assert_int_equal(facts.words, id == BERT_TASK_TOKENS);
        if (id != BERT_TASK_AUTO) {
            assert_string_equal(facts.name, TASK_WORDS[id]);
            assert_string_equal(facts.averaged, facts.words ? "types of entities" : "labels");
        }
    }
    assert_null(bert_task_facts_of(BERT_TASK_AUTO).name);
    assert_null(bert_task_facts_of((bert_task)9).name);
}

static void a_task_is_found_by_what_its_head_reads_and_gives(void **state)
{
    (void)state;
    for (int id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++) {
        const task *t = task_by_id((bert_task)id);
        assert_ptr_equal(task_by_output(t->form, t->output), t); /* no two are alike */
    }
    assert_null(task_by_output(ROW_WORDS, &OUTPUT_PAIR));
}

/* What others ask of a row without looking whether it is there. */
static void a_kind_of_label_has_all_that_its_tasks_are_asked_for(void **state)
{
    (void)state;
    for (int id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++) {
        const task *t = task_by_id((bert_task)id);
        const label_kind *k = t->kind;
        unsigned mistakes = k->sections & PAGE_MISTAKES;
        assert_true(k->word && k->averaged && k->check_row && k->choose && k->read && k->compare_training && k->wrong &&
                    k->measure && k->always && k->true_words && k->predicted_words);
        assert_int_equal(!k->next, k->numeric);
        assert_int_equal(!k->right_logits, k->numeric);
        assert_true(mistakes && !(mistakes & (mistakes - 1))); /* in one form */
        assert_true(task_has_metric(t, metric_by_name("loss")) && task_has_metric(t, metric_by_name(t->watch)));
        if (t->form != ROW_WORDS)
            assert_true(k->same && k->answer_json && k->answer_tsv);
        if (k->sections & (PAGE_LABELS | PAGE_THRESHOLDS) || t->output->threshold)
            assert_true(k->count && k->decisions && k->decide && task_has_metric(t, metric_by_name(k->decided)));
    }
}

static void labels_that_do_not_suit_are_named(void **state)
{
    (void)state;
    static const char *const NO_TAGS[] = { "B-X", "B" };
    static const struct {
        bert_task id;
        const char *const *labels;
        size_t n;
        const char *words; /* NULL: they suit */
    } CASES[] = {
        { BERT_TASK_BINARY, ZERO_ONE, 2, NULL },
        { BERT_TASK_BINARY, WORDS, 2, NULL },
        { BERT_TASK_BINARY, WORDS, 3,
          "task binary: the labels are 3 (blue, green, ...), expected two, the second one the positive" },
        { BERT_TASK_BINARY, WORDS, 1,
          "task binary: the labels are 1 (blue), expected two, the second one the positive" },
        { BERT_TASK_BINARY, NULL, 0,
          "task binary: the labels are 0 (none), expected two, the second one the positive" },
        { BERT_TASK_MULTICLASS, WORDS, 2, NULL },
        { BERT_TASK_MULTICLASS, WORDS, 1,
          "task multiclass: every row has the label blue; a classifier needs at least two" },
        { BERT_TASK_MULTILABEL, WORDS, 2, NULL },
        { BERT_TASK_MULTILABEL, WORDS, 1, "task multilabel: the only label is blue; at least two are needed" },
        { BERT_TASK_MULTILABEL, NULL, 0, "task multilabel: the only label is (none); at least two are needed" },
        { BERT_TASK_REGRESSION, NULL, 0, NULL },
        { BERT_TASK_REGRESSION, WORDS, 3, "the labels are numbers, and the model names words (blue, ...)" },
        { BERT_TASK_SIMILARITY, NULL, 0, NULL },
        { BERT_TASK_TOKENS, TAGS, 2, NULL },
        { BERT_TASK_TOKENS, TAGS + 1, 1, "task tokens: every word has the tag O; at least two are needed" },
        { BERT_TASK_TOKENS, NO_TAGS, 2, "task tokens: label \"B\" is no tag: O, B-NAME or I-NAME is expected" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const task *t = task_by_id(CASES[i].id);
        if (CASES[i].words)
            assert_fails(t->check_labels(CASES[i].labels, CASES[i].n, err), BERT_ERR_DATA, CASES[i].words);
        else
            assert_int_equal(t->check_labels(CASES[i].labels, CASES[i].n, NULL), BERT_OK);
    }
}

/* ---- losses and scores ------------------------------------------------------------------------------------------- */

static double loss_of(bert_task id, const float *logits, float *losses, target_rows y, loss_spec spec, size_t K)
{
    double quiet = task_by_id(id)->output->loss(0, NULL, NULL, logits, &y, &spec, 1, K), sum = 0;
    assert_true(quiet == task_by_id(id)->output->loss(0, NULL, losses, logits, &y, &spec, 1, K));
    for (size_t i = 0; i < y.n; i++)
        sum += losses[i];
    assert_true(fabs(sum - quiet) < 1e-5 * (1 + quiet));
    return quiet;
}

static void losses_are_those_of_their_formulas(void **state)
{
    (void)state;
    static const float logits[] = { 0, 2, -3, 40, -200 }, weights[] = { 2, 0.5f, 1 }, three[] = { 1, 2, 3, 0, 0, 0 };
    static const int32_t labels[] = { 1, 0, 0, 1, 1 };
    static const float values[] = { 1, 0, 1, 0, 0, 0 };
    float losses[5];
    double expected = log(2) + (2 + log1p(exp(-2))) + log1p(exp(-3)) + exp(-40) + 200,
           lse = log(exp(1) + exp(2) + exp(3));
    target_rows ids = { .n = 5, .ids = labels }, two = { .n = 2, .ids = labels },
                sets = { .n = 2, .values = values, .width = 3 };
    loss_spec plain = { 0 }, weighted = { weights, 0 }, smooth = { NULL, 0.3f };
    assert_true(fabs(loss_of(BERT_TASK_BINARY, logits, losses, ids, plain, 1) - expected) < 1e-9);
    expected = 0.5 * (log(2) + exp(-40) + 200) + 2 * (2 + log1p(exp(-2)) + log1p(exp(-3)));
    assert_true(fabs(loss_of(BERT_TASK_BINARY, logits, losses, ids, weighted, 1) - expected) < 1e-9);
    ids.n = 2; /* smoothed by 0.3: targets 0.85 and 0.15 */
    assert_true(fabs(loss_of(BERT_TASK_BINARY, logits, losses, ids, smooth, 1) -
                     (log(2) + 2 + log1p(exp(-2)) - 0.15 * 2)) < 1e-6);

    assert_true(fabs(loss_of(BERT_TASK_MULTICLASS, three, losses, two, plain, 3) - (lse - 2 + log(3))) < 1e-9);
    assert_true(fabs(loss_of(BERT_TASK_MULTICLASS, three, losses, two, weighted, 3) - (0.5 * (lse - 2) + 2 * log(3))) <
                1e-9);
    assert_true(fabs(loss_of(BERT_TASK_MULTICLASS, three, losses, two, smooth, 3) -
                     (lse - 0.8 * 2 - 0.1 * 1 - 0.1 * 3 + log(3))) < 1e-6);
    assert_true(fabs(loss_of(BERT_TASK_TOKENS, three, losses, two, plain, 3) - (lse - 2 + log(3))) < 1e-9);

    double a = log1p(exp(-1)), b = 2 + log1p(exp(-2)), c = log1p(exp(-3));
    assert_true(fabs(loss_of(BERT_TASK_MULTILABEL, three, losses, sets, plain, 3) - (a + b + c) / 3 - log(2)) < 1e-9);
    assert_true(fabs(loss_of(BERT_TASK_MULTILABEL, three, losses, sets, weighted, 3) -
                     (2 * a + b / 2 + c + 3.5 * log(2)) / 3) < 1e-9);

    sets.width = 1; /* numbers know neither weights nor smoothing */
    assert_true(fabs(loss_of(BERT_TASK_REGRESSION, three, losses, sets, (loss_spec){ weights, 0.3f }, 1) - (0 + 4)) <
                1e-12);
    assert_true(losses[1] == 4);
}

static void scores_are_what_logits_mean(void **state)
{
    (void)state;
    static const float logits[] = { 1, 2, 3, 100, 100, -100 };
    float scores[12];
    bert_model m = { .label_min = -2, .label_max = 8 };
    task_by_id(BERT_TASK_BINARY)->output->scores(&m, scores, logits, 6, 1);
    for (int i = 0; i < 6; i++) {
        assert_true(fabs(scores[2 * i + 1] - 1 / (1 + exp(-(double)logits[i]))) < 1e-7);
        assert_true(scores[2 * i] + scores[2 * i + 1] == 1);
    }
    double sum = exp(1) + exp(2) + exp(3);
    task_by_id(BERT_TASK_MULTICLASS)->output->scores(&m, scores, logits, 2, 3);
    for (int k = 0; k < 3; k++)
        assert_true(fabs(scores[k] - exp(k + 1) / sum) < 1e-7);
    assert_true(scores[3] == 0.5f && scores[4] == 0.5f && scores[5] < 1e-30f);
    task_by_id(BERT_TASK_MULTILABEL)->output->scores(&m, scores, logits, 2, 3);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(scores[i] - 1 / (1 + exp(-(double)logits[i]))) < 1e-7);
    static const float outputs[] = { 0, 1, 0.5f, 1.25f }, expected[] = { -2, 8, 3, 10.5f };
    task_by_id(BERT_TASK_REGRESSION)->output->scores(&m, scores, outputs, 4, 1);
    assert_memory_equal(scores, expected, sizeof expected);
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

static void heads_have_defaults_and_a_table(void **state)
{
    (void)state;
    bert_head_spec head;
    memset(&head, 0x55, sizeof head);
    bert_head_defaults(&head);
    assert_int_equal(head.task, BERT_TASK_AUTO);
    assert_true(head.head_hidden == 0 && !head.labels && head.n_labels == 0 && head.label_min == 0 &&
                head.label_max == 0);
    static const char *const NAMES[] = { "task", "head_hidden", "label_min", "label_max" };
    bert_option_table table = bert_head_option_table();
    assert_int_equal(table.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(table.options[i].name, NAMES[i]);
    bert_err e;
    check(bert_options_set(&head, table, "task", "similarity", &e), &e);
    check(bert_options_set(&head, table, "label-max", "5", &e), &e);
    assert_int_equal(head.task, BERT_TASK_SIMILARITY);
    assert_true(head.label_max == 5);
    assert_fails(
        bert_options_set(&head, table, "task", "ranking", err), BERT_ERR_ARGUMENT,
        "--task: \"ranking\" is not one of auto, binary, multiclass, multilabel, regression, similarity, tokens");
}

static void a_model_is_made_with_the_head_that_its_task_asks_for(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        const char *const *labels;
        size_t n, outputs, columns;
        int pooling;
    } CASES[] = {
        { BERT_TASK_BINARY, ZERO_ONE, 2, 1, 2, BERT_POOLING_CLS },
        { BERT_TASK_MULTICLASS, WORDS, 3, 3, 3, BERT_POOLING_CLS },
        { BERT_TASK_MULTILABEL, WORDS, 3, 3, 3, BERT_POOLING_CLS },
        { BERT_TASK_REGRESSION, NULL, 0, 1, 1, BERT_POOLING_CLS },
        { BERT_TASK_SIMILARITY, NULL, 0, 0, 1, BERT_POOLING_MEAN },
        { BERT_TASK_TOKENS, TAGS, 2, 2, 2, BERT_POOLING_NONE },
    };
    const char *module = toy_module("module", (toy){ 0 });
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        const task *t;
        const char *const *labels;
        bert_head_spec head = toy_head((int)CASES[i].id, CASES[i].labels, CASES[i].n);
        head.label_min = 1;
        head.label_max = 5;
        bert_model *model = toy_model_of(module, BERT_POOLING_AUTO, 16, &head);
        assert_int_equal(bert_model_task(model), CASES[i].id);
        assert_int_equal(model->layer->spec.pooling, CASES[i].pooling);
        assert_int_equal(model->outputs, CASES[i].outputs);
        assert_int_equal(bert_model_labels(model, &labels), CASES[i].n);
        if (CASES[i].n)
            assert_string_equal(labels[CASES[i].n - 1], CASES[i].labels[CASES[i].n - 1]);
        check(task_of_model(model, &t, &err), &err);
        assert_int_equal(task_columns(t, model), CASES[i].columns);
        assert_true(bert_model_threshold(model) == 0.5);
        assert_true(model->threshold == (t->output->threshold ? 0.5 : 0));
        assert_true(model->label_max == (t->kind->numeric ? 5 : 0)); /* others have no scale */
        bert_model_free(model);
    }
    assert_int_equal(bert_model_task(&(bert_model){ 0 }), BERT_TASK_AUTO);
    assert_int_equal(bert_model_task(&(bert_model){ .task = (bert_task)TASK_UNKNOWN, .unknown_task = "ranking" }),
                     BERT_TASK_AUTO);
}

static void a_model_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const TWICE[] = { "a", "b", "a" }, *const LATIN_1[] = { "gut", "m\xe4\xdfig" };
    const bert_head_spec binary = toy_head(BERT_TASK_BINARY, ZERO_ONE, 2), tokens = toy_head(BERT_TASK_TOKENS, TAGS, 2);
    bert_head_spec similarity = toy_head(BERT_TASK_SIMILARITY, NULL, 0),
                   regression = toy_head(BERT_TASK_REGRESSION, NULL, 0), wide = binary;
    similarity.label_max = 1;
    similarity.head_hidden = 4;
    regression.label_min = 2;
    regression.label_max = 2;
    wide.head_hidden = -1;
    const struct {
        bert_head_spec head;
        int pooling;
        bert_status code;
        const char *words;
    } CASES[] = {
        { toy_head(BERT_TASK_AUTO, ZERO_ONE, 2), BERT_POOLING_AUTO, BERT_ERR_ARGUMENT,
          "the task is auto, which bert_head_of_dataset resolves" },
        { toy_head(7, ZERO_ONE, 2), BERT_POOLING_AUTO, BERT_ERR_ARGUMENT,
          "--task: \"7\" is not one of auto, binary, multiclass, multilabel, regression, similarity, tokens" },
        { toy_head(BERT_TASK_BINARY, WORDS, 3), BERT_POOLING_AUTO, BERT_ERR_DATA,
          "task binary: the labels are 3 (blue, green, ...), expected two, the second one the positive" },
        { toy_head(BERT_TASK_MULTICLASS, TWICE, 3), BERT_POOLING_AUTO, BERT_ERR_ARGUMENT,
          "labels 0 and 2 are the same, \"a\"" },
        { toy_head(BERT_TASK_MULTICLASS, LATIN_1, 2), BERT_POOLING_AUTO, BERT_ERR_ARGUMENT, "label 1 is not UTF-8" },
        { binary, BERT_POOLING_NONE, BERT_ERR_ARGUMENT,
          "pooling none gives a vector a token; task binary needs one a text" },
        { binary, 77, BERT_ERR_ARGUMENT,
          "--pooling: \"77\" is not one of auto, none, cls, cls_raw, mean, sqrt_mean, max" },
        { tokens, BERT_POOLING_MEAN, BERT_ERR_ARGUMENT,
          "pooling mean gives a vector a text; task tokens needs one a token: pooling none" },
        { similarity, BERT_POOLING_AUTO, BERT_ERR_ARGUMENT, "task similarity has no head: head_hidden must be 0" },
        { regression, BERT_POOLING_AUTO, BERT_ERR_ARGUMENT, "task regression: label_min 2 is not below label_max 2" },
        { toy_head(BERT_TASK_REGRESSION, NULL, 0), BERT_POOLING_AUTO, BERT_ERR_ARGUMENT,
          "task regression: label_min 0 is not below label_max 0" },
        { wide, BERT_POOLING_AUTO, BERT_ERR_ARGUMENT, "--head-hidden: -1 is out of range, 0 to 65536" },
    };
    bert_model *model;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.seq_len = 16;
    assert_fails(bert_model_create(&spec, &binary, 1, &model, err), BERT_ERR_ARGUMENT,
                 "the layer spec names no module");
    assert_null(model);
    spec.module = toy_module("module", (toy){ 0 });
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        spec.pooling = CASES[i].pooling;
        assert_fails(bert_model_create(&spec, &CASES[i].head, 1, &model, err), CASES[i].code, CASES[i].words);
        assert_null(model);
    }
}

static void a_model_whose_parts_do_not_fit_has_no_task(void **state)
{
    (void)state;
    const task *t;
    const bert_head_spec regression = { .task = BERT_TASK_REGRESSION, .label_max = 1 };
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 16);
    model->layer->spec.pooling = BERT_POOLING_NONE;
    assert_fails(task_of_model(model, &t, err), BERT_ERR_ARGUMENT,
                 "pooling none gives a vector a token; task binary needs one a text");
    bert_model_free(model);
    model = toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 16, &regression);
    model->label_max = 0;
    assert_fails(task_of_model(model, &t, err), BERT_ERR_FORMAT,
                 "task regression: the model's label_min is 0, its label_max 0");
    bert_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_found_by_its_id),
        cmocka_unit_test(the_facts_of_a_task_are_those_of_its_row),
        cmocka_unit_test(a_task_is_found_by_what_its_head_reads_and_gives),
        cmocka_unit_test(a_kind_of_label_has_all_that_its_tasks_are_asked_for),
        cmocka_unit_test(labels_that_do_not_suit_are_named),
        cmocka_unit_test(losses_are_those_of_their_formulas),
        cmocka_unit_test(scores_are_what_logits_mean),
        cmocka_unit_test(heads_have_defaults_and_a_table),
        in_a_folder(a_model_is_made_with_the_head_that_its_task_asks_for),
        in_a_folder(a_model_that_cannot_be_is_refused),
        in_a_folder(a_model_whose_parts_do_not_fit_has_no_task),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
