/* Curves of a training run: by epoch from its history, by step from the thinned list of steps. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_OTHERS = 6, STEP_BUCKETS = 150 };

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The values of a key by epoch; false in *any: none of them is a number. */
static double *history_values(page *p, const char *key, bool *any)
{
    size_t n = json_array_size(p->r->history);
    double *v = page_array(p, n, sizeof *v);
    *any = false;
    for (size_t i = 0; v && i < n; i++) {
        v[i] = number_of(json_object_get(json_array_get(p->r->history, i), key));
        *any |= isfinite(v[i]);
    }
    return v;
}

/* Appends a series where the history has it. */
static void add_series(page *p, plot *f, plot_series *series, const double *epochs, const char *key, const char *name, plot_mark mark,
                       int colour)
{
    bool any;
    double *y = history_values(p, key, &any);
    if (y && any)
        series[f->n++] = (plot_series){ name, mark, colour, json_array_size(p->r->history), epochs, y, NULL };
    f->series = series;
}

/* ---- by epoch ---- */

static plot epoch_plot(const page *p, const char *title, const char *words)
{
    return (plot){ .title = title,
                   .words = words,
                   .x_name = "epoch",
                   .x_min = NAN,
                   .x_max = NAN,
                   .y_min = NAN,
                   .y_max = NAN,
                   .whole = true,
                   .marked = p->r->best_epoch > 0 ? (double)p->r->best_epoch : NAN,
                   .mark_name = "best" };
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
    add_series(p, &f, series, epochs, "loss", "training", PLOT_LINE, 0);
    add_series(p, &f, series, epochs, "val_loss", "validation", PLOT_LINE, 1);
    end_plot(p, &f);
}

static void plot_watched(page *p, const double *epochs, const char *watch)
{
    char key[64], title[64];
    plot_series series[2];
    if (!watch || !strcmp(watch, "loss"))
        return;
    snprintf(key, sizeof key, "val_%s", watch);
    snprintf(title, sizeof title, "%s", watch);
    plot f = epoch_plot(p, title, "The metric that tells the best epoch, on validation data after each epoch");
    if (!strcmp(watch, "accuracy"))
        add_series(p, &f, series, epochs, "accuracy", "training", PLOT_LINE, 0);
    add_series(p, &f, series, epochs, key, "validation", PLOT_LINE, 1);
    end_plot(p, &f);
}

/* The other metrics of validation that lie between 0 and 1. */
static void plot_others(page *p, const double *epochs, const char *watch)
{
    static const char *const skipped[] = {
        "loss",         "mse", "precision_micro", "recall_micro", "precision_macro", "recall_macro", "precision_macro_seen", "recall_macro_seen",
        "f1_macro_seen"
    };
    plot_series series[MOST_OTHERS];
    plot f = epoch_plot(p, "Other metrics", "The other metrics on validation data after each epoch");
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    for (size_t i = 0; i < n && f.n < MOST_OTHERS; i++) {
        char key[64];
        bool skip = watch && !strcmp(metrics[i].name, watch);
        for (size_t k = 0; k < sizeof skipped / sizeof *skipped; k++)
            skip |= !strcmp(metrics[i].name, skipped[k]);
        snprintf(key, sizeof key, "val_%s", metrics[i].name);
        if (!skip)
            add_series(p, &f, series, epochs, key, metrics[i].name, PLOT_LINE, (int)f.n);
    }
    end_plot(p, &f);
}

/* ---- by step ---- */

/* Steps in equal buckets: mean, smallest and largest value of each. column: of [step, loss, rate]. */
typedef struct step_buckets {
    size_t n;
    double *x, *mean, *low, *high;
} step_buckets;

static bool bucket_steps(page *p, size_t column, step_buckets *out)
{
    size_t n = json_array_size(p->r->steps), buckets = n < STEP_BUCKETS ? n : STEP_BUCKETS;
    double *memory = page_array(p, 4 * buckets, sizeof *memory);
    if (!memory)
        return false;
    *out = (step_buckets){ 0, memory, memory + buckets, memory + 2 * buckets, memory + 3 * buckets };
    for (size_t k = 0; k < buckets; k++) {
        double x = 0, sum = 0, low = INFINITY, high = -INFINITY, count = 0;
        for (size_t i = k * n / buckets; i < (k + 1) * n / buckets; i++) {
            const json_t *step = json_array_get(p->r->steps, i);
            double v = number_of(json_array_get(step, column)), at = number_of(json_array_get(step, 0));
            if (!isfinite(v) || !isfinite(at))
                continue;
            x += at, sum += v, count++;
            low = fmin(low, v), high = fmax(high, v);
        }
        if (count > 0) {
            out->x[out->n] = x / count, out->mean[out->n] = sum / count;
            out->low[out->n] = low, out->high[out->n++] = high;
        }
    }
    return out->n > 1;
}

static void plot_steps(page *p, size_t column, const char *title, const char *words)
{
    step_buckets s;
    if (!bucket_steps(p, column, &s))
        return;
    bool band = json_array_size(p->r->steps) > STEP_BUCKETS;
    plot_series series[] = {
        { band && column == 1 ? "mean" : NULL, PLOT_LINE, column == 1 ? 0 : 2, s.n, s.x, s.mean, NULL },
        { "smallest to largest", PLOT_BAND, 0, s.n, s.x, s.low, s.high },
    };
    plot f = { .title = title,
               .words = words,
               .x_name = "step",
               .x_min = 0,
               .x_max = NAN,
               .y_min = 0,
               .y_max = NAN,
               .whole = true,
               .series = series,
               .n = band && column == 1 ? 2 : 1,
               .marked = NAN };
    figure_begin(p, &f);
    fold_begin(p, "Numbers");
    table_begin(p, NULL, column == 1 ? "Step|Loss" : "Step|Rate");
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

/* ---- the table ---- */

/* Keys of the history that are shown, in this order: what training says, then every metric of validation. */
static size_t epoch_keys(page *p, char keys[][64], size_t most)
{
    static const char *const training[] = { "loss", "accuracy" }, *const last[] = { "learning_rate", "seconds" };
    size_t n = 0, n_metrics;
    bool any;
    const bert_metric *metrics = bert_metric_table(&n_metrics);
    for (size_t i = 0; i < 2; i++)
        if (history_values(p, training[i], &any) && any)
            strcpy(keys[n++], training[i]);
    for (size_t i = 0; i < n_metrics && n + 2 < most; i++) {
        snprintf(keys[n], 64, "val_%s", metrics[i].name);
        if (history_values(p, keys[n], &any) && any)
            n++;
    }
    for (size_t i = 0; i < 2; i++)
        if (history_values(p, last[i], &any) && any)
            strcpy(keys[n++], last[i]);
    return n;
}

static void epoch_table(page *p, const double *epochs)
{
    enum { MOST_KEYS = 32 };
    char keys[MOST_KEYS][64];
    size_t n = epoch_keys(p, keys, MOST_KEYS);
    buffer heads = { 0 };
    buffer_string(&heads, "epoch");
    for (size_t k = 0; k < n; k++)
        buffer_printf(&heads, "|%s", keys[k]);
    p->out.failed |= heads.failed;
    table_begin(p, NULL, heads.failed ? "" : heads.data);
    for (size_t i = 0; i < json_array_size(p->r->history); i++) {
        row_begin_number(p, epochs[i], epochs[i] == (double)p->r->best_epoch);
        for (size_t k = 0; k < n; k++)
            cell_number(p, number_of(json_object_get(json_array_get(p->r->history, i), keys[k])));
        row_end(p);
    }
    table_end(p);
    buffer_free(&heads);
}

void section_curves(page *p)
{
    bool any;
    size_t epochs = json_array_size(p->r->history), steps = json_array_size(p->r->steps);
    double *x = history_values(p, "epoch", &any);
    if (!x || (epochs == 0 && steps < 2))
        return;
    const char *watch = watched_metric(p->r);
    section_begin(p, "Training", NULL);
    figures_begin(p);
    plot_losses(p, x);
    plot_watched(p, x, watch);
    plot_others(p, x, watch);
    plot_steps(p, 1, "Loss by step", "The training loss over the steps");
    plot_steps(p, 2, "Learning rate", "The learning rate over the steps");
    figures_end(p);
    if (epochs) {
        fold_begin(p, "Every epoch in numbers");
        epoch_table(p, x);
        fold_end(p);
    }
    section_end(p);
}
