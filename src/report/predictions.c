/* The table of predictions. A format is how a cell is written and what stands between; rows are the same for all. */
#include "report/report.h"

#include "base/fields.h"
#include "base/file.h"
#include "base/options.h"
#include "task/label_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One cell; name is the column's. */
typedef struct cell {
    const char *name;
    bert_text text;
    bool number;
} cell;

typedef struct prediction_format {
    const char *suffix, *start, *between, *end; /* of a row */
    bool header;
    void (*write)(buffer *b, const cell *c);
} prediction_format;

/* ---- cells ---- */

static bert_text text_of_string(const char *s)
{
    return (bert_text){ s, strlen(s) };
}

static void write_tsv(buffer *b, const cell *c)
{
    field_tsv(b, c->text.data, c->text.size);
}

static void write_csv(buffer *b, const cell *c)
{
    field_csv(b, c->text.data, c->text.size);
}

static void write_jsonl(buffer *b, const cell *c)
{
    field_json(b, c->name, strlen(c->name));
    buffer_string(b, ": ");
    if (c->number && !isfinite(strtod(c->text.data, NULL)))
        buffer_string(b, "null");
    else if (c->number)
        buffer_add(b, c->text.data, c->text.size);
    else
        field_json(b, c->text.data, c->text.size);
}

static const prediction_format FORMATS[] = {
    { ".tsv", "", "\t", "\n", true, write_tsv },
    { ".csv", "", ",", "\n", true, write_csv },
    { ".jsonl", "{", ", ", "}\n", false, write_jsonl },
};

/* ---- rows ---- */

typedef struct prediction_table {
    const outcomes *o;
    const bert_dataset *data;
    double threshold;
    const prediction_format *format;
    char **score_names; /* (n_scores) */
    size_t n_scores;    /* a label each; 0 for numbers, which are the prediction, and for tags */
    buffer row, words;
    size_t cells; /* of the row at hand so far */
} prediction_table;

static void predictions_add_cell(prediction_table *t, const char *name, bert_text text, bool number)
{
    buffer_string(&t->row, t->cells++ ? t->format->between : t->format->start);
    t->format->write(&t->row, &(cell){ name, text, number });
}

static void end_row(prediction_table *t)
{
    buffer_string(&t->row, t->format->end);
    t->cells = 0;
}

static void add_header(prediction_table *t)
{
    static const char *const names[] = { "text", "text_pair", "label", "prediction" };
    for (size_t i = 0; i < 4; i++)
        if (i != 1 || t->data->pairs)
            predictions_add_cell(t, names[i], text_of_string(names[i]), false);
    for (size_t k = 0; k < t->n_scores; k++)
        predictions_add_cell(t, t->score_names[k], text_of_string(t->score_names[k]), false);
    end_row(t);
}

/* A cell of what stands in `words`, which is emptied. */
static void predictions_add_words(prediction_table *t, const char *name, bool number)
{
    t->row.failed |= t->words.failed;
    predictions_add_cell(t, name, (bert_text){ t->words.data ? t->words.data : "", t->words.size }, number);
    buffer_clear(&t->words);
}

/* The label as it is written in the data; of a number, the number. */
static void add_label(prediction_table *t, size_t row)
{
    bert_text label = t->data->label_texts[row];
    if (t->o->task->kind->numeric) {
        double x;
        buffer_printf(&t->words, "%.9g", label_number(label, &x) ? x : NAN);
        predictions_add_words(t, "label", true);
    } else {
        predictions_add_cell(t, "label", label, false);
    }
}

static void predictions_add_row(prediction_table *t, size_t row)
{
    predictions_add_cell(t, "text", t->data->texts[row], false);
    if (t->data->pairs)
        predictions_add_cell(t, "text_pair", t->data->pairs[row], false);
    add_label(t, row);
    t->o->task->kind->predicted_words(&t->words, t->o, row, t->threshold);
    predictions_add_words(t, "prediction", t->o->task->kind->numeric);
    for (size_t k = 0; k < t->n_scores; k++) {
        buffer_printf(&t->words, "%.9g", (double)t->o->scores[row * t->o->columns + k]);
        predictions_add_words(t, t->score_names[k], true);
    }
    end_row(t);
}

static bool name_scores(prediction_table *t)
{
    size_t n = t->o->truth->start ? 0 : t->o->model->n_labels;
    t->score_names = calloc(n + 1, sizeof *t->score_names);
    if (!t->score_names)
        return false;
    for (; t->n_scores < n; t->n_scores++) {
        buffer name = { 0 };
        buffer_printf(&name, "score_%s", t->o->model->labels[t->n_scores]);
        if (!(t->score_names[t->n_scores] = buffer_take(&name)))
            return false;
    }
    return true;
}

static void table_free(prediction_table *t)
{
    for (size_t k = 0; k < t->n_scores; k++)
        free(t->score_names[k]);
    free(t->score_names);
    buffer_free(&t->row);
    buffer_free(&t->words);
}

static bert_status predictions_write_rows(prediction_table *t, const char *path, bert_err *err)
{
    file_writer w;
    bert_status s = file_create(&w, path, err);
    if (s)
        return s;
    if (t->format->header)
        add_header(t);
    for (size_t row = 0; row <= t->data->n && !s; row++) {
        file_write(&w, t->row.data, t->row.size);
        s = t->row.failed ? fail_memory(err, path) : file_failed(&w, err);
        buffer_clear(&t->row);
        if (row < t->data->n)
            predictions_add_row(t, row);
    }
    if (!s)
        return file_commit(&w, err);
    file_abort(&w);
    return s;
}

bert_status predictions_write(const outcomes *o, const bert_dataset *data, double threshold, const char *path,
                              bert_err *err)
{
    prediction_table t = { .o = o, .data = data, .threshold = threshold };
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (path_ends(path, FORMATS[i].suffix))
            t.format = &FORMATS[i];
    if (!t.format)
        return fail(err, BERT_ERR_ARGUMENT, "%s: predictions are written as .tsv, .csv or .jsonl", path);
    locale_t before = uselocale(plain_locale());
    bert_status s = name_scores(&t) ? predictions_write_rows(&t, path, err) : fail_memory(err, path);
    uselocale(before);
    table_free(&t);
    return s;
}
