/* Metrics and thresholds: against what scikit-learn 1.9.1, scipy 1.17.1 and seqeval 1.2.2 give for the same rows, and
 * against cases counted by hand. */
#include "task/baseline.h"
#include "task/outcomes.h"

#include "task/counts.h"
#include "task/ranking.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MOST = 512, MOST_LABELS = 8 };

/* The rows that the references were computed from: both sides draw the same numbers. */
typedef struct draws {
    uint32_t state;
} draws;

static int below(draws *d, uint32_t n)
{
    d->state = (d->state * 1103515245u + 12345u) & 0x7fffffffu;
    return (int)((d->state >> 8) % n);
}

/* Outcomes by hand. All scores are multiples of 1/64: equal ones are equal. */
typedef struct sample {
    bert_model model;
    targets truth;
    outcomes o;
    int32_t ids[MOST];
    size_t start[MOST];
    float values[MOST], scores[MOST * MOST_LABELS], losses[MOST];
} sample;

static const char *WORDS[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

static void sample_begin(sample *s, bert_task id, const char **labels, size_t n_labels)
{
    *s = (sample){ 0 };
    s->model.labels = labels;
    s->model.n_labels = n_labels;
    s->o = (outcomes){
        .model = &s->model, .task = task_by_id(id), .truth = &s->truth, .scores = s->scores, .losses = s->losses
    };
    s->model.outputs = task_outputs(s->o.task, n_labels);
    s->o.columns = task_columns(s->o.task, &s->model);
    if (s->o.task->kind == &KIND_CLASS || s->o.task->kind == &KIND_TAGS)
        s->truth.ids = s->ids;
    else
        s->truth.values = s->values;
    s->truth.width = s->o.task->kind == &KIND_CLASSES ? n_labels : 1;
}

static void sample_size(sample *s, size_t n)
{
    s->o.n = s->truth.n = n;
}

static void add_binary(sample *s, float score, int label)
{
    size_t i = s->o.n;
    s->scores[2 * i] = 1 - score;
    s->scores[2 * i + 1] = score;
    s->ids[i] = label;
    sample_size(s, i + 1);
}

static bert_metrics measured(const sample *s, double threshold)
{
    bert_metrics m;
    bert_err err;
    memset(&m, 0x55, sizeof m);
    assert_int_equal(outcomes_metrics(&s->o, threshold, &m, &err), BERT_OK);
    assert_int_equal(m.n, s->o.n);
    return m;
}

static double threshold_for(const sample *s, const char *metric)
{
    double t;
    bert_err err;
    assert_int_equal(outcomes_threshold(&s->o, metric ? metric_by_name(metric) : NULL, &t, &err), BERT_OK);
    return t;
}

static void assert_near(const char *what, double got, double expected)
{
    if (isnan(expected) ? !isnan(got) : !(fabs(got - expected) < 1e-12))
        fail_msg("%s is %.17g, expected %.17g", what, got, expected);
}

/* Every metric; those that `expected` leaves at 0 must be NaN, a 0 is written as TINY. loss is not looked at. */
#define TINY 1e-300
static void assert_metrics(const bert_metrics *got, const bert_metrics *expected)
{
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 1; i < n; i++) {
        double e = bert_metric_value(expected, &table[i]);
        if (strstr(table[i].name, "_seen")) /* has tests of its own */
            continue;
        assert_near(table[i].name, bert_metric_value(got, &table[i]), e == 0 ? NAN : e);
    }
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void the_table_names_every_metric_once(void **state)
{
    (void)state;
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    assert_int_equal(n, 19);
    assert_int_equal(sizeof(bert_metrics), 3 * sizeof(size_t) + n * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(table[i].offset, 3 * sizeof(size_t) + i * sizeof(double));
        assert_ptr_equal(metric_by_name(table[i].name), &table[i]);
        assert_int_equal(table[i].larger_better, strcmp(table[i].name, "loss") && strcmp(table[i].name, "mse"));
    }
    assert_null(metric_by_name("bleu"));
    for (bert_task t = BERT_TASK_BINARY; t <= BERT_TASK_TOKENS; t++)
        assert_non_null(metric_by_name(task_by_id(t)->watch));
}

/* ---- against references ------------------------------------------------------------------------------------------ */

static void draw_binary(sample *s)
{
    draws d = { 1 };
    sample_begin(s, BERT_TASK_BINARY, WORDS, 2);
    for (int i = 0; i < 60; i++) {
        int score = below(&d, 65);
        add_binary(s, (float)score / 64, score + below(&d, 61) - 30 >= 36);
    }
}

static void binary_metrics_are_scikit_learns(void **state)
{
    (void)state;
    sample s;
    draw_binary(&s);
    bert_metrics half = measured(&s, 0.5), more = measured(&s, 0.7);
    assert_metrics(&half, &(bert_metrics){ .accuracy = 0.78333333333333333,
                                           .precision = 0.77142857142857146,
                                           .recall = 0.84375,
                                           .f1 = 0.80597014925373134,
                                           .precision_micro = 0.78333333333333333,
                                           .recall_micro = 0.78333333333333333,
                                           .f1_micro = 0.78333333333333333,
                                           .precision_macro = 0.78571428571428581,
                                           .recall_macro = 0.77901785714285721,
                                           .f1_macro = 0.78034356519290338,
                                           .mcc = 0.56469243931578206,
                                           .auc = 0.8895089285714286 });
    assert_metrics(&more, &(bert_metrics){ .accuracy = 0.71666666666666667,
                                           .precision = 0.94117647058823528,
                                           .recall = 0.5,
                                           .f1 = 0.65306122448979587,
                                           .precision_micro = 0.71666666666666667,
                                           .recall_micro = 0.71666666666666667,
                                           .f1_micro = 0.71666666666666667,
                                           .precision_macro = 0.78454172366621067,
                                           .recall_macro = 0.73214285714285721,
                                           .f1_macro = 0.706812302385743,
                                           .mcc = 0.51402073385507507,
                                           .auc = 0.8895089285714286 });
}

static void multiclass_metrics_are_scikit_learns(void **state)
{
    (void)state;
    sample s;
    draws d = { 2 };
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, 4);
    for (size_t i = 0; i < 80; i++) {
        for (size_t k = 0; k < 4; k++)
            s.scores[4 * i + k] = (float)below(&d, 65) / 64;
        bool best = below(&d, 2);
        s.ids[i] = best ? (int32_t)best_label(s.scores + 4 * i, 4) : below(&d, 4);
    }
    sample_size(&s, 80);
    bert_metrics m = measured(&s, 0.5);
    assert_metrics(&m, &(bert_metrics){ .accuracy = 0.675,
                                        .precision = 0.67609180035650618,
                                        .recall = 0.68538961038961044,
                                        .f1 = 0.67947120708748621,
                                        .precision_micro = 0.675,
                                        .recall_micro = 0.675,
                                        .f1_micro = 0.675,
                                        .precision_macro = 0.67609180035650618,
                                        .recall_macro = 0.68538961038961044,
                                        .f1_macro = 0.67947120708748621,
                                        .mcc = 0.56553725306168812,
                                        .auc = 0.724104536852199 });
}

static void draw_multilabel(sample *s)
{
    draws d = { 3 };
    sample_begin(s, BERT_TASK_MULTILABEL, WORDS, 3);
    for (size_t i = 0; i < 150; i++) {
        int score = below(&d, 65);
        s->scores[i] = (float)score / 64;
        s->values[i] = score + below(&d, 41) - 20 >= 44;
    }
    sample_size(s, 50);
}

static void multilabel_metrics_are_scikit_learns(void **state)
{
    (void)state;
    sample s;
    draw_multilabel(&s);
    bert_metrics half = measured(&s, 0.5), less = measured(&s, 0.25);
    assert_metrics(&half, &(bert_metrics){ .accuracy = 0.62,
                                           .precision = 0.69214365881032547,
                                           .recall = 0.96491228070175439,
                                           .f1 = 0.80178508306822194,
                                           .precision_micro = 0.69565217391304346,
                                           .recall_micro = 0.96,
                                           .f1_micro = 0.80672268907563027,
                                           .precision_macro = 0.69214365881032547,
                                           .recall_macro = 0.96491228070175439,
                                           .f1_macro = 0.80178508306822194,
                                           .auc = 0.95846302584418031 });
    assert_metrics(&less, &(bert_metrics){ .accuracy = 0.28,
                                           .precision = 0.46734234234234234,
                                           .recall = 1,
                                           .f1 = 0.63419913419913421,
                                           .precision_micro = 0.47169811320754718,
                                           .recall_micro = 1,
                                           .f1_micro = 0.64102564102564108,
                                           .precision_macro = 0.46734234234234234,
                                           .recall_macro = 1,
                                           .f1_macro = 0.63419913419913421,
                                           .auc = 0.95846302584418031 });
}

static void correlations_are_scipys(void **state)
{
    (void)state;
    sample s;
    draws d = { 4 };
    sample_begin(&s, BERT_TASK_REGRESSION, NULL, 0);
    s.model.label_min = 1;
    s.model.label_max = 5;
    for (size_t i = 0; i < 40; i++) {
        int score = below(&d, 33);
        s.scores[i] = 1 + (float)score / 8;
        s.values[i] = (float)(score + below(&d, 17) - 8) / 32; /* of the scale from 1 to 5 */
    }
    sample_size(&s, 40);
    bert_metrics m = measured(&s, 0.5);
    assert_metrics(
        &m, &(bert_metrics){ .pearson = 0.88779421182358942, .spearman = 0.88659556261598638, .mse = 0.41953125 });
}

static const char *TAGS[] = { "B-LOC", "B-PER", "I-LOC", "I-PER", "O" };

static void entity_metrics_are_seqevals(void **state)
{
    (void)state;
    sample s;
    draws d = { 5 };
    sample_begin(&s, BERT_TASK_TOKENS, TAGS, 5);
    for (size_t row = 0; row < 30; row++) {
        int n = below(&d, 9);
        s.start[row + 1] = s.start[row] + (size_t)n;
        for (size_t i = s.start[row]; i < s.start[row + 1]; i++) {
            s.ids[i] = below(&d, 5);
            int right = below(&d, 10) < 7, other = below(&d, 5);
            s.scores[5 * i + (size_t)(right ? s.ids[i] : other)] = 1;
        }
    }
    s.truth.start = s.start;
    s.truth.n = 30;
    s.o.n = s.start[30];
    assert_int_equal(s.o.n, 129);
    bert_metrics m = measured(&s, 0.5);
    assert_metrics(&m, &(bert_metrics){ .accuracy = 0.80620155038759689,
                                        .precision = 0.8125,
                                        .recall = 0.76470588235294112,
                                        .f1 = 0.78787878787878796,
                                        .precision_micro = 0.8125,
                                        .recall_micro = 0.76470588235294112,
                                        .f1_micro = 0.78787878787878796,
                                        .precision_macro = 0.81803896920175989,
                                        .recall_macro = 0.76467331118493909,
                                        .f1_macro = 0.78897058823529409 });
}

/* ---- macro means, over all labels and over those that are seen --------------------------------------------------- */

/* Of one label: what was said of each of n rows, and what is true. */
static void add_label(const bool *said, const bool *truly, size_t n, double sum[3], size_t *seen)
{
    double right = 0, predicted = 0, actual = 0;
    for (size_t i = 0; i < n; i++) {
        right += said[i] && truly[i];
        predicted += said[i];
        actual += truly[i];
    }
    sum[0] += predicted > 0 ? right / predicted : 0;
    sum[1] += actual > 0 ? right / actual : 0;
    sum[2] += predicted + actual > 0 ? 2 * right / (predicted + actual) : 0;
    *seen += predicted + actual > 0;
}

static void assert_macros(const bert_metrics *m, const double sum[3], size_t labels, size_t seen)
{
    assert_int_equal(m->labels, labels);
    assert_int_equal(m->labels_seen, seen);
    assert_near("precision_macro", m->precision_macro, sum[0] / (double)labels);
    assert_near("recall_macro", m->recall_macro, sum[1] / (double)labels);
    assert_near("f1_macro", m->f1_macro, sum[2] / (double)labels);
    assert_near("precision_macro_seen", m->precision_macro_seen, sum[0] / (double)seen);
    assert_near("recall_macro_seen", m->recall_macro_seen, sum[1] / (double)seen);
    assert_near("f1_macro_seen", m->f1_macro_seen, sum[2] / (double)seen);
}

/* Of eight labels two are true and never said, two are said and never true, one is neither. */
static void macro_means_leave_out_labels_that_are_neither_there_nor_said(void **state)
{
    (void)state;
    enum { N = 90, K = 8 };
    sample s;
    draws d = { 9 };
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, K);
    for (size_t i = 0; i < N; i++) {
        int right = below(&d, 3), said = 3 + below(&d, 2), truth = 5 + below(&d, 2);
        bool agree = below(&d, 2);
        s.ids[i] = agree ? right : truth;
        s.scores[K * i + (size_t)(agree ? right : said)] = 1;
    }
    sample_size(&s, N);
    bert_metrics m = measured(&s, 0.5);
    double sum[3] = { 0 };
    size_t seen = 0;
    for (size_t k = 0; k < K; k++) {
        bool said[N], truly[N];
        for (size_t i = 0; i < N; i++) {
            said[i] = best_label(s.scores + K * i, K) == k;
            truly[i] = s.ids[i] == (int32_t)k;
        }
        add_label(said, truly, N, sum, &seen);
    }
    assert_int_equal(seen, 7);
    assert_macros(&m, sum, K, seen);
    assert_near("f1", m.f1, m.f1_macro);
    assert_near("f1_macro_seen", m.f1_macro_seen, 0.42857142857142855);
    assert_near("precision_macro_seen", m.precision_macro_seen, 0.42857142857142855);
}

static void macro_means_of_sets_and_thresholds_are_over_what_is_seen(void **state)
{
    (void)state;
    enum { N = 40, K = 5 };
    sample s;
    draws d = { 10 };
    sample_begin(&s, BERT_TASK_MULTILABEL, WORDS, K);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < K; k++) {
            /* the last label only below a threshold of 1/4 */
            s.scores[K * i + k] = k == 4 ? 0.25f : (float)(1 + below(&d, 60)) / 64;
            s.values[K * i + k] = k < 3 && below(&d, 2);
        }
    sample_size(&s, N);
    static const double THRESHOLDS[] = { 0.125, 0.5, 0.9375, 1 };
    static const size_t SEEN[] = { 5, 4, 4, 3 };
    for (size_t t = 0; t < 4; t++) {
        bert_metrics m = measured(&s, THRESHOLDS[t]);
        double sum[3] = { 0 };
        size_t seen = 0;
        for (size_t k = 0; k < K; k++) {
            bool said[N], truly[N];
            for (size_t i = 0; i < N; i++) {
                said[i] = s.scores[K * i + k] >= THRESHOLDS[t];
                truly[i] = s.values[K * i + k] > 0;
            }
            add_label(said, truly, N, sum, &seen);
        }
        assert_macros(&m, sum, K, seen);
        assert_true(seen <= SEEN[t]);
    }
    /* the sweep over thresholds keeps the same sums */
    double best = threshold_for(&s, "f1_macro_seen"), most = measured(&s, best).f1_macro_seen;
    for (int t = 1; t < 64; t++)
        assert_true(measured(&s, t / 64.0).f1_macro_seen <= most + 1e-9);
}

/* PER is found, LOC is missed, ORG is neither. */
static void macro_means_of_entities_are_over_types(void **state)
{
    (void)state;
    static const char *THREE[] = { "O", "B-PER", "I-PER", "B-LOC", "B-ORG", "I-ORG" };
    static const int32_t TRUE_TAGS[] = { 1, 2, 0, 3 }, SAID[] = { 1, 2, 0, 0 };
    sample s;
    sample_begin(&s, BERT_TASK_TOKENS, THREE, 6);
    s.start[1] = 4;
    s.truth.start = s.start;
    s.truth.n = 1;
    s.o.n = 4;
    for (size_t i = 0; i < 4; i++) {
        s.ids[i] = TRUE_TAGS[i];
        s.scores[6 * i + (size_t)SAID[i]] = 1;
    }
    bert_metrics m = measured(&s, 0.5);
    assert_macros(&m, (double[3]){ 1, 1, 1 }, 3, 2);
    assert_near("f1", m.f1, 2.0 / 3);
}

static void numbers_have_no_labels_to_count(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_REGRESSION, NULL, 0);
    s.model.label_max = 1;
    s.scores[0] = 0.5f;
    sample_size(&s, 2);
    bert_metrics m = measured(&s, 0.5);
    assert_true(!m.labels && !m.labels_seen && isnan(m.f1_macro_seen));
}

/* ---- always the same answer -------------------------------------------------------------------------------------- */

static bert_baseline baseline_of(sample *s)
{
    bert_err err;
    bert_baseline b;
    assert_int_equal(baseline_create(&b, &s->model, s->o.task, &s->truth, &err), BERT_OK);
    return b;
}

static void the_baseline_is_the_most_frequent_answer(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, 4);
    for (size_t i = 0; i < 10; i++)
        s.ids[i] = i < 6 ? 2 : (int32_t)(i % 4);
    sample_size(&s, 10);
    bert_baseline b = baseline_of(&s);
    assert_string_equal(b.answer, "\"c\"");
    assert_near("accuracy", b.metrics.accuracy, 0.7);
    assert_near("mcc", b.metrics.mcc, 0);
    assert_true(isnan(b.metrics.loss) && !b.note[0]);
    sample_begin(&s, BERT_TASK_MULTILABEL, WORDS, 3);
    for (size_t i = 0; i < 5; i++)
        s.values[3 * i] = s.values[3 * i + 2] = i < 3;
    sample_size(&s, 5);
    b = baseline_of(&s);
    assert_string_equal(b.answer, "\"a\", \"c\"");
    assert_near("accuracy", b.metrics.accuracy, 0.6);
    for (size_t i = 0; i < 15; i++)
        s.values[i] = i < 2;
    assert_string_equal(baseline_of(&s).answer, "no label");
    assert_near("f1_micro", baseline_of(&s).metrics.f1_micro, 0);
    sample_begin(&s, BERT_TASK_TOKENS, TAGS, 5);
    s.start[1] = 4;
    s.truth.start = s.start;
    s.truth.n = 1;
    s.o.n = 4;
    s.ids[3] = 4;
    b = baseline_of(&s);
    assert_string_equal(b.answer, "\"O\"");
    assert_near("f1", b.metrics.f1, 0);
    assert_near("accuracy", b.metrics.accuracy, 0.25);
}

static void the_baseline_of_numbers_is_their_mean(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_SIMILARITY, NULL, 0);
    s.model.label_min = 1;
    s.model.label_max = 5;
    s.values[0] = 0, s.values[1] = 0.5f, s.values[2] = 1;
    sample_size(&s, 3);
    bert_baseline b = baseline_of(&s);
    assert_string_equal(b.answer, "the mean, 3");
    assert_near("mse", b.metrics.mse, 8.0 / 3);
    assert_near("spearman", b.metrics.spearman, NAN);
    bert_metrics m = metrics_unknown();
    baseline_compare(&b, &m, metric_by_name("spearman"));
    assert_string_equal(b.note, "spearman has no value here: the model answers as if it were always the mean, 3");
    m.spearman = -0.25;
    baseline_compare(&b, &m, metric_by_name("spearman"));
    assert_string_equal(b.note, "spearman -0.25 is no better than always answering the mean, 3 (0)");
    m.spearman = 0.25;
    baseline_compare(&b, &m, metric_by_name("spearman"));
    assert_string_equal(b.note, "");
    m.mse = 3;
    baseline_compare(&b, &m, metric_by_name("mse"));
    assert_string_equal(b.note, "mse 3 is no better than always answering the mean, 3 (2.667)");
    m.mse = 2;
    baseline_compare(&b, &m, metric_by_name("mse"));
    assert_string_equal(b.note, "");
}

/* A label may be longer than there is room for. */
static void a_long_answer_is_cut_between_characters(void **state)
{
    (void)state;
    static char longest[400];
    const char *labels[] = { longest, "b" };
    sample s;
    for (size_t i = 0; i + 2 < sizeof longest; i += 2)
        memcpy(longest + i, "\u00e4", 2);
    sample_begin(&s, BERT_TASK_MULTICLASS, labels, 2);
    sample_size(&s, 3);
    bert_baseline b = baseline_of(&s);
    assert_int_equal(strlen(b.answer) % 2, 1); /* a quote, then characters of two bytes */
    assert_true(strlen(b.answer) > 100);
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

typedef struct found_list {
    char text[256];
} found_list;

static void note(void *context, size_t first, size_t last, const char *type)
{
    found_list *list = context;
    size_t used = strlen(list->text);
    snprintf(list->text + used, sizeof list->text - used, "%s%zu-%zu ", type, first, last);
}

static void entities_begin_and_end_as_conlleval_says(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "O", "B-A", "I-A", "B-B-C", "I-B-C" };
    static const struct {
        int32_t tags[9];
        size_t n;
        const char *expected;
    } CASES[] = {
        { { 0 }, 0, "" },
        { { 0, 0 }, 2, "" },
        { { 1, 2, 2, 0 }, 4, "A0-2 " },
        { { 2, 2 }, 2, "A0-1 " },                /* "I-" behind nothing begins one */
        { { 1, 1, 2 }, 3, "A0-0 A1-2 " },        /* "B-" always begins one */
        { { 1, 4, 2 }, 3, "A0-0 B-C1-1 A2-2 " }, /* another type begins one */
        { { 0, 2, 0, 2, 1 }, 5, "A1-1 A3-3 A4-4 " },
        { { 2, 2, 1, 4, 0, 4, 3, 4, 2 }, 9, "A0-1 A2-2 B-C3-3 B-C5-5 B-C6-7 A8-8 " }, /* as seqeval lists them */
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        found_list list = { "" };
        entities_find(NAMES, CASES[i].tags, CASES[i].n, note, &list);
        assert_string_equal(list.text, CASES[i].expected);
    }
}

static void nothing_found_and_nothing_there_counts_as_0(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_TOKENS, TAGS, 5);
    s.start[1] = 3;
    s.truth.start = s.start;
    s.truth.n = 1;
    s.o.n = 3;
    for (int i = 0; i < 3; i++) {
        s.ids[i] = 4;
        s.scores[5 * i + 4] = 1;
    }
    bert_metrics m = measured(&s, 0.5);
    assert_near("f1", m.f1, 0);
    assert_near("f1_macro", m.f1_macro, 0);
    assert_near("accuracy", m.accuracy, 1);
    s.scores[4] = 0, s.scores[1] = 1; /* one entity is said that is not there */
    m = measured(&s, 0.5);
    assert_near("precision", m.precision, 0);
    assert_near("accuracy", m.accuracy, 2.0 / 3);
}

static void the_loss_is_the_mean_over_what_was_seen(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    for (int i = 0; i < 4; i++) {
        add_binary(&s, 0.75f, i % 2);
        s.losses[i] = (float)i;
    }
    assert_near("loss", measured(&s, 0.5).loss, 1.5);
    s.o.unseen = 2;
    assert_near("loss", measured(&s, 0.5).loss, 3);
    s.o.unseen = 4;
    assert_near("loss", measured(&s, 0.5).loss, 0);
}

static void a_label_without_rows_has_ratios_of_0_and_no_area(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, 3);
    for (size_t i = 0; i < 4; i++)
        s.scores[3 * i] = 1; /* all are said to be a, and are */
    sample_size(&s, 4);
    bert_metrics m = measured(&s, 0.5);
    assert_metrics(&m, &(bert_metrics){ .accuracy = 1,
                                        .precision = 1.0 / 3,
                                        .recall = 1.0 / 3,
                                        .f1 = 1.0 / 3,
                                        .precision_micro = 1,
                                        .recall_micro = 1,
                                        .f1_micro = 1,
                                        .precision_macro = 1.0 / 3,
                                        .recall_macro = 1.0 / 3,
                                        .f1_macro = 1.0 / 3,
                                        .mcc = TINY });
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    for (int i = 0; i < 3; i++)
        add_binary(&s, 0.875f, 0); /* said, never there */
    m = measured(&s, 0.5);
    assert_near("precision", m.precision, 0);
    assert_near("recall", m.recall, 0);
    assert_near("f1", m.f1, 0);
    assert_near("mcc", m.mcc, 0);
    assert_near("auc", m.auc, NAN);
}

static void a_constant_correlates_with_nothing(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_SIMILARITY, NULL, 0);
    s.model.label_max = 1;
    for (size_t i = 0; i < 3; i++) {
        s.scores[i] = 0.1f;
        s.values[i] = (float)i / 2;
    }
    sample_size(&s, 3);
    bert_metrics m = measured(&s, 0.5);
    assert_near("pearson", m.pearson, NAN);
    assert_near("spearman", m.spearman, NAN);
    assert_true(fabs(m.mse - (0.01 + 0.16 + 0.81) / 3) < 1e-7);
}

static void equal_scores_share_their_ranks(void **state)
{
    (void)state;
    double values[] = { 3, 1, 3, 0, 3 }, ranks[5];
    static const double EXPECTED[] = { 4, 2, 4, 1, 4 };
    scored items[] = { { 3, true }, { 1, false }, { 3, false }, { 0, false }, { 3, true } };
    ranking r = ranking_of(items, 5);
    ranked sorted[5];
    midranks(ranks, values, 5, sorted);
    assert_memory_equal(ranks, EXPECTED, sizeof ranks);
    midranks(values, values, 5, sorted); /* in place */
    assert_memory_equal(values, EXPECTED, sizeof values);
    /* of the six pairs, four are in order and two are equal */
    assert_near("auc", ranking_auc(&r), 5.0 / 6);
}

static void a_prediction_is_a_yes_from_the_threshold_on(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    add_binary(&s, 0.5f, 1);
    assert_int_equal(outcome_label(&s.o, 0, 0.5), 1);
    assert_int_equal(outcome_label(&s.o, 0, 0.500000001), 0);
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, 3);
    s.scores[1] = s.scores[2] = 0.5f;
    assert_int_equal(outcome_label(&s.o, 0, 0.9), 1); /* the first of equals, whatever the threshold */
    assert_int_equal(best_label((float[]){ -1, -3, -0.5f }, 3), 2);
    assert_int_equal(best_label((float[]){ 7 }, 1), 0);
}

/* ---- thresholds -------------------------------------------------------------------------------------------------- */

static void binary_thresholds_are_the_best_of_all(void **state)
{
    (void)state;
    sample s;
    draw_binary(&s);
    double t = threshold_for(&s, "accuracy");
    assert_near("threshold", t, 0.578125); /* between the scores 36/64 and 38/64, by trying all */
    assert_near("accuracy", measured(&s, t).accuracy, 0.85);
    assert_near("for f1", threshold_for(&s, "f1"), 0.578125);
    assert_near("f1", measured(&s, t).f1, 0.847457627118644);
    assert_near("mcc", measured(&s, threshold_for(&s, "mcc")).mcc, 0.7118102848890859);
    assert_near("for what depends on none", threshold_for(&s, "auc"), t);
    assert_near("for the loss", threshold_for(&s, "loss"), t);
    assert_near("for none", threshold_for(&s, NULL), t);
}

static void multilabel_thresholds_are_the_best_of_all(void **state)
{
    (void)state;
    sample s;
    draw_multilabel(&s);
    assert_near("f1_micro", measured(&s, threshold_for(&s, "f1_micro")).f1_micro, 0.8543689320388349);
    assert_near("for f1_micro", threshold_for(&s, "f1_micro"), 0.6171875);
    assert_near("f1_macro", measured(&s, threshold_for(&s, "f1_macro")).f1_macro, 0.848438664228138);
    assert_near("accuracy", measured(&s, threshold_for(&s, "accuracy")).accuracy, 0.76);
    assert_near("for accuracy", threshold_for(&s, "accuracy"), 0.6484375);
    assert_near("for the area", threshold_for(&s, "auc"), 0.6171875);
    assert_near("for what it has not", threshold_for(&s, "mcc"), 0.6171875);
}

/* Every other threshold, tried one by one, is no better. */
static void no_threshold_beats_the_one_chosen(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "accuracy", "precision", "recall",          "f1",
                                         "f1_micro", "f1_macro",  "precision_macro", "recall_macro" };
    sample s;
    for (int labels = 0; labels < 2; labels++)
        for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++) {
            if (labels)
                draw_multilabel(&s);
            else
                draw_binary(&s);
            bert_metrics best = measured(&s, threshold_for(&s, NAMES[k]));
            for (int t = 1; t <= 64; t++) {
                bert_metrics m = measured(&s, (double)t / 64);
                if (bert_metric_value(&m, metric_by_name(NAMES[k])) >
                    bert_metric_value(&best, metric_by_name(NAMES[k])) + 1e-9)
                    fail_msg("%s is larger at %d/64 than at the threshold that was chosen for it", NAMES[k], t);
            }
        }
}

static void of_equal_thresholds_the_nearest_to_a_half_is_taken(void **state)
{
    (void)state;
    sample s;
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    add_binary(&s, 0.25f, 0);
    add_binary(&s, 0.75f, 1);
    assert_near("between", threshold_for(&s, NULL), 0.5);
    add_binary(&s, 0.5f, 0);
    assert_near("above", threshold_for(&s, NULL), 0.625);
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    add_binary(&s, 0.9375f, 1);
    add_binary(&s, 0.875f, 0);
    add_binary(&s, 0.75f, 1); /* two of three are right at 0.9, and again below 0.75 */
    assert_near("the later of two", threshold_for(&s, NULL), 0.5);
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    assert_near("without rows", threshold_for(&s, NULL), 0.5);
    add_binary(&s, 0.875f, 0);
    assert_near("all no", threshold_for(&s, NULL), 0.9375);
    add_binary(&s, 1, 0); /* nothing is above 1: only one of the two can be right */
    assert_near("but one", threshold_for(&s, NULL), 0.9375);
    sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
    add_binary(&s, 0.125f, 1);
    assert_near("all yes", threshold_for(&s, NULL), 0.0625);
    sample_begin(&s, BERT_TASK_MULTICLASS, WORDS, 3);
    assert_near("of a task that has none", threshold_for(&s, NULL), 0.5);
}

/* Neighbours among the floats are told apart, by a threshold that model.json keeps whole. */
static void a_threshold_fits_between_neighbours(void **state)
{
    (void)state;
    static const float LOW[] = { 0.1f, 0.3f, 0.49999f, 0.9f, 0.99999f, 1e-5f };
    sample s;
    for (size_t i = 0; i < sizeof LOW / sizeof *LOW; i++) {
        sample_begin(&s, BERT_TASK_BINARY, WORDS, 2);
        add_binary(&s, LOW[i], 0);
        add_binary(&s, nextafterf(LOW[i], 1), 1);
        double t = threshold_for(&s, NULL);
        assert_near("accuracy", measured(&s, t).accuracy, 1);
        assert_true(t == model_number(t));
    }
}

/* One word a row, each an entity of a type of its own; looking for a type among all labels would take minutes. */
static void eighty_thousand_tags_take_a_moment(void **state)
{
    (void)state;
    enum { TYPES = 40000, K = 2 * TYPES, ROWS = 16 };
    bert_err err;
    arena a = { 0 };
    bert_metrics metrics;
    const char **labels = arena_array(&a, K, sizeof *labels);
    for (size_t k = 0; k < K; k++)
        labels[k] = arena_printf(&a, "%s-T%zu", k < TYPES ? "B" : "I", k % TYPES);
    bert_model model = { .labels = labels, .n_labels = K, .outputs = K };
    targets truth = { .n = ROWS,
                      .ids = arena_array(&a, ROWS, sizeof(int32_t)),
                      .start = arena_array(&a, ROWS + 1, sizeof(size_t)) };
    outcomes o = { .model = &model, .task = task_by_id(BERT_TASK_TOKENS), .truth = &truth, .n = ROWS, .columns = K };
    o.scores = arena_array(&a, (size_t)ROWS * K, sizeof *o.scores);
    o.losses = arena_array(&a, ROWS, sizeof *o.losses);
    /* the first half is found, as I- where B- is true; the others are of another type */
    for (size_t i = 0; i < ROWS; i++) {
        truth.start[i + 1] = i + 1;
        truth.ids[i] = (int32_t)(TYPES - 1 - i);
        o.scores[i * K + (i < ROWS / 2 ? K - 1 - i : i)] = 1;
    }
    clock_t began = clock();
    assert_int_equal(outcomes_metrics(&o, 0.5, &metrics, &err), BERT_OK);
    assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
    assert_int_equal(metrics.labels, TYPES);
    assert_true(metrics.f1 == 0.5 && metrics.accuracy == 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_every_metric_once),
        cmocka_unit_test(binary_metrics_are_scikit_learns),
        cmocka_unit_test(multiclass_metrics_are_scikit_learns),
        cmocka_unit_test(multilabel_metrics_are_scikit_learns),
        cmocka_unit_test(correlations_are_scipys),
        cmocka_unit_test(entity_metrics_are_seqevals),
        cmocka_unit_test(entities_begin_and_end_as_conlleval_says),
        cmocka_unit_test(nothing_found_and_nothing_there_counts_as_0),
        cmocka_unit_test(macro_means_leave_out_labels_that_are_neither_there_nor_said),
        cmocka_unit_test(macro_means_of_sets_and_thresholds_are_over_what_is_seen),
        cmocka_unit_test(macro_means_of_entities_are_over_types),
        cmocka_unit_test(numbers_have_no_labels_to_count),
        cmocka_unit_test(the_baseline_is_the_most_frequent_answer),
        cmocka_unit_test(the_baseline_of_numbers_is_their_mean),
        cmocka_unit_test(a_long_answer_is_cut_between_characters),
        cmocka_unit_test(the_loss_is_the_mean_over_what_was_seen),
        cmocka_unit_test(a_label_without_rows_has_ratios_of_0_and_no_area),
        cmocka_unit_test(a_constant_correlates_with_nothing),
        cmocka_unit_test(equal_scores_share_their_ranks),
        cmocka_unit_test(a_prediction_is_a_yes_from_the_threshold_on),
        cmocka_unit_test(binary_thresholds_are_the_best_of_all),
        cmocka_unit_test(multilabel_thresholds_are_the_best_of_all),
        cmocka_unit_test(no_threshold_beats_the_one_chosen),
        cmocka_unit_test(of_equal_thresholds_the_nearest_to_a_half_is_taken),
        cmocka_unit_test(a_threshold_fits_between_neighbours),
        cmocka_unit_test(eighty_thousand_tags_take_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
