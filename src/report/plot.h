/* Plots as inline SVG: lines, points, bars and bands over one pair of axes. Colours are those of the page's style
 * sheet. */
#pragma once

#include "report/report_page.h"

typedef enum plot_mark {
    PLOT_LINE,
    PLOT_DASHES,
    PLOT_DOTS, /* small points, many */
    PLOT_BARS, /* x (n + 1) edges, y (n) heights */
    PLOT_BAND  /* between y and high */
} plot_mark;

enum { PLOT_GREY = 6 }; /* colours 0 to 5 are told apart by all */

typedef struct plot_series {
    const char *name; /* NULL: not in the legend */
    plot_mark mark;
    int colour;
    size_t n;
    const double *x, *y; /* (n); NaN: a gap */
    const double *high;  /* BAND */
} plot_series;

/* NaN bounds are taken from the data. Names of series, title and words are escaped; names of axes and of the mark are
 * not. */
typedef struct plot {
    const char *title, *words; /* words: what the plot shows, for who does not see it */
    const char *x_name, *y_name;
    double x_min, x_max, y_min, y_max;
    bool whole; /* x counts things: no ticks between whole numbers */
    const plot_series *series;
    size_t n;
    double marked; /* a vertical line; NaN: none */
    const char *mark_name;
} plot;

/* One whose bounds are the data's, without a mark. */
plot plot_of(const char *title, const char *words, const char *x_name, const char *y_name, const plot_series *series,
             size_t n);

/* A figure: caption, legend, drawing. What is written until figure_end (numbers, folded) stands within it. */
void figure_begin(page *p, const plot *plot);
void figure_end(page *p);

/* The grid that figures stand in. */
void figures_begin(page *p);
void figures_end(page *p);
