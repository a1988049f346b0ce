/* Plots as inline SVG. Drawn for a width of a phone: the letters stay readable there, and grow where there is room. */
#include "report/plot.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 400, HEIGHT = 250, TOP = 22, RIGHT = 14, BOTTOM = 38, CHARACTER = 6, TICK_SIZE = 24 };

/* One axis: values [min, max] on pixels [from, to]. */
typedef struct axis {
    double min, max, step;
    double from, to;
} axis;

static double plot_place(const axis *a, double v)
{
    double t = (v - a->min) / (a->max - a->min);
    return a->from + (t < 0 ? 0 : t > 1 ? 1 : t) * (a->to - a->from);
}

/* ---- ranges and ticks ---- */

/* 1, 2 or 5 times a power of ten, so that about `want` of them fill the range. */
static double nice_step(double range, int want)
{
    double rough = range / want, power = pow(10, floor(log10(rough))), m = rough / power;
    return power * (m <= 1.0001 ? 1 : m <= 2.0001 ? 2 : m <= 5.0001 ? 5 : 10);
}

/* Widens [min, max] to hold the values that can be drawn: beyond 1e300 even the length of an axis is not finite. */
static void plot_stretch(double *min, double *max, const double *v, size_t n)
{
    for (size_t i = 0; v && i < n; i++)
        if (fabs(v[i]) < 1e300) {
            *min = v[i] < *min ? v[i] : *min;
            *max = v[i] > *max ? v[i] : *max;
        }
}

/* low and high are bounds that the plot asks for, or NaN: then the data's, out to whole steps where `round`. */
static void set_axis(axis *a, double low, double high, int want, bool round, bool whole)
{
    bool open_low = isnan(low), open_high = isnan(high);
    if (a->min > a->max) /* no data */
        a->min = 0, a->max = 1;
    if (!open_low)
        a->min = low;
    if (!open_high)
        a->max = high;
    if (!(a->max - a->min > fmax(fabs(a->max) * 1e-9, 1e-290))) { /* one value: it stands in the middle */
        double room = whole || fabs(a->max) < 1e-200 ? 1 : fabs(a->max) * 0.1;
        a->min -= open_low ? room : 0;
        a->max += open_high || !open_low ? room : 0;
    }
    a->step = nice_step(a->max - a->min, want);
    if (whole && a->step < 1)
        a->step = 1;
    if (round && open_low)
        a->min = floor(a->min / a->step + 1e-9) * a->step;
    if (round && open_high)
        a->max = ceil(a->max / a->step - 1e-9) * a->step;
}

/* As many digits as tell the ticks apart; thousands as "20k". */
static void tick_text(char out[TICK_SIZE], double v, double step, double max)
{
    if (fabs(v) < step * 1e-6)
        v = 0;
    if (v == 0) {
        strcpy(out, "0");
    } else if (step < 1e-4) {
        int power = (int)floor(log10(fabs(v)) + 1e-9);
        snprintf(out, TICK_SIZE, "%.3ge%d", v / pow(10, power), power);
    } else if (max >= 1e9) {
        snprintf(out, TICK_SIZE, "%.3g", v);
    } else if (max >= 10000 && step >= 100) {
        snprintf(out, TICK_SIZE, max >= 1e7 ? "%gM" : "%gk", v / (max >= 1e7 ? 1e6 : 1e3));
    } else {
        int digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
        snprintf(out, TICK_SIZE, "%.*f", digits < 9 ? digits : 9, v);
    }
}

static size_t ticks_of(const axis *a, double *first)
{
    *first = ceil(a->min / a->step - 1e-9) * a->step;
    double n = floor((a->max - *first) / a->step + 1e-9) + 1;
    return n > 0 && n < 40 ? (size_t)n : 0;
}

static double plot_largest(const axis *a)
{
    return fmax(fabs(a->min), fabs(a->max));
}

static size_t widest_tick(const axis *a)
{
    double first;
    size_t widest = 0, n = ticks_of(a, &first);
    char text[TICK_SIZE];
    for (size_t i = 0; i < n; i++) {
        tick_text(text, first + (double)i * a->step, a->step, plot_largest(a));
        widest = strlen(text) > widest ? strlen(text) : widest;
    }
    return widest;
}

/* ---- axes ---- */

static void draw_x_axis(buffer *b, const axis *x, const axis *y, const char *name)
{
    double first;
    size_t n = ticks_of(x, &first);
    char text[TICK_SIZE];
    for (size_t i = 0; i < n; i++) {
        double v = first + (double)i * x->step, at = plot_place(x, v);
        tick_text(text, v, x->step, plot_largest(x));
        buffer_printf(b,
                      "<path d=\"M%.1f %.1fv4\" stroke=\"var(--soft)\"/><text x=\"%.1f\" y=\"%.1f\" "
                      "text-anchor=\"middle\">%s</text>\n",
                      at, y->from, at, y->from + 16, text);
    }
    if (name)
        buffer_printf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (x->from + x->to) / 2,
                      HEIGHT - 6, name);
}

static void draw_y_axis(buffer *b, const axis *x, const axis *y, const char *name)
{
    double first;
    size_t n = ticks_of(y, &first);
    char text[TICK_SIZE];
    for (size_t i = 0; i < n; i++) {
        double v = first + (double)i * y->step, at = plot_place(y, v);
        tick_text(text, v, y->step, plot_largest(y));
        buffer_printf(b,
                      "<path d=\"M%.1f %.1fH%.1f\" stroke=\"var(--grid)\"/><text x=\"%.1f\" y=\"%.1f\" "
                      "text-anchor=\"end\">%s</text>\n",
                      x->from, at, x->to, x->from - 5, at + 4, text);
    }
    if (name)
        buffer_printf(b, "<text x=\"2\" y=\"12\">%s</text>\n", name);
    buffer_printf(b, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"var(--soft)\"/>\n", x->from, y->from, x->to);
}

/* ---- series ---- */

/* The points as one path; a gap where one is not finite, and a dot where one stands alone between gaps. */
static void draw_line(buffer *b, const plot_series *s, const axis *x, const axis *y)
{
    buffer_printf(b,
                  "<path fill=\"none\" stroke=\"var(--c%d)\" stroke-width=\"2\" stroke-linejoin=\"round\" "
                  "stroke-linecap=\"round\"%s d=\"",
                  s->colour, s->mark == PLOT_DASHES ? " stroke-dasharray=\"5 4\"" : "");
    bool pen = false;
    for (size_t i = 0; i < s->n; i++) {
        bool here = isfinite(s->x[i]) && isfinite(s->y[i]),
             next = i + 1 < s->n && isfinite(s->x[i + 1]) && isfinite(s->y[i + 1]);
        if (here)
            buffer_printf(b, "%c%.4g %.4g%s", pen ? 'L' : 'M', plot_place(x, s->x[i]), plot_place(y, s->y[i]),
                          pen || next ? "" : "h.01");
        pen = here;
    }
    buffer_string(b, "\"/>\n");
    enum { MOST_POINTS = 20 };
    for (size_t i = 0; i < s->n && s->n <= MOST_POINTS && s->mark == PLOT_LINE; i++)
        if (isfinite(s->x[i]) && isfinite(s->y[i]))
            buffer_printf(b, "<circle cx=\"%.4g\" cy=\"%.4g\" r=\"3\" fill=\"var(--c%d)\"/>", plot_place(x, s->x[i]),
                          plot_place(y, s->y[i]), s->colour);
}

static void draw_band(buffer *b, const plot_series *s, const axis *x, const axis *y)
{
    buffer_printf(b, "<path fill=\"var(--c%d)\" fill-opacity=\".22\" d=\"", s->colour);
    char pen = 'M';
    for (size_t i = 0; i < s->n; i++, pen = 'L')
        buffer_printf(b, "%c%.4g %.4g", pen, plot_place(x, s->x[i]), plot_place(y, s->high[i]));
    for (size_t i = s->n; i-- > 0;)
        buffer_printf(b, "L%.4g %.4g", plot_place(x, s->x[i]), plot_place(y, s->y[i]));
    buffer_string(b, s->n ? "Z\"/>\n" : "\"/>\n");
}

static void draw_bars(buffer *b, const plot_series *s, const axis *x, const axis *y)
{
    buffer_printf(b, "<path fill=\"var(--c%d)\" fill-opacity=\".6\" d=\"", s->colour);
    for (size_t i = 0; i < s->n; i++) {
        double left = plot_place(x, s->x[i]), right = plot_place(x, s->x[i + 1]), top = plot_place(y, s->y[i]);
        if (right - left > 3) /* a gap between bars */
            right -= 1;
        if (s->y[i] > 0)
            buffer_printf(b, "M%.4g %.4gV%.4gH%.4gV%.4gZ", left, y->from, top, right, y->from);
    }
    buffer_string(b, "\"/>\n");
}

/* Dots that fall on one pixel are drawn once. */
static void draw_dots(buffer *b, const plot_series *s, const axis *x, const axis *y)
{
    unsigned char taken[((WIDTH + 1) * (HEIGHT + 1) + 7) / 8] = { 0 }; /* a bit each */
    buffer_printf(b,
                  "<path fill=\"none\" stroke=\"var(--c%d)\" stroke-opacity=\".55\" stroke-width=\"4\" "
                  "stroke-linecap=\"round\" d=\"",
                  s->colour);
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
            continue;
        int px = (int)(plot_place(x, s->x[i]) + 0.5), py = (int)(plot_place(y, s->y[i]) + 0.5);
        int pixel = px * (HEIGHT + 1) + py;
        if (!(taken[pixel / 8] >> pixel % 8 & 1))
            buffer_printf(b, "M%d %dh0", px, py);
        taken[pixel / 8] |= (unsigned char)(1 << pixel % 8);
    }
    buffer_string(b, "\"/>\n");
}

static void draw_mark(buffer *b, const plot *p, const axis *x, const axis *y)
{
    if (isnan(p->marked) || p->marked < x->min || p->marked > x->max)
        return;
    double at = plot_place(x, p->marked);
    bool left = at > (x->from + x->to) / 2;
    buffer_printf(b,
                  "<path d=\"M%.1f %.1fV%.1f\" stroke=\"var(--ink)\" stroke-width=\"1.3\" stroke-dasharray=\"3 3\"/>",
                  at, y->from, y->to);
    buffer_printf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" style=\"fill:var(--ink)\">%s</text>\n",
                  at + (left ? -4 : 4), y->to - 5, left ? "end" : "start", p->mark_name);
}

/* ---- the figure ---- */

static void draw_legend(page *p, const plot *f)
{
    static const char *const shapes[] = {
        [PLOT_LINE] = "", [PLOT_DASHES] = "dash", [PLOT_DOTS] = "dot", [PLOT_BARS] = "box", [PLOT_BAND] = "box"
    };
    bool any = false;
    for (size_t i = 0; i < f->n; i++)
        any |= f->series[i].name != NULL;
    if (!any)
        return;
    buffer_string(&p->out, "<div class=\"legend\">");
    for (size_t i = 0; i < f->n; i++) {
        const plot_series *s = &f->series[i];
        if (!s->name)
            continue;
        buffer_printf(&p->out, "<span><i class=\"%s\" style=\"border-color:var(--c%d)\"", shapes[s->mark], s->colour);
        page_between(p, "></i>", s->name, "</span>");
    }
    buffer_string(&p->out, "</div>\n");
}

static void set_axes(const plot *f, axis *x, axis *y)
{
    *x = *y = (axis){ .min = INFINITY, .max = -INFINITY };
    bool bars = false;
    for (size_t i = 0; i < f->n; i++) {
        const plot_series *s = &f->series[i];
        plot_stretch(&x->min, &x->max, s->x, s->n + (s->mark == PLOT_BARS));
        plot_stretch(&y->min, &y->max, s->y, s->n);
        plot_stretch(&y->min, &y->max, s->high, s->n);
        bars |= s->mark == PLOT_BARS;
    }
    set_axis(y, bars ? 0 : f->y_min, f->y_max, 5, true, false);
    set_axis(x, f->x_min, f->x_max, 6, false, f->whole);
    y->from = HEIGHT - BOTTOM, y->to = TOP;
    x->from = 10 + CHARACTER * (double)widest_tick(y), x->to = WIDTH - RIGHT;
}

plot plot_of(const char *title, const char *words, const char *x_name, const char *y_name, const plot_series *series,
             size_t n)
{
    return (plot){ title, words, x_name, y_name, NAN, NAN, NAN, NAN, false, series, n, NAN, NULL };
}

void figure_begin(page *p, const plot *f)
{
    static void (*const draw[])(buffer *, const plot_series *, const axis *, const axis *) = {
        [PLOT_LINE] = draw_line, [PLOT_DASHES] = draw_line, [PLOT_DOTS] = draw_dots,
        [PLOT_BARS] = draw_bars, [PLOT_BAND] = draw_band,
    };
    axis x, y;
    buffer *b = &p->out;
    set_axes(f, &x, &y);
    page_between(p, "<figure>\n<figcaption>", f->title, "</figcaption>\n");
    draw_legend(p, f);
    buffer_printf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
    page_between(p, "<title>", f->title, "</title>\n");
    page_between(p, "<desc>", f->words, "</desc>\n");
    draw_y_axis(b, &x, &y, f->y_name);
    draw_x_axis(b, &x, &y, f->x_name);
    for (size_t i = 0; i < f->n; i++)
        draw[f->series[i].mark](b, &f->series[i], &x, &y);
    draw_mark(b, f, &x, &y);
    buffer_string(b, "</svg>\n");
}

void figure_end(page *p)
{
    buffer_string(&p->out, "</figure>\n");
}

void figures_begin(page *p)
{
    buffer_string(&p->out, "<div class=\"grid\">\n");
}

void figures_end(page *p)
{
    buffer_string(&p->out, "</div>\n");
}
