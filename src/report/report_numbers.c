/* Regression and similarity: what was predicted against what is true. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>
#include <stdlib.h>

enum { RESIDUAL_BINS = 24 };

/* (n) each */
typedef struct number_pairs {
    size_t n;
    double *truth, *predicted, *residual; /* residual: predicted - truth */
} number_pairs;

static bool collect_number_pairs(page *p, number_pairs *d)
{
    const outcomes *o = p->r->outcomes;
    double *memory = page_array(p, 3 * o->n, sizeof *memory);
    if (!memory)
        return false;
    *d = (number_pairs){ o->n, memory, memory + o->n, memory + 2 * o->n };
    for (size_t i = 0; i < o->n; i++) {
        d->truth[i] = outcome_truth(o, i);
        d->predicted[i] = (double)o->scores[i * o->columns];
        d->residual[i] = d->predicted[i] - d->truth[i];
    }
    return true;
}

static void plot_scatter(page *p, const number_pairs *d)
{
    const bert_model *m = p->r->outcomes->model;
    const double ends[] = { m->label_min, m->label_max };
    plot_series series[] = { { "a row", PLOT_DOTS, 0, d->n, d->truth, d->predicted, NULL },
                             { "perfect", PLOT_DASHES, PLOT_GREY, 2, ends, ends, NULL } };
    char title[128] = "Predicted against true";
    if (p->r->metrics && !isnan(p->r->metrics->pearson))
        snprintf(title, sizeof title, "Predicted against true: Pearson %.4f, Spearman %.4f", p->r->metrics->pearson,
                 p->r->metrics->spearman);
    plot f = plot_of(title, "The prediction of each row against its label", "label", "prediction", series, 2);
    figure_begin(p, &f);
    figure_end(p);
}

/* The residuals in bins that lie evenly about 0. */
static void plot_residuals(page *p, const number_pairs *d)
{
    double most = 0, edges[RESIDUAL_BINS + 1], counts[RESIDUAL_BINS] = { 0 };
    for (size_t i = 0; i < d->n; i++)
        if (isfinite(d->residual[i]))
            most = fmax(most, fabs(d->residual[i]));
    most = most > 0 ? most : 1;
    for (size_t k = 0; k <= RESIDUAL_BINS; k++)
        edges[k] = most * ((double)k / (RESIDUAL_BINS / 2.0) - 1);
    for (size_t i = 0; i < d->n; i++)
        if (isfinite(d->residual[i])) {
            size_t k = (size_t)((d->residual[i] / most + 1) * (RESIDUAL_BINS / 2.0));
            counts[k < RESIDUAL_BINS ? k : RESIDUAL_BINS - 1]++;
        }
    plot_series series = { NULL, PLOT_BARS, 1, RESIDUAL_BINS, edges, counts, NULL };
    plot f = plot_of("Residuals", "How far predictions are from the labels", "prediction minus label", "rows", &series,
                     1);
    f.y_min = 0;
    figure_begin(p, &f);
    fold_numbers(p, "From|Rows", edges, RESIDUAL_BINS, (const double *const[]){ counts }, 1);
    figure_end(p);
}

void section_numbers(page *p)
{
    number_pairs d;
    if (!collect_number_pairs(p, &d))
        return;
    section_begin(p, "Predictions and labels", NULL);
    figures_begin(p);
    plot_scatter(p, &d);
    plot_residuals(p, &d);
    figures_end(p);
    section_end(p);
}
