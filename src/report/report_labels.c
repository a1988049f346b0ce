/* What is taken for what: the confusion matrix, and precision, recall and F1 of each label. */
#include "report/plot.h"
#include "report/report_ranking.h"
#include "report/report_sections.h"
#include "task/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEAT = 20, MOST_PAIRS = 20, MOST_LABELS = 300, NAME = 28, MOST_RANKED = 5000000 };

/* How often a label was taken for a label. */
typedef struct taken {
    uint32_t truth, predicted;
    size_t n;
} taken;

/* Those that occur, by (truth, predicted): as many as there are rows at most, however many labels there are. */
typedef struct confusion {
    taken *pairs; /* (n) */
    size_t n;
    size_t *truly; /* (labels) */
} confusion;

static int by_labels(const void *a, const void *b)
{
    const taken *x = a, *y = b;
    if (x->truth != y->truth)
        return x->truth < y->truth ? -1 : 1;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

static int by_number(const void *a, const void *b)
{
    const taken *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : by_labels(a, b);
}

static bool confusion_count(page *p, confusion *c)
{
    const outcomes *o = p->r->outcomes;
    *c = (confusion){ .pairs = page_array(p, o->n, sizeof *c->pairs),
                      .truly = page_array(p, o->model->n_labels, sizeof *c->truly) };
    if (!c->pairs || !c->truly)
        return false;
    for (size_t i = 0; i < o->n; i++) {
        c->pairs[i] = (taken){ (uint32_t)o->truth->ids[i], (uint32_t)outcome_label(o, i, p->r->threshold), 1 };
        c->truly[c->pairs[i].truth]++;
    }
    qsort(c->pairs, o->n, sizeof *c->pairs, by_labels);
    for (size_t i = 0; i < o->n; i++) /* equal pairs into one */
        if (c->n && !by_labels(&c->pairs[c->n - 1], &c->pairs[i]))
            c->pairs[c->n - 1].n++;
        else
            c->pairs[c->n++] = c->pairs[i];
    return true;
}

/* scope: "row" or "col" */
static void label_head(page *p, const char *scope, const char *label)
{
    buffer_printf(&p->out, "<th scope=\"%s\">", scope);
    page_cut(p, (bert_text){ label, strlen(label) }, NAME);
    buffer_string(&p->out, "</th>");
}

/* ---- few labels: a table whose cells are as strong as their share of the row ---- */

static void heat_cell(page *p, size_t n, size_t of)
{
    double share = of ? (double)n / (double)of : 0;
    buffer_printf(&p->out, "<td%s style=\"background:rgba(0,95,160,%.2f)\">%zu</td>",
                  share > 0.45 ? " class=\"hot\"" : "", share, n);
}

static void heat_table(page *p, const confusion *c)
{
    const bert_model *m = p->r->outcomes->model;
    const taken *t = c->pairs, *end = c->pairs + c->n;
    buffer_string(&p->out, "<div class=\"scroll\"><table class=\"heat\">\n<caption>Rows: the label; columns: what was "
                           "predicted</caption>\n<thead><tr><td></td>");
    for (size_t k = 0; k < m->n_labels; k++)
        label_head(p, "col", m->labels[k]);
    buffer_string(&p->out, "</tr></thead>\n<tbody>\n");
    for (size_t truth = 0; truth < m->n_labels; truth++) {
        buffer_string(&p->out, "<tr>");
        label_head(p, "row", m->labels[truth]);
        for (size_t k = 0; k < m->n_labels; k++) {
            bool occurs = t < end && t->truth == truth && t->predicted == k;
            heat_cell(p, occurs ? t->n : 0, c->truly[truth]);
            t += occurs;
        }
        row_end(p);
    }
    table_end(p);
}

/* ---- many labels: a picture of all, and the pairs that are confused most ---- */

static void heat_map(page *p, const confusion *c)
{
    size_t K = p->r->outcomes->model->n_labels;
    enum { LEVELS = 5 };
    buffer_printf(
        &p->out,
        "<figure>\n<figcaption>All %zu labels</figcaption>\n<div class=\"legend\"><span>down: the label, across: what "
        "was predicted, in the order of the labels</span></div>\n<svg viewBox=\"-0.5 -0.5 %zu %zu\" role=\"img\" "
        "style=\"max-width:420px\">\n<title>Confusion matrix</title>\n"
        "<desc>Each square is a pair of label and prediction, the stronger the larger its share of the label's "
        "rows</desc>\n"
        "<rect width=\"%zu\" height=\"%zu\" fill=\"var(--paper)\" stroke=\"var(--line)\" stroke-width=\"%.3f\"/>\n",
        K, K + 1, K + 1, K, K, (double)K / 400);
    for (int level = 1; level <= LEVELS; level++) {
        buffer_printf(&p->out, "<path fill=\"var(--c0)\" fill-opacity=\"%.2f\" d=\"", (double)level / LEVELS);
        for (size_t i = 0; i < c->n; i++) {
            const taken *t = &c->pairs[i];
            if ((int)ceil((double)LEVELS * (double)t->n / (double)c->truly[t->truth]) == level)
                buffer_printf(&p->out, "M%u %uh1v1h-1z", t->predicted, t->truth);
        }
        buffer_string(&p->out, "\"/>\n");
    }
    buffer_string(&p->out, "</svg>\n</figure>\n");
}

static void confused_pairs(page *p, const confusion *c)
{
    const bert_model *m = p->r->outcomes->model;
    qsort(c->pairs, c->n, sizeof *c->pairs, by_number);
    table_begin(p, "Confused most", "Label|<Predicted|Times|Of the label's rows");
    for (size_t i = 0, shown = 0; i < c->n && shown < MOST_PAIRS; i++) {
        const taken *t = &c->pairs[i];
        if (t->truth == t->predicted)
            continue;
        row_begin(p, m->labels[t->truth]);
        cell_string(p, m->labels[t->predicted]);
        cell_count(p, t->n);
        cell_percent(p, (double)t->n / (double)c->truly[t->truth]);
        row_end(p);
        shown++;
    }
    table_end(p);
}

void section_confusion(page *p)
{
    const outcomes *o = p->r->outcomes;
    confusion c;
    if (!confusion_count(p, &c))
        return;
    section_begin(p, "Confusion matrix", o->truth->start ? "Word by word." : NULL);
    if (o->model->n_labels <= MOST_HEAT) {
        heat_table(p, &c);
    } else {
        figures_begin(p);
        heat_map(p, &c);
        buffer_string(&p->out, "<div>\n");
        confused_pairs(p, &c);
        buffer_string(&p->out, "</div>\n");
        figures_end(p);
    }
    section_end(p);
}

/* ---- each label ---- */

typedef struct label_scores {
    size_t label;
    hits hits;
    prf ratios;
} label_scores;

static label_scores *score_labels(page *p, size_t n)
{
    const outcomes *o = p->r->outcomes;
    counts c = { .labels = page_array(p, n, sizeof *c.labels), .n_labels = n };
    label_scores *s = page_array(p, n, sizeof *s);
    if (!c.labels || !s)
        return NULL;
    o->task->kind->count(o, p->r->threshold, &c);
    for (size_t k = 0; k < n; k++)
        s[k] = (label_scores){ k, c.labels[k], prf_of(c.labels[k]) };
    return s;
}

/* The weakest first, those without a row last. */
static int weakest_first(const void *a, const void *b)
{
    const label_scores *x = a, *y = b;
    bool has = x->hits.actual > 0;
    if (has != (y->hits.actual > 0))
        return has ? -1 : 1;
    return x->ratios.f1 != y->ratios.f1 ? (x->ratios.f1 > y->ratios.f1) - (x->ratios.f1 < y->ratios.f1)
                                        : (x->label > y->label) - (x->label < y->label);
}

static void label_row(page *p, const label_scores *s, bool with_area)
{
    ranking r;
    row_begin(p, p->r->outcomes->model->labels[s->label]);
    cell_number(p, s->hits.actual);
    cell_number(p, s->ratios.precision);
    cell_number(p, s->ratios.recall);
    cell_number(p, s->ratios.f1);
    if (with_area)
        cell_number(p, ranking_of_column(p, &r, s->label) ? ranking_auc(&r) : NAN);
    row_end(p);
}

void section_labels(page *p)
{
    const outcomes *o = p->r->outcomes;
    size_t K = o->model->n_labels, shown = K < MOST_LABELS ? K : MOST_LABELS;
    label_scores *s = score_labels(p, K);
    bool with_area = o->n * shown <= MOST_RANKED; /* an order for each label takes a while */
    char note[128];
    if (!s)
        return;
    if (K > MOST_HEAT)
        qsort(s, K, sizeof *s, weakest_first);
    snprintf(note, sizeof note, "The weakest first; %zu of %zu.", shown, K);
    section_begin(p, "Labels", K > MOST_HEAT ? note : NULL);
    if (K > 2 * MOST_HEAT)
        fold_begin(p, "All in numbers");
    table_begin(p, NULL, with_area ? "Label|Rows|Precision|Recall|F1|ROC area" : "Label|Rows|Precision|Recall|F1");
    for (size_t k = 0; k < shown; k++)
        label_row(p, &s[k], with_area);
    table_end(p);
    if (K > 2 * MOST_HEAT)
        fold_end(p);
    section_end(p);
}
