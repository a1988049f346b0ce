/* Curves of a training run, by epoch and by step. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_OTHERS = 6, STEP_BUCKETS = 150 };

/* Where a metric of validation stands in an epoch_record. */
static size_t valid_offset(const bert_metric *m)
{
    return offsetof(epoch_record, valid) + m->offset;
}

/* A number of each epoch; false in *any: none of them is known. */
static double *values_by_epoch(page *p, size_t offset, bool *any)
{
    const run_record *run = p->r->run;
    double *v = page_array(p, run->n_epochs, sizeof *v);
    *any = false;
    for (size_t i = 0; v && i < run->n_epochs; i++) {
        v[i] = epoch_value(&run->epochs[i], offset);
        *any |= isfinite(v[i]);
    }
    return v;
}

/* Appends the series of a number that is known. */
static void add_series(page *p, plot *f, plot_series *series, const double *epochs, size_t offset, const char *name,
                       int colour)
{
    bool any;
    double *y = values_by_epoch(p, offset, &any);
    if (y && any)
        series[f->n++] = (plot_series){ name, PLOT_LINE, colour, p->r->run->n_epochs, epochs, y, NULL };
    f->series = series;
}

/* ---- by epoch ---------------------------------------------------------------------------------------------------- */

static plot epoch_plot(const page *p, const char *title, const char *words)
{
    plot f = plot_of(title, words, "epoch", NULL, NULL, 0);
    f.whole = true;
    f.marked = p->r->best_epoch > 0 ? (double)p->r->best_epoch : NAN;
    f.mark_name = "best";
    return f;
}

static void end_plot(page *p, const plot *f)
{
    if (f->n == 0)
        return;
    figure_begin(p, f);
    figure_end(p);
}

static void plot_losses(page *p, const double *epochs)
{
    plot_series series[2];
    plot f = epoch_plot(p, "Loss", "The mean loss of each epoch on training and on validation data");
    f.y_min = 0;
    add_series(p, &f, series, epochs, offsetof(epoch_record, loss), "training", 0);
    add_series(p, &f, series, epochs, offsetof(epoch_record, valid.loss), "validation", 1);
    end_plot(p, &f);
}

static void plot_watched(page *p, const double *epochs, const char *watch)
{
    const bert_metric *m = watch ? metric_by_name(watch) : NULL;
    plot_series series[2];
    if (!m || !strcmp(watch, "loss"))
        return;
    plot f = epoch_plot(p, watch, "The metric that tells the best epoch, on validation data after each epoch");
    if (!strcmp(watch, "accuracy"))
        add_series(p, &f, series, epochs, offsetof(epoch_record, accuracy), "training", 0);
    add_series(p, &f, series, epochs, valid_offset(m), "validation", 1);
    end_plot(p, &f);
}

/* The other metrics of validation that lie between 0 and 1. */
static void plot_others(page *p, const double *epochs, const char *watch)
{
    /* clang-format off */
    static const char *const skipped[] = {
        "loss", "mse", "precision_micro", "recall_micro", "precision_macro", "recall_macro", "precision_macro_seen",
        "recall_macro_seen", "f1_macro_seen"
    };
    /* clang-format on */
    plot_series series[MOST_OTHERS];
    plot f = epoch_plot(p, "Other metrics", "The other metrics on validation data after each epoch");
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    for (size_t i = 0; i < n && f.n < MOST_OTHERS; i++) {
        bool skip = watch && !strcmp(metrics[i].name, watch);
        for (size_t k = 0; k < sizeof skipped / sizeof *skipped; k++)
            skip |= !strcmp(metrics[i].name, skipped[k]);
        if (!skip)
            add_series(p, &f, series, epochs, valid_offset(&metrics[i]), metrics[i].name, (int)f.n);
    }
    end_plot(p, &f);
}

/* ---- by step ----------------------------------------------------------------------------------------------------- */

/* Steps in equal buckets: mean, smallest and largest value of each. */
typedef struct step_buckets {
    size_t n;
    double *x, *mean, *low, *high;
} step_buckets;

/* offset: of a double in step_record. */
static bool bucket_steps(page *p, size_t offset, step_buckets *out)
{
    size_t n = p->r->run->n_steps, buckets = n < STEP_BUCKETS ? n : STEP_BUCKETS;
    double *memory = page_array(p, 4 * buckets, sizeof *memory);
    if (!memory)
        return false;
    *out = (step_buckets){ 0, memory, memory + buckets, memory + 2 * buckets, memory + 3 * buckets };
    for (size_t k = 0; k < buckets; k++) {
        double x = 0, sum = 0, low = INFINITY, high = -INFINITY, count = 0;
        for (size_t i = k * n / buckets; i < (k + 1) * n / buckets; i++) {
            const step_record *step = &p->r->run->steps[i];
            double v = *(const double *)(const void *)((const char *)step + offset);
            if (!isfinite(v))
                continue;
            x += (double)step->step, sum += v, count++;
            low = fmin(low, v), high = fmax(high, v);
        }
        if (count > 0) {
            out->x[out->n] = x / count, out->mean[out->n] = sum / count;
            out->low[out->n] = low, out->high[out->n++] = high;
        }
    }
    return out->n > 1;
}

static void plot_steps(page *p, size_t offset, const char *title, const char *words)
{
    step_buckets s;
    if (!bucket_steps(p, offset, &s))
        return;
    bool loss = offset == offsetof(step_record, loss), band = loss && p->r->run->n_steps > STEP_BUCKETS;
    plot_series series[] = {
        { band ? "mean" : NULL, PLOT_LINE, loss ? 0 : 2, s.n, s.x, s.mean, NULL },
        { "smallest to largest", PLOT_BAND, 0, s.n, s.x, s.low, s.high },
    };
    plot f = plot_of(title, words, "step", NULL, series, band ? 2 : 1);
    f.x_min = f.y_min = 0;
    f.whole = true;
    figure_begin(p, &f);
    fold_begin(p, "Numbers");
    table_begin(p, NULL, loss ? "Step|Loss" : "Step|Rate");
    enum { ROWS = 15 };
    for (size_t i = 0; i < ROWS && i < s.n; i++) {
        size_t at = s.n > ROWS ? i * (s.n - 1) / (ROWS - 1) : i;
        row_begin_number(p, round(s.x[at]), false);
        cell_number(p, s.mean[at]);
        row_end(p);
    }
    table_end(p);
    fold_end(p);
    figure_end(p);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* The numbers of an epoch that are known, in the order in which they are shown: of training, then of validation, then
 * rate and time. */
static size_t known_numbers(page *p, epoch_number *known, size_t most)
{
    static const size_t LAST[] = { offsetof(epoch_record, learning_rate), offsetof(epoch_record, seconds) };
    epoch_number number;
    size_t n = 0;
    bool any;
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; n < most && epoch_number_at(i, &number); i++)
            if ((number.offset == LAST[0] || number.offset == LAST[1]) == last &&
                values_by_epoch(p, number.offset, &any) && any)
                known[n++] = number;
    return n;
}

static void epoch_table(page *p)
{
    enum { MOST_KNOWN = 32 };
    epoch_number known[MOST_KNOWN];
    const run_record *run = p->r->run;
    size_t n = known_numbers(p, known, MOST_KNOWN);
    buffer heads = { 0 };
    buffer_string(&heads, "epoch");
    for (size_t k = 0; k < n; k++)
        buffer_printf(&heads, "|%s", known[k].name);
    p->out.failed |= heads.failed;
    table_begin(p, NULL, heads.failed ? "" : heads.data);
    for (size_t i = 0; i < run->n_epochs; i++) {
        row_begin_number(p, (double)run->epochs[i].epoch, run->epochs[i].epoch == p->r->best_epoch);
        for (size_t k = 0; k < n; k++)
            cell_number(p, epoch_value(&run->epochs[i], known[k].offset));
        row_end(p);
    }
    table_end(p);
    buffer_free(&heads);
}

void section_curves(page *p)
{
    const run_record *run = p->r->run;
    double *x = run ? page_array(p, run->n_epochs, sizeof *x) : NULL;
    if (!x || (run->n_epochs == 0 && run->n_steps < 2))
        return;
    for (size_t i = 0; i < run->n_epochs; i++)
        x[i] = (double)run->epochs[i].epoch;
    const char *watch = watched_metric(p->r);
    section_begin(p, "Training", NULL);
    figures_begin(p);
    plot_losses(p, x);
    plot_watched(p, x, watch);
    plot_others(p, x, watch);
    plot_steps(p, offsetof(step_record, loss), "Loss by step", "The training loss over the steps");
    plot_steps(p, offsetof(step_record, learning_rate), "Learning rate", "The learning rate over the steps");
    figures_end(p);
    if (run->n_epochs) {
        fold_begin(p, "Every epoch in numbers");
        epoch_table(p);
        fold_end(p);
    }
    section_end(p);
}
