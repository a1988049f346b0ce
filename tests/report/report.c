/* The page: which sections a task has, that it is sound HTML whatever the texts hold, and its size. With REPORT_PAGES
 * set to a folder, a page of each task is left there for a browser: tests/cli/report_screenshot.sh. */
#include "report/report.h"

#include "base/options.h"
#include "base/scratch.h"
#include "html.h"
#include "sample.h"

#include <signal.h>
#include <sys/resource.h>

/* Writes the page, checks that it is sound, and returns its text, which is sample_memory's. */
static const char *page_of(const sample *s)
{
    file_mapping m;
    const char *path = scratch("report.html");
    assert_works(report_write(&s->report, path, err));
    assert_works(file_map(&m, path, err));
    const char *fault = html_fault((const char *)m.data, m.size);
    if (fault)
        print_error("%s\n", fault);
    assert_null(fault);
    char *text = arena_copy(&sample_memory, (const char *)m.data, m.size);
    assert_non_null(text);
    assert_int_equal(strlen(text), m.size);
    file_unmap(&m);
    return text;
}

static void measure(sample *s)
{
    assert_works(outcomes_metrics(&s->outcomes, s->report.threshold, &s->metrics, err));
}

static void assert_holds(const char *text, const char *what)
{
    if (!strstr(text, what))
        print_error("the page does not hold: %s\n", what);
    assert_non_null(strstr(text, what));
}

/* Headings in this order, and no others. */
static void assert_headings(const char *text, const char *const *headings)
{
    size_t n = 0;
    for (const char *p = text; headings[n]; n++) {
        buffer b = { 0 };
        buffer_printf(&b, "<h2>%s</h2>", headings[n]);
        p = strstr(p, b.data);
        if (!p)
            print_error("no heading, or not in its order: %s\n", b.data);
        assert_non_null(p);
        buffer_free(&b);
    }
    assert_int_equal(occurrences(text, "<h2>"), n);
}

static void the_reader_of_html_finds_faults(void **state)
{
    (void)state;
    static const char *const sound = "<!DOCTYPE html>\n<p class=\"a\">x &amp; <b>y</b><path d=\"M0 0\"/></p>";
    static const char *const faults[] = { "<p>",          "</p>",         "<p></b>",         "<p>a & b</p>",
                                          "<p>a < b</p>", "<p>a > b</p>", "<p class=a></p>", "<p a=\"b</p>",
                                          "<p>\x01</p>",  "<p>\xFF</p>",  "<b><p></b></p>",  "<p a=\"1\"b=\"2\"></p>",
                                          "<p>&;</p>" };
    assert_null(html_fault(sound, strlen(sound)));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[128];
        snprintf(text, sizeof text, "<!DOCTYPE html>\n%s", faults[i]);
        assert_non_null(html_fault(text, strlen(text)));
    }
}

/* ---- sections of tasks ---- */

static void a_binary_task_has_curves_confusion_thresholds_and_calibration(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 4000);
    measure(&s);
    sample_run(&s, 5, 3000);
    const char *text = page_of(&s);
    assert_headings(text,
                    (const char *const[]){ "Training", "Metrics", "Confusion matrix", "Labels", "Scores and thresholds",
                                           "Calibration", "Worst mistakes", "Lengths", "The run", NULL });
    assert_int_equal(occurrences(text, "<svg "), 11); /* 5 of training, 3 of scores, 2 of calibration, lengths */
    assert_int_equal(occurrences(text, "</title>"), 12);
    assert_holds(text, "threshold 0.42");
    assert_holds(text, "ROC curve, area 0.9");
    assert_holds(text, "Expected calibration error");
    assert_holds(text, "all-MiniLM-L6-v2");
    assert_holds(text, "frozen layers");
    assert_holds(text, "most memory so far");
    assert_holds(text, "best epoch of 5");
    assert_holds(text, "cut at 64");
    assert_true(strlen(text) < 300000);
    sample_free(&s);
}

static void a_task_of_few_classes_has_a_table_of_confusion(void **state)
{
    (void)state;
    sample s;
    sample_multiclass(&s, 600, 5);
    measure(&s);
    const char *text = page_of(&s);
    assert_headings(text, (const char *const[]){ "Metrics", "Confusion matrix", "Labels", "Calibration",
                                                 "Worst mistakes", "Lengths", "The machine", NULL });
    assert_int_equal(occurrences(text, "<td style=\"background") + occurrences(text, "<td class=\"hot\""), 25);
    assert_int_equal(occurrences(text, "<svg "), 3);
    sample_free(&s);
}

static void a_task_of_many_classes_has_a_map_and_the_pairs_that_are_confused_most(void **state)
{
    (void)state;
    sample s;
    sample_multiclass(&s, 3000, 77);
    measure(&s);
    const char *text = page_of(&s);
    assert_holds(text, "All 77 labels");
    assert_holds(text, "Confused most");
    assert_holds(text, "The weakest first; 77 of 77.");
    assert_int_equal(occurrences(text, "rgba("), 0);
    assert_int_equal(occurrences(text, "<svg "), 4);
    sample_free(&s);
}

static void a_multilabel_task_has_labels_and_thresholds_but_no_confusion(void **state)
{
    (void)state;
    sample s;
    sample_multilabel(&s, 300, 6);
    measure(&s);
    const char *text = page_of(&s);
    assert_headings(text, (const char *const[]){ "Metrics", "Labels", "Scores and thresholds", "Calibration",
                                                 "Worst mistakes", "Lengths", "The machine", NULL });
    assert_holds(text, "emotion 5");
    sample_free(&s);
}

static void a_regression_has_predictions_against_labels_and_residuals(void **state)
{
    (void)state;
    sample s;
    sample_regression(&s, 500);
    measure(&s);
    const char *text = page_of(&s);
    assert_headings(text, (const char *const[]){ "Metrics", "Predictions and labels", "Worst mistakes", "Lengths",
                                                 "The machine", NULL });
    assert_holds(text, "Predicted against true: Pearson 0.9");
    assert_holds(text, "<figcaption>Residuals</figcaption>");
    assert_holds(text, "The 20 rows whose prediction is furthest from the label.");
    sample_free(&s);
}

static void a_task_of_tokens_has_entities_and_names_the_wrong_words(void **state)
{
    (void)state;
    sample s;
    sample_tokens(&s, 200);
    measure(&s);
    const char *text = page_of(&s);
    assert_headings(text, (const char *const[]){ "Metrics", "Confusion matrix", "Calibration", "Entities",
                                                 "Worst mistakes", "Lengths", "The machine", NULL });
    assert_holds(text, "<th scope=\"row\">PER</th>");
    assert_holds(text, "<th scope=\"row\">all</th>");
    assert_holds(text, "</b> is ");
    assert_holds(text, "words judged");
    sample_free(&s);
}

/* ---- numbers that can be told beforehand ---- */

/* Four rows: positives at 0.9 and 0.4, negatives at 0.6 and 0.2. Of the four pairs of one and the other three are in
 * order: area 0.75. Mean precision (1/1 + 2/3) / 2. At 0.5: one right of two predicted. Errors of calibration: 0.1,
 * 0.6, 0.6, 0.2 in bins of their own, 0.375 in the mean. */
static void area_mean_precision_and_calibration_are_right(void **state)
{
    (void)state;
    static const float scores[] = { 0.9f, 0.4f, 0.6f, 0.2f };
    sample s;
    sample_binary(&s, 4);
    s.report.threshold = 0.5;
    for (size_t i = 0; i < 4; i++) {
        s.truth.ids[i] = i < 2;
        s.outcomes.scores[2 * i] = 1 - scores[i];
        s.outcomes.scores[2 * i + 1] = scores[i];
        s.outcomes.losses[i] = i == 1 || i == 2 ? 0.9162907f : 0.1053605f;
    }
    measure(&s);
    const char *text = page_of(&s);
    assert_holds(text, "ROC curve, area 0.7500");
    assert_holds(text, "mean precision 0.8333");
    assert_holds(text, "Expected calibration error: 0.3750");
    assert_holds(text, "2 of 4 rows are wrong; the 2 with the highest loss are shown");
    assert_holds(text, "class=\"n\">0.5000</th><td>0.5000</td><td>0.5000</td><td>0.5000</td><td>0.5000</td></tr>");
    sample_free(&s);
}

/* ---- what data may hold ---- */

static void hostile_texts_are_escaped(void **state)
{
    (void)state;
    static const char nul[] = "a\0b\x1b\xC3(\xED\xA0\x80 \xE2\x80\xAE end";
    sample s;
    sample_binary(&s, 3);
    s.data.texts[0] = sample_text("<script>alert(\"1\")</script> & 'quotes' </td></table>");
    s.data.texts[1] = (bert_text){ nul, sizeof nul - 1 };
    s.data.pairs[0] = sample_text("--> ]]> <!-- &lt; &#60;");
    s.data.texts[2] = sample_text("");
    s.data.name = "<b>&\"'.tsv";
    s.module.path = "m/<i>";
    s.model.labels[0] = "<u>no</u>";
    s.model.labels[1] = "\"&'|\xFF";
    for (size_t i = 0; i < 3; i++) { /* all are wrong: all are shown */
        s.truth.ids[i] = 0;
        s.outcomes.scores[2 * i + 1] = 0.9f;
        s.outcomes.losses[i] = 2;
    }
    measure(&s);
    static const struct pair_of_words {
        const char *first, *second;
    } words = { "</details><script>", "a=\"1\"" };
    static const bert_option rows[] = {
        { .name = "<key>", .type = BERT_OPTION_STRING },
        { .name = "&", .type = BERT_OPTION_STRING, .offset = offsetof(struct pair_of_words, second) }
    };
    s.report.options = &(option_set){ &words, OPTION_TABLE(rows), true };
    s.report.n_options = 1;
    s.report.parts = &(part_time){ "</table>", 1.5 };
    s.report.n_parts = 1;
    s.report.title = "</title><script>";
    const char *text = page_of(&s);
    assert_holds(text,
                 "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;quotes&#39; &lt;/td&gt;&lt;/table&gt;");
    assert_holds(text, "--&gt; ]]&gt; &lt;!-- &amp;lt; &amp;#60;");
    assert_holds(text, "a\xEF\xBF\xBD"
                       "b\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD end");
    assert_int_equal(occurrences(text, "<script"), 0);
    sample_free(&s);
}

static void long_texts_are_cut_between_code_points(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 1);
    buffer b = { 0 };
    for (int i = 0; i < 400; i++)
        buffer_string(&b, i < 300 ? "ü" : "X");
    s.data.texts[0] = (bert_text){ b.data, b.size };
    s.truth.ids[0] = 0;
    s.outcomes.scores[1] = 0.9f;
    measure(&s);
    const char *text = page_of(&s);
    assert_holds(text, "üü…</div>");
    assert_null(strstr(text, "X…"));
    buffer_free(&b);
    sample_free(&s);
}

static void thousands_of_labels_fit_on_a_page(void **state)
{
    (void)state;
    sample s;
    sample_multiclass(&s, 300, 3000);
    measure(&s);
    const char *text = page_of(&s);
    assert_holds(text, "The weakest first; 300 of 3000.");
    assert_true(strlen(text) < 300000);
    sample_free(&s);
}

static void metrics_and_losses_that_are_not_finite_leave_gaps(void **state)
{
    (void)state;
    sample s;
    sample_regression(&s, 20);
    measure(&s);
    s.metrics.pearson = s.metrics.spearman = NAN;
    s.metrics.loss = INFINITY;
    s.outcomes.scores[3] = NAN;
    s.outcomes.scores[4] = INFINITY;
    s.outcomes.scores[5] = 3e38f;
    static const double LOSSES[] = { 1e308, NAN, INFINITY };
    for (int i = 0; i < 3; i++) {
        epoch_record e = { i + 1, i + 1, LOSSES[i], NAN, NAN, NAN, metrics_unknown() };
        e.valid.mse = i == 2 ? -1e308 : NAN;
        assert_true(run_record_room(&s.run));
        s.run.epochs[s.run.n_epochs++] = e;
    }
    static const step_record STEPS[] = { { 1, 0.5, 0 }, { 2, NAN, NAN }, { 3, NAN, 0 }, { 4, 1e-300, 0 } };
    for (size_t i = 0; i < 4; i++) {
        assert_true(run_record_room(&s.run));
        s.run.steps[s.run.n_steps++] = STEPS[i];
    }
    s.report.run = &s.run;
    const char *text = page_of(&s);
    assert_holds(text, "<td>∞</td>");
    assert_int_equal(occurrences(text, "nan") + occurrences(text, "inf "), 0);
    sample_free(&s);
}

/* One row of one label: no curve can be drawn that would need the other. */
static void one_row_makes_a_page(void **state)
{
    (void)state;
    sample s;
    for (int kind = 0; kind < 5; kind++) {
        static void (*const make[])(sample *, size_t) = { sample_binary, sample_regression, sample_tokens };
        if (kind < 3)
            make[kind](&s, 1);
        else if (kind == 3)
            sample_multiclass(&s, 1, 3);
        else
            sample_multilabel(&s, 1, 3);
        measure(&s);
        sample_run(&s, 1, 1);
        page_of(&s);
        sample_free(&s);
    }
}

static void what_is_absent_is_left_out(void **state)
{
    (void)state;
    sample s;
    memset(&s, 0, sizeof s);
    assert_headings(page_of(&s), (const char *const[]){ "The machine", NULL });
    s.report.run = &s.run;
    assert_headings(page_of(&s), (const char *const[]){ "The run", NULL });
    sample_free(&s);
}

static void an_evaluation_of_no_rows_makes_a_page(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 0);
    page_of(&s);
    sample_free(&s);
}

/* ---- the file ---- */

static void a_full_disk_leaves_the_old_page(void **state)
{
    (void)state;
    struct rlimit before, small = { 4096, 0 };
    sample s;
    sample_binary(&s, 100);
    const char *path = scratch_text("report.html", "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bert_err full;
    bert_status written = report_write(&s.report, path, &full);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_error(written, &full, BERT_ERR_IO, "report.html: cannot write: File too large");
    file_mapping m;
    assert_works(file_map(&m, path, err));
    assert_int_equal(m.size, 3);
    file_unmap(&m);
    assert_int_equal(scratch_entries(), 1);
    sample_free(&s);
}

static void a_page_in_no_folder_is_an_error(void **state)
{
    (void)state;
    report r = { 0 };
    assert_fails(report_write(&r, scratch("none/report.html"), err), BERT_ERR_IO,
                 "none/report.html: cannot write: No such file or directory");
}

static void the_machine_is_described(void **state)
{
    (void)state;
    char words[512], few[8];
    machine_describe(words, sizeof words);
    assert_non_null(strstr(words, " core"));
    assert_non_null(strstr(words, "GiB of memory"));
    machine_describe(few, sizeof few);
    assert_int_equal(strlen(few), 7);
}

static void pages_are_left_for_a_browser(void **state)
{
    (void)state;
    const char *folder = getenv("REPORT_PAGES");
    if (!folder)
        skip();
    static const struct {
        const char *name;
        void (*make)(sample *, size_t);
        void (*make_classes)(sample *, size_t, size_t);
        size_t n, classes;
    } pages[] = {
        { "binary", sample_binary, NULL, 4000, 0 },         { "classes", NULL, sample_multiclass, 1000, 5 },
        { "many", NULL, sample_multiclass, 3000, 77 },      { "multilabel", NULL, sample_multilabel, 800, 6 },
        { "regression", sample_regression, NULL, 1500, 0 }, { "tokens", sample_tokens, NULL, 700, 0 },
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        sample s;
        if (pages[i].make)
            pages[i].make(&s, pages[i].n);
        else
            pages[i].make_classes(&s, pages[i].n, pages[i].classes);
        measure(&s);
        sample_run(&s, 5, 3000);
        char *path = arena_printf(&sample_memory, "%s/%s.html", folder, pages[i].name);
        assert_works(report_write(&s.report, path, err));
        sample_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_of_html_finds_faults),
        cmocka_unit_test(a_binary_task_has_curves_confusion_thresholds_and_calibration),
        cmocka_unit_test(a_task_of_few_classes_has_a_table_of_confusion),
        cmocka_unit_test(a_task_of_many_classes_has_a_map_and_the_pairs_that_are_confused_most),
        cmocka_unit_test(a_multilabel_task_has_labels_and_thresholds_but_no_confusion),
        cmocka_unit_test(a_regression_has_predictions_against_labels_and_residuals),
        cmocka_unit_test(a_task_of_tokens_has_entities_and_names_the_wrong_words),
        cmocka_unit_test(area_mean_precision_and_calibration_are_right),
        cmocka_unit_test(hostile_texts_are_escaped),
        cmocka_unit_test(long_texts_are_cut_between_code_points),
        cmocka_unit_test(thousands_of_labels_fit_on_a_page),
        cmocka_unit_test(metrics_and_losses_that_are_not_finite_leave_gaps),
        cmocka_unit_test(one_row_makes_a_page),
        cmocka_unit_test(what_is_absent_is_left_out),
        cmocka_unit_test(an_evaluation_of_no_rows_makes_a_page),
        cmocka_unit_test(a_full_disk_leaves_the_old_page),
        cmocka_unit_test(a_page_in_no_folder_is_an_error),
        cmocka_unit_test(the_machine_is_described),
        cmocka_unit_test(pages_are_left_for_a_browser),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
