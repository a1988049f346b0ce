/* Metrics against numbers counted by hand (and as scikit-learn gives them with zero_division=0). */
#include "task/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Scores that are 1 for the label predicted and 0 elsewhere. */
static bert_metrics count(size_t n_labels, const int32_t *truly, const int32_t *predicted, size_t n, double loss, bool binary)
{
    bert_err err;
    metrics_count m;
    float scores[16] = { 0 };
    assert_int_equal(metrics_begin(&m, n_labels, &err), BERT_OK);
    for (size_t i = 0; i < n; i++) { /* row by row: what is added in parts is added */
        for (size_t k = 0; k < n_labels; k++)
            scores[k] = k == (size_t)predicted[i];
        metrics_add(&m, scores, truly + i, 1, loss / (double)n);
    }
    bert_metrics r = metrics_result(&m, binary);
    metrics_free(&m);
    assert_null(m.counts);
    return r;
}

static void assert_near(double got, double expected)
{
    if (!(fabs(got - expected) < 1e-12))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static void binary_metrics_are_of_label_1(void **state)
{
    (void)state;
    /* 3 true positives, 1 false positive, 2 false negatives, 4 true negatives */
    static const int32_t truly[] = { 1, 1, 1, 0, 1, 1, 0, 0, 0, 0 }, predicted[] = { 1, 1, 1, 1, 0, 0, 0, 0, 0, 0 };
    bert_metrics r = count(2, truly, predicted, 10, 4.5, true);
    assert_int_equal(r.n, 10);
    assert_near(r.accuracy, 0.7);
    assert_near(r.precision, 3.0 / 4);
    assert_near(r.recall, 3.0 / 5);
    assert_near(r.f1, 2.0 / 3);
    assert_near(r.loss, 0.45);
}

static void multiclass_metrics_are_means_over_the_labels(void **state)
{
    (void)state;
    static const int32_t truly[] = { 0, 0, 0, 1, 1, 2, 2, 2, 2 }, predicted[] = { 0, 0, 1, 1, 2, 2, 2, 0, 1 };
    /* label 0: 2 of 3 predicted, 2 of 3 true; label 1: 1 of 3, 1 of 2; label 2: 2 of 3, 2 of 4 */
    bert_metrics r = count(3, truly, predicted, 9, 0, false);
    assert_near(r.accuracy, 5.0 / 9);
    assert_near(r.precision, (2.0 / 3 + 1.0 / 3 + 2.0 / 3) / 3);
    assert_near(r.recall, (2.0 / 3 + 1.0 / 2 + 2.0 / 4) / 3);
    assert_near(r.f1, (2.0 / 3 + 2.0 / 5 + 4.0 / 7) / 3);
}

static void a_ratio_of_nothing_counts_as_0(void **state)
{
    (void)state;
    static const int32_t none[] = { 0, 0, 0 }, all[] = { 1, 1, 1 };
    bert_metrics r = count(2, none, none, 3, 0, true); /* label 1 neither there nor predicted */
    assert_near(r.accuracy, 1);
    assert_near(r.precision, 0);
    assert_near(r.recall, 0);
    assert_near(r.f1, 0);
    r = count(2, none, all, 3, 0, true); /* predicted, never there: recall has no denominator */
    assert_near(r.precision, 0);
    assert_near(r.recall, 0);
    r = count(3, none, none, 3, 0, false); /* two labels of three are absent */
    assert_near(r.precision, 1.0 / 3);
    assert_near(r.f1, 1.0 / 3);
    r = count(2, NULL, NULL, 0, 0, true);
    assert_near(r.loss, 0);
    assert_near(r.accuracy, 0);
    assert_int_equal(r.n, 0);
}

static void the_first_of_equal_scores_is_the_best(void **state)
{
    (void)state;
    assert_int_equal(best_label((float[]){ 0.5f, 0.5f }, 2), 0);
    assert_int_equal(best_label((float[]){ 0.2f, 0.4f, 0.4f }, 3), 1);
    assert_int_equal(best_label((float[]){ -1, -3, -0.5f }, 3), 2);
    assert_int_equal(best_label((float[]){ 7 }, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_metrics_are_of_label_1),
        cmocka_unit_test(multiclass_metrics_are_means_over_the_labels),
        cmocka_unit_test(a_ratio_of_nothing_counts_as_0),
        cmocka_unit_test(the_first_of_equal_scores_is_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
