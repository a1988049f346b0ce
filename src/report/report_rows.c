/* Rows of the data: the worst mistakes with their texts, and how long texts are. */
#include "report/plot.h"
#include "report/report_sections.h"
#include "base/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MISTAKES = 20, MOST_CHARACTERS = 300, MOST_WRONG_WORDS = 8, LENGTH_BINS = 32 };

/* ---- mistakes ---- */

typedef struct mistake {
    size_t row;
    double weight; /* how wrong */
} mistake;

/* The worst first; of equals the earlier row. */
static int by_weight(const void *a, const void *b)
{
    const mistake *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight)
                                  : (x->row > y->row) - (x->row < y->row);
}

/* The sum of what is wrong in a row; NaN where all is right. */
static double wrongness(const outcomes *o, size_t row, double threshold)
{
    outcome_span s = outcomes_of_row(o, row);
    double sum = NAN;
    for (size_t i = s.first; i < s.last; i++) {
        double wrong = o->task->kind->wrong(o, i, threshold);
        sum = isnan(wrong) ? sum : isnan(sum) ? wrong : sum + wrong;
    }
    return sum;
}

/* All that are wrong, the worst first. */
static mistake *find_mistakes(page *p, size_t *n)
{
    const outcomes *o = p->r->outcomes;
    mistake *m = page_array(p, p->r->data->n, sizeof *m);
    *n = 0;
    for (size_t row = 0; m && row < p->r->data->n; row++) {
        double w = wrongness(o, row, p->r->threshold);
        if (!isnan(w))
            m[(*n)++] = (mistake){ row, w };
    }
    if (m)
        qsort(m, *n, sizeof *m, by_weight);
    return m;
}

static void add_texts(page *p, size_t row)
{
    const bert_dataset *d = p->r->data;
    buffer_string(&p->out, "<td class=\"text\"><div>");
    page_cut(p, d->texts[row], MOST_CHARACTERS);
    buffer_string(&p->out, "</div>");
    if (d->pairs && d->pairs[row].size) {
        buffer_string(&p->out, "<div>");
        page_cut(p, d->pairs[row], MOST_CHARACTERS);
        buffer_string(&p->out, "</div>");
    }
    buffer_string(&p->out, "</td>");
}

/* The words of a sentence that have the wrong tag: "Paris: B-LOC, not O". */
static void add_wrong_words(page *p, size_t row)
{
    const outcomes *o = p->r->outcomes;
    outcome_span s = outcomes_of_row(o, row);
    size_t at = 0, start = 0, end = 0, shown = 0;
    buffer_string(&p->out, "<td class=\"l\">");
    for (size_t i = s.first; i < s.last; i++) {
        if (!word_next(p->r->data->texts[row], &at, &start, &end))
            break;
        if (isnan(o->task->kind->wrong(o, i, p->r->threshold)))
            continue;
        if (shown++ == MOST_WRONG_WORDS) {
            buffer_string(&p->out, "…");
            break;
        }
        buffer_string(&p->out, "<div><b>");
        page_cut(p, (bert_text){ p->r->data->texts[row].data + start, end - start }, 40);
        page_between(p, "</b> is ", o->model->labels[o->truth->ids[i]], ", not ");
        page_between(p, "", o->model->labels[outcome_label(o, i, p->r->threshold)], "</div>");
    }
    buffer_string(&p->out, "</td>");
}

static void add_words_cell(page *p, buffer *words)
{
    p->out.failed |= words->failed;
    buffer_string(&p->out, "<td class=\"l\">");
    page_cut(p, (bert_text){ words->data ? words->data : "", words->size }, 80);
    buffer_string(&p->out, "</td>");
    buffer_clear(words);
}

static void add_wrong_numbers(page *p, size_t row)
{
    const outcomes *o = p->r->outcomes;
    cell_number(p, outcome_truth(o, row));
    cell_number(p, (double)o->scores[row * o->columns]);
}

static void add_sets(page *p, size_t row)
{
    const outcomes *o = p->r->outcomes;
    buffer words = { 0 };
    o->task->kind->true_words(&words, o, row);
    add_words_cell(p, &words);
    o->task->kind->predicted_words(&words, o, row, p->r->threshold);
    add_words_cell(p, &words);
    buffer_free(&words);
}

/* Label, prediction, and the score of what was predicted. */
static void add_wrong_labels(page *p, size_t row)
{
    const outcomes *o = p->r->outcomes;
    add_sets(p, row);
    cell_number(p, (double)o->scores[row * o->columns + outcome_label(o, row, p->r->threshold)]);
}

typedef struct mistake_form {
    unsigned section;
    const char *heads;
    void (*add)(page *p, size_t row); /* the cells between text and weight */
} mistake_form;

static const mistake_form FORMS[] = {
    { PAGE_WRONG_LABELS, "Line|<Text|<Label|<Predicted|Score|Loss", add_wrong_labels },
    { PAGE_WRONG_SETS, "Line|<Text|<Labels|<Predicted|Loss", add_sets },
    { PAGE_DISTANCES, "Line|<Text|Label|Predicted|Distance", add_wrong_numbers },
    { PAGE_WRONG_WORDS, "Line|<Text|<Wrong words|Loss", add_wrong_words },
};

static void add_mistake(page *p, const mistake_form *form, const mistake *m)
{
    row_begin_number(p, (double)p->r->data->lines[m->row], false);
    add_texts(p, m->row);
    form->add(p, m->row);
    cell_number(p, m->weight < 1e30 ? m->weight : INFINITY);
    row_end(p);
}

void section_mistakes(page *p)
{
    size_t n;
    const mistake *m = p->r->data ? find_mistakes(p, &n) : NULL;
    if (!m || n == 0)
        return;
    const label_kind *kind = p->r->outcomes->task->kind;
    const mistake_form *form = FORMS;
    while (!(form->section & kind->sections))
        form++;
    char note[160];
    size_t shown = n < MOST_MISTAKES ? n : MOST_MISTAKES;
    if (kind->numeric)
        snprintf(note, sizeof note, "The %zu rows whose prediction is furthest from the label.", shown);
    else
        snprintf(note, sizeof note,
                 "%zu of %zu rows are wrong; the %zu with the highest loss are shown. Some of these labels may be "
                 "wrong themselves.",
                 n, p->r->data->n, shown);
    section_begin(p, "Worst mistakes", note);
    table_begin(p, NULL, form->heads);
    for (size_t i = 0; i < shown; i++)
        add_mistake(p, form, &m[i]);
    table_end(p);
    section_end(p);
}

/* ---- lengths ---- */

/* Tokens of a sequence; rows whose texts are encoded apart have two. Calls add for each. */
static void count_lengths(const token_rows *t, double *counts, size_t bins, size_t width)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t all = token_rows_length(t, i), first = t->form == ROW_APART ? t->second[i] : all;
        size_t a = first / width, b = (all - first) / width;
        counts[a < bins ? a : bins - 1]++;
        if (t->form == ROW_APART)
            counts[b < bins ? b : bins - 1]++;
    }
}

/* Shares of the sequences by length, in percent. */
static double *length_shares(page *p, const token_rows *t, size_t bins, size_t width)
{
    double *shares = page_array(p, bins, sizeof *shares), all = (double)(t->n * token_rows_sequences(t));
    if (!shares)
        return NULL;
    count_lengths(t, shares, bins, width);
    for (size_t i = 0; i < bins; i++)
        shares[i] = all > 0 ? 100 * shares[i] / all : 0;
    return shares;
}

static double mean_length(const token_rows *t)
{
    return t->n ? (double)t->start[t->n] / (double)(t->n * token_rows_sequences(t)) : NAN;
}

static void length_row(page *p, const char *name, const token_rows *t)
{
    row_begin(p, name);
    cell_count(p, t->n);
    cell_number(p, mean_length(t));
    cell_count(p, t->losses.truncated);
    cell_percent(p, t->n ? (double)t->losses.truncated / (double)(t->n * token_rows_sequences(t)) : NAN);
    row_end(p);
}

static void length_tables(page *p, const plot *f, size_t bins, size_t width)
{
    fold_begin(p, "Numbers");
    table_begin(p, "Share of the texts", f->n > 1 ? "Tokens|Training %|Validation %" : "Tokens|Share %");
    for (size_t i = 0; i < bins; i++) {
        char range[64];
        snprintf(range, sizeof range, "%zu to %zu", i * width, (i + 1) * width - 1);
        row_begin(p, range);
        for (size_t k = 0; k < f->n; k++)
            cell_number(p, f->series[k].y[i]);
        row_end(p);
    }
    table_end(p);
    fold_end(p);
}

void section_lengths(page *p)
{
    const token_rows *valid = p->r->tokens, *train = p->r->train_tokens;
    size_t longest = p->r->seq_len, bins = 0;
    if ((!valid || !valid->n) && (!train || !train->n))
        return;
    for (int k = 0; k < 2; k++)
        if ((k ? train : valid) && (k ? train : valid)->longest > longest)
            longest = (k ? train : valid)->longest;
    size_t width = longest / LENGTH_BINS + 1;
    bins = longest / width + 1;
    double *edges = page_array(p, bins + 1, sizeof *edges);
    double *in_train = train ? length_shares(p, train, bins, width) : NULL,
           *in_valid = valid ? length_shares(p, valid, bins, width) : NULL;
    if (!edges || (train && !in_train) || (valid && !in_valid))
        return;
    for (size_t i = 0; i <= bins; i++)
        edges[i] = (double)(i * width);
    char mark[48];
    snprintf(mark, sizeof mark, "cut at %zu", p->r->seq_len);
    plot_series series[2];
    plot f = plot_of("Lengths in tokens", "How many tokens texts have, as shares of the texts",
                     "tokens, with [CLS] and [SEP]", "% of texts", series, 0);
    f.x_min = f.y_min = 0;
    f.marked = p->r->seq_len ? (double)p->r->seq_len : NAN;
    f.mark_name = mark;
    if (train)
        series[f.n++] = (plot_series){ valid ? "training" : NULL, PLOT_BARS, 0, bins, edges, in_train, NULL };
    if (valid)
        series[f.n++] = (plot_series){ train ? "validation" : NULL, PLOT_BARS, 1, bins, edges, in_valid, NULL };
    section_begin(p, "Lengths", "Texts longer than the limit lose their end.");
    figures_begin(p);
    figure_begin(p, &f);
    length_tables(p, &f, bins, width);
    figure_end(p);
    figures_end(p);
    table_begin(p, NULL, "Data|Rows|Mean tokens|Cut|Share cut");
    if (train)
        length_row(p, "training", train);
    if (valid)
        length_row(p, train ? "validation" : "this data", valid);
    table_end(p);
    section_end(p);
}
