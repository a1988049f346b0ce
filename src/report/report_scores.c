/* What scores are worth: precision and recall at each threshold, the ROC curve, how the labels' scores are spread, and
 * calibration. */
#include "report/plot.h"
#include "report/report_ranking.h"
#include "report/report_sections.h"
#include "task/counts.h"

#include <math.h>
#include <stdlib.h>

enum { CURVE_POINTS = 600, SCORE_BINS = 20, CALIBRATION_BINS = 10 };

/* A curve that is thinned as it grows: a point that one could not see apart from the last is left out. */
typedef struct curve {
    double *x, *y;
    size_t n;
    double last_x, last_y; /* the newest point, drawn or not */
} curve;

static bool curve_begin(page *p, curve *c)
{
    c->n = 0;
    c->x = page_array(p, CURVE_POINTS, sizeof *c->x);
    c->y = page_array(p, CURVE_POINTS, sizeof *c->y);
    return c->x && c->y;
}

static void curve_put(curve *c, double x, double y)
{
    if (c->n < CURVE_POINTS)
        c->x[c->n] = x, c->y[c->n++] = y;
}

static void curve_add(curve *c, double x, double y)
{
    enum { PIXELS = 250 };
    c->last_x = x, c->last_y = y;
    if (c->n == 0 || fabs(x - c->x[c->n - 1]) + fabs(y - c->y[c->n - 1]) >= 1.0 / PIXELS)
        curve_put(c, x, y);
}

static void curve_end(curve *c)
{
    if (c->n && (c->x[c->n - 1] != c->last_x || c->y[c->n - 1] != c->last_y)) {
        c->n -= c->n == CURVE_POINTS;
        curve_put(c, c->last_x, c->last_y);
    }
}

/* Calls add with the counts of every threshold that differs: how many scores stand above it, and how many of them are
 * true ones. */
static void each_threshold(const ranking *r, void (*add)(curve *c, const ranking *r, size_t above, size_t found),
                           curve *c)
{
    size_t found = 0;
    for (size_t i = 0; i < r->n; i++) {
        found += r->items[i].truth;
        if (i + 1 == r->n || r->items[i + 1].score != r->items[i].score)
            add(c, r, i + 1, found);
    }
    curve_end(c);
}

static void add_precision(curve *c, const ranking *r, size_t above, size_t found)
{
    curve_add(c, (double)found / (double)r->positives, (double)found / (double)above);
}

static void add_rates(curve *c, const ranking *r, size_t above, size_t found)
{
    curve_add(c, (double)(above - found) / (double)(r->n - r->positives), (double)found / (double)r->positives);
}

/* ---- the two curves ---- */

/* A curve within the unit square, with the point of the threshold in use; where `diagonal` is, with the line of
 * chance. */
static void unit_plot(page *p, plot *f, const curve *c, double at_x, double at_y, bool diagonal)
{
    static const double unit[] = { 0, 1 };
    plot_series series[] = {
        { NULL, PLOT_LINE, 0, c->n, c->x, c->y, NULL },
        { "at the threshold", PLOT_LINE, 1, 1, &at_x, &at_y, NULL },
        { "chance", PLOT_DASHES, PLOT_GREY, 2, unit, unit, NULL },
    };
    f->x_min = f->y_min = 0, f->x_max = f->y_max = 1;
    f->series = series, f->n = diagonal ? 3 : 2;
    figure_begin(p, f);
    figure_end(p);
}

static void plot_precision(page *p, const ranking *r, size_t above, size_t found)
{
    curve c;
    char title[96];
    if (r->positives == 0 || !curve_begin(p, &c))
        return;
    each_threshold(r, add_precision, &c);
    snprintf(title, sizeof title, "Precision and recall, mean precision %.4f", ranking_average_precision(r));
    plot f = plot_of(title, "Precision against recall at every threshold", "recall", "precision", NULL, 0);
    unit_plot(p, &f, &c, (double)found / (double)r->positives, above ? (double)found / (double)above : NAN, false);
}

static void plot_roc(page *p, const ranking *r, size_t above, size_t found)
{
    curve c;
    char title[96];
    double negatives = (double)(r->n - r->positives);
    if (r->positives == 0 || negatives <= 0 || !curve_begin(p, &c))
        return;
    curve_add(&c, 0, 0);
    each_threshold(r, add_rates, &c);
    snprintf(title, sizeof title, "ROC curve, area %.4f", ranking_auc(r));
    plot f = plot_of(title,
                     "Share of the true ones found against share of the others taken for them, at every threshold",
                     "false positive rate", "true positive rate", NULL, 0);
    unit_plot(p, &f, &c, (double)(above - found) / negatives, (double)found / (double)r->positives, true);
}

/* ---- how scores are spread ---- */

static size_t bin_of(double score, size_t bins)
{
    size_t k = score > 0 ? (size_t)(score * (double)bins) : 0;
    return k < bins ? k : bins - 1;
}

static void plot_spread(page *p, const ranking *r, const char *yes, const char *no, double threshold)
{
    double edges[SCORE_BINS + 1], of_yes[SCORE_BINS] = { 0 }, of_no[SCORE_BINS] = { 0 };
    char mark[48];
    for (size_t i = 0; i <= SCORE_BINS; i++)
        edges[i] = (double)i / SCORE_BINS;
    for (size_t i = 0; i < r->n; i++)
        (r->items[i].truth ? of_yes : of_no)[bin_of((double)r->items[i].score, SCORE_BINS)]++;
    plot_series series[] = { { yes, PLOT_BARS, 0, SCORE_BINS, edges, of_yes, NULL },
                             { no, PLOT_BARS, 1, SCORE_BINS, edges, of_no, NULL } };
    snprintf(mark, sizeof mark, "threshold %.3g", threshold);
    plot f = plot_of("Scores by label", "How many rows of each label have which score", "score", "rows", series, 2);
    f.x_min = f.y_min = 0, f.x_max = 1;
    f.marked = threshold;
    f.mark_name = mark;
    figure_begin(p, &f);
    fold_numbers(p, "Score from|Positive|Negative", edges, SCORE_BINS, (const double *const[]){ of_yes, of_no }, 2);
    figure_end(p);
}

/* ---- the table ---- */

static void threshold_row(page *p, const ranking *r, double threshold, bool used)
{
    size_t found, above = ranking_above(r, threshold, &found);
    prf scores = prf_of((hits){ .right = (double)found, .predicted = (double)above, .actual = (double)r->positives });
    row_begin_number(p, threshold, used);
    cell_number(p, scores.precision);
    cell_number(p, scores.recall);
    cell_number(p, scores.f1);
    cell_number(p, (double)(r->n - r->positives - above + 2 * found) / (double)r->n);
    row_end(p);
}

static void threshold_table(page *p, const ranking *r, double used)
{
    bool shown = false;
    fold_begin(p, "Other thresholds");
    table_begin(p, NULL, "Threshold|Precision|Recall|F1|Accuracy");
    for (int i = 1; i < 10; i++) {
        double t = i / 10.0;
        if (!shown && used < t - 1e-9) {
            threshold_row(p, r, used, true);
            shown = true;
        }
        bool same = fabs(used - t) <= 1e-9;
        shown |= same;
        threshold_row(p, r, same ? used : t, same);
    }
    if (!shown)
        threshold_row(p, r, used, true);
    table_end(p);
    fold_end(p);
}

void section_thresholds(page *p)
{
    const outcomes *o = p->r->outcomes;
    ranking r;
    if (!ranking_of_decisions(p, &r))
        return;
    bool one_a_row = r.n == o->n;
    double threshold = o->task->output->threshold ? p->r->threshold : 0.5;
    size_t found, above = ranking_above(&r, threshold, &found);
    section_begin(p, "Scores and thresholds", one_a_row ? NULL : "Every label of every row counts as one.");
    figures_begin(p);
    plot_spread(p, &r, one_a_row ? o->model->labels[1] : "has the label",
                one_a_row ? o->model->labels[0] : "has it not", threshold);
    plot_precision(p, &r, above, found);
    plot_roc(p, &r, above, found);
    figures_end(p);
    threshold_table(p, &r, threshold);
    section_end(p);
}

/* ---- calibration ---- */

typedef struct calibration {
    double from[CALIBRATION_BINS + 1]; /* the bins' edges */
    /* said, was: means; NaN in an empty bin */
    double count[CALIBRATION_BINS], said[CALIBRATION_BINS], was[CALIBRATION_BINS];
    double error; /* expected calibration error: the mean of |said - was| over the items */
} calibration;

static void calibrate(calibration *c, const ranking *r)
{
    *c = (calibration){ .error = 0 };
    for (size_t k = 0; k <= CALIBRATION_BINS; k++)
        c->from[k] = (double)k / CALIBRATION_BINS;
    for (size_t i = 0; i < r->n; i++) {
        size_t k = bin_of((double)r->items[i].score, CALIBRATION_BINS);
        c->count[k]++;
        c->said[k] += (double)r->items[i].score;
        c->was[k] += r->items[i].truth;
    }
    for (size_t k = 0; k < CALIBRATION_BINS; k++) {
        c->error += fabs(c->said[k] - c->was[k]) / (double)r->n;
        c->said[k] = c->count[k] > 0 ? c->said[k] / c->count[k] : NAN;
        c->was[k] = c->count[k] > 0 ? c->was[k] / c->count[k] : NAN;
    }
}

static void plot_calibration(page *p, const calibration *c, const char *what)
{
    static const double unit[] = { 0, 1 };
    double x[CALIBRATION_BINS], y[CALIBRATION_BINS];
    size_t n = 0; /* bins that hold something: the line goes on over those that do not */
    for (size_t k = 0; k < CALIBRATION_BINS; k++)
        if (c->count[k] > 0)
            x[n] = c->said[k], y[n++] = c->was[k];
    plot_series series[] = { { "measured", PLOT_LINE, 0, n, x, y, NULL },
                             { "perfect", PLOT_DASHES, PLOT_GREY, 2, unit, unit, NULL } };
    plot f = plot_of("Reliability", "The share that is true against the mean score, in ten bins", what,
                     "share that is true", series, 2);
    f.x_min = f.y_min = 0, f.x_max = f.y_max = 1;
    figure_begin(p, &f);
    fold_numbers(p, "Score from|Count|Mean score|Share that is true", c->from, CALIBRATION_BINS,
                 (const double *const[]){ c->count, c->said, c->was }, 3);
    figure_end(p);
}

static void plot_calibration_counts(page *p, const calibration *c, const char *what)
{
    plot_series series = { NULL, PLOT_BARS, 2, CALIBRATION_BINS, c->from, c->count, NULL };
    plot f = plot_of("How often", "How many predictions fall into each of the ten bins", what, "count", &series, 1);
    f.x_min = f.y_min = 0, f.x_max = 1;
    figure_begin(p, &f);
    figure_end(p);
}

void section_calibration(page *p)
{
    ranking r;
    calibration c;
    char note[256];
    bool decided = ranking_of_decisions(p, &r);
    if (!decided && !ranking_of_confidence(p, &r))
        return;
    calibrate(&c, &r);
    snprintf(note, sizeof note,
             "Of all predictions with a score of 0.8, eight of ten should be true. Expected calibration error: %.4f.",
             c.error);
    section_begin(p, "Calibration", note);
    figures_begin(p);
    plot_calibration(p, &c, decided ? "mean score" : "mean score of what is predicted");
    plot_calibration_counts(p, &c, "score");
    figures_end(p);
    section_end(p);
}
