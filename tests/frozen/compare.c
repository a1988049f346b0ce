/* A frozen file beside its model on somebody's data: what bert_model_freeze tells of both, and when it refuses to
 * write. */
#include "frozen/toy_frozen.h"

#include "data/dataset.h"
#include "each_isa.h"

/* N rows with pairs; label (i) of row i. */
static bert_dataset *make_data(const char *(*label)(size_t i), bool second)
{
    bert_err err;
    bert_dataset *data;
    sample s = random_sample();
    bert_text labels[N];
    for (size_t i = 0; i < N; i++) {
        labels[i] = text_of(label(i));
        s.texts[i] = s.texts[i].size ? s.texts[i] : text_of("a");
        s.pairs[i] = s.pairs[i].size ? s.pairs[i] : text_of("b");
    }
    check(bert_dataset_create(s.texts, second ? s.pairs : NULL, labels, N, &data, &err), &err);
    return data;
}

static const char *zero_or_one(size_t i)
{
    return i % 3 ? "0" : "1";
}

static const char *none(size_t i)
{
    (void)i;
    return "";
}

static bert_freeze_check freeze_on(const bert_model *model, int precision, const bert_dataset *data)
{
    bert_err err;
    bert_freeze_check c;
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    options.precision = precision;
    check(bert_model_freeze(model, scratch("model.bert"), &options, data, &c, &err), &err);
    assert_int_equal(c.n, N);
    assert_true(c.texts_per_second > 0 && c.texts_per_second_original > 0);
    return c;
}

static bert_model *model_of(int task, int pooling, const char *const *labels, size_t n_labels)
{
    bert_head_spec head = toy_head(task, labels, n_labels);
    if (!n_labels)
        head.label_max = 5;
    return toy_model_of(toy_module("module", (toy){ 0 }), pooling, SEQ_LEN, &head);
}

static void predict(const bert_model *model, const bert_dataset *data, float *scores)
{
    bert_err err;
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false);
    check(bert_session_predict(session, data->texts, data->pairs, N, scores, NULL, &err), &err);
    bert_session_free(session);
}

/* ---- what it tells ----------------------------------------------------------------------------------------------- */

static void fp32_agrees_in_every_bit(void **state)
{
    (void)state;
    bert_dataset *data = make_data(zero_or_one, true);
    bert_model *model = model_of(BERT_TASK_BINARY, BERT_POOLING_MEAN, TOY_BINARY, 2);
    bert_freeze_check c = freeze_on(model, FP32, data);
    assert_true(c.agreement == 1 && c.difference_mean == 0 && c.difference_worst == 0);
    assert_true(fabs(c.cosine_mean - 1) < 1e-12 && fabs(c.cosine_worst - 1) < 1e-12);
    assert_int_equal(c.frozen.n, N);
    assert_memory_equal(&c.frozen, &c.original, sizeof c.frozen);
    bert_model_free(model);
    bert_dataset_free(data);
}

/* The same by sessions, row by row. */
static void differences_are_those_of_the_two_models_scores(void **state)
{
    (void)state;
    bert_dataset *data = make_data(zero_or_one, true);
    for (int precision = BF16; precision <= INT8; precision++) {
        float a[2 * N], b[2 * N];
        bert_err err;
        bert_evaluation e;
        bert_model *model = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, TOY_BINARY, 2), *frozen;
        bert_freeze_check c = freeze_on(model, precision, data);
        frozen = load_model(scratch("model.bert"));
        predict(model, data, a);
        predict(frozen, data, b);
        double mean = 0, worst = 0, agreed = 0;
        for (size_t i = 0; i < 2 * N; i++) {
            double d = fabs((double)a[i] - b[i]);
            mean += d / (2 * N);
            worst = fmax(worst, d);
        }
        for (size_t i = 0; i < N; i++)
            agreed += (a[2 * i + 1] >= 0.5f) == (b[2 * i + 1] >= 0.5f);
        assert_true(worst > 0);
        assert_float_equal(c.difference_mean, mean, 1e-12);
        assert_float_equal(c.difference_worst, worst, 1e-12);
        assert_float_equal(c.agreement, agreed / N, 1e-12);
        assert_true(c.cosine_worst > 0.98 && c.cosine_worst < c.cosine_mean && c.cosine_mean < 1);
        bert_session *session = open_session(frozen, 0, BERT_POOLING_AUTO, false);
        check(bert_session_evaluate(session, data, NULL, NULL, &e, &err), &err);
        assert_true(e.metrics.loss == c.frozen.loss && e.metrics.accuracy == c.frozen.accuracy &&
                    c.original.loss != c.frozen.loss);
        bert_session_free(session);
        bert_model_free(model);
        bert_model_free(frozen);
    }
    bert_dataset_free(data);
}

/* The share of numbers that differ by at most 1 % of the labels' scale, 0 to 5, from those of the frozen file. */
static double numbers_agree(const bert_model *model, const bert_dataset *data)
{
    float a[N], b[N];
    double agreed = 0;
    bert_model *frozen = load_model(scratch("model.bert"));
    predict(model, data, a);
    predict(frozen, data, b);
    for (size_t i = 0; i < N; i++)
        agreed += fabs((double)a[i] - b[i]) <= 0.05;
    bert_model_free(frozen);
    return agreed / N;
}

static void every_task_is_compared(void **state)
{
    (void)state;
    static const char *const TAGS[] = { "B-X", "I-X", "O" }, *const THREE[] = { "0", "1", "2" };
    static const struct {
        int task, pooling;
        const char *const *labels;
        size_t n_labels;
    } CASES[] = {
        { BERT_TASK_BINARY, BERT_POOLING_CLS, TOY_BINARY, 2 }, { BERT_TASK_MULTICLASS, BERT_POOLING_MAX, THREE, 3 },
        { BERT_TASK_MULTILABEL, BERT_POOLING_MEAN, THREE, 3 }, { BERT_TASK_REGRESSION, BERT_POOLING_MEAN, NULL, 0 },
        { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, NULL, 0 },  { BERT_TASK_TOKENS, BERT_POOLING_NONE, TAGS, 3 }
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int precision = FP32; precision < PRECISIONS; precision++) {
            bert_dataset *data = make_data(none, CASES[i].task != BERT_TASK_TOKENS);
            bert_model *model = model_of(CASES[i].task, CASES[i].pooling, CASES[i].labels, CASES[i].n_labels);
            bert_freeze_check c = freeze_on(model, precision, data);
            assert_int_equal(c.frozen.n + c.original.n, 0); /* the data has no labels */
            if (CASES[i].n_labels)
                assert_true(c.agreement >= 0.75 && c.agreement <= 1);
            else
                assert_float_equal(c.agreement, numbers_agree(model, data), 1e-12);
            assert_true(c.difference_worst >= c.difference_mean && (precision == FP32) == (c.difference_worst == 0));
            assert_true(c.cosine_worst > 0.95 && (precision == FP32) == (c.cosine_worst > 1 - 1e-12));
            if (precision == FP32)
                assert_true(c.agreement == 1);
            bert_model_free(model);
            bert_dataset_free(data);
        }
}

static void a_model_without_a_head_agrees_by_the_cosine(void **state)
{
    (void)state;
    bert_dataset *data = make_data(zero_or_one, true);
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        bert_freeze_check c = freeze_on(model, precision, data);
        assert_true(isnan(c.difference_mean) && isnan(c.difference_worst));
        assert_int_equal(c.frozen.n + c.original.n, 0);
        assert_true((c.agreement == 1) == (c.cosine_worst >= 0.99));
    }
    bert_model_free(model);
    bert_dataset_free(data);
}

/* ---- when it refuses --------------------------------------------------------------------------------------------- */

/* A threshold between what the two say of one row: on that row at least they differ. */
static void part_them(bert_model *model, const bert_dataset *data)
{
    float a[2 * N], b[2 * N];
    size_t row = 0;
    freeze_as(model, scratch("probe.bert"), INT8);
    bert_model *frozen = load_model(scratch("probe.bert"));
    predict(model, data, a);
    predict(frozen, data, b);
    bert_model_free(frozen);
    assert_int_equal(unlink(scratch("probe.bert")), 0);
    while (row < N && !(b[2 * row + 1] < a[2 * row + 1]))
        row++;
    assert_true(row < N);
    model->threshold = (double)a[2 * row + 1];
}

static void a_file_that_agrees_too_little_is_not_written(void **state)
{
    (void)state;
    bert_err err = { 0 };
    file_mapping old;
    char words[512];
    bert_freeze_check c;
    bert_freeze_options options;
    bert_dataset *data = make_data(zero_or_one, true);
    bert_model *model = model_of(BERT_TASK_BINARY, BERT_POOLING_MEAN, TOY_BINARY, 2);
    const char *path = scratch("model.bert");
    freeze_as(model, path, FP32);
    part_them(model, data);
    size_t entries = scratch_entries();
    check(file_map(&old, path, &err), &err);
    bert_freeze_defaults(&options);
    options.precision = INT8;
    options.min_agreement = 1;
    assert_int_equal(bert_model_freeze(model, path, &options, data, &c, &err), BERT_ERR_DATA);
    snprintf(words, sizeof words,
             "%s is not written: the frozen model agrees with the original on %.2f %% of %d rows, less than the 100.00 "
             "%% asked for",
             path, 100 * c.agreement, N);
    assert_string_equal(err.message, words);
    assert_true(c.n == N && c.agreement < 1 && c.cosine_mean > 0.9);
    assert_true(file_holds(path, (const char *)old.data, old.size)); /* the old one */
    assert_int_equal(scratch_entries(), entries);
    file_unmap(&old);
    options.min_agreement = c.agreement;
    check(bert_model_freeze(model, path, &options, data, &c, &err), &err);
    options.min_agreement = 1; /* without data there is nothing to agree on */
    check(bert_model_freeze(model, path, &options, NULL, &c, &err), &err);
    assert_int_equal(c.n, 0);
    bert_model_free(model);
    bert_dataset_free(data);
}

static const char *unknown(size_t i)
{
    return i == 7 ? "maybe" : "1";
}

static void data_that_does_not_suit_the_model_is_refused_before_a_file_appears(void **state)
{
    (void)state;
    bert_freeze_check c;
    bert_model *model = model_of(BERT_TASK_BINARY, BERT_POOLING_MEAN, TOY_BINARY, 2);
    bert_dataset *data = make_data(unknown, false);
    size_t entries = scratch_entries();
    assert_fails(bert_model_freeze(model, scratch("model.bert"), NULL, data, &c, err), BERT_ERR_DATA,
                 "row 7: label \"maybe\" is not one of the model's: 0, 1");
    bert_model_free(model);
    model = model_of(BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, NULL, 0);
    assert_fails(bert_model_freeze(model, scratch("model.bert"), NULL, data, &c, err), BERT_ERR_ARGUMENT,
                 "task similarity compares two texts, and there are no second ones");
    assert_int_equal(scratch_entries(), entries);
    bert_model_free(model);
    bert_dataset_free(data);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(fp32_agrees_in_every_bit),
        in_a_folder(differences_are_those_of_the_two_models_scores),
        in_a_folder(every_task_is_compared),
        in_a_folder(a_model_without_a_head_agrees_by_the_cosine),
        in_a_folder(a_file_that_agrees_too_little_is_not_written),
        in_a_folder(data_that_does_not_suit_the_model_is_refused_before_a_file_appears),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
