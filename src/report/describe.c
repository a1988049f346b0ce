/* The summary of training and validation data, as a table for people or as JSON. */
#include "base/buffer.h"
#include "base/options.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "report/data_summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LABELS_SHOWN = 20, NAME_WIDTH = 32, LABEL_WIDTH = 22, CELL_WIDTH = 18 };

/* What is described: training data, and validation data where there is some. */
typedef struct description {
    data_summary sides[2];
    size_t n; /* sides */
    size_t seq_len;
    const task *task;
    size_t shared;     /* rows of the second side whose texts are in the first, too */
    char notes[4][64]; /* two a side at most */
    size_t n_notes;
} description;

static const char *const SIDES[] = { "train", "valid" };

/* A label for people: what is no character or would upset a terminal becomes '?', a long one is cut. Returns its width
 * in characters. */
static size_t add_name(buffer *out, bert_text name)
{
    size_t width = 0, length;
    if (!name.size) {
        buffer_string(out, "(none)");
        return 6;
    }
    for (size_t i = 0; i < name.size; i += length ? length : 1, width++) {
        uint32_t c = 0;
        if (width == LABEL_WIDTH) {
            buffer_string(out, "...");
            return width + 3;
        }
        length = utf8_decode((const unsigned char *)name.data + i, name.size - i, &c);
        bool fine = length && c >= ' ' && c != 127 && !(c >= 0x80 && c < 0xA0);
        buffer_add(out, fine ? name.data + i : "?", fine ? length : 1);
    }
    return width;
}

static double share_of(size_t n, size_t of)
{
    return of ? (double)n / (double)of : 0;
}

/* ---- notes ---- */

static bool all_equal(const data_summary *s, bool numbers)
{
    return s->d->n > 1 &&
           (numbers ? s->numbers && s->smallest == s->largest : s->words.n == 1 && s->labels[0].n == s->labelled);
}

/* What training says of the labels by itself, once it begins, is not said here: words that are all the same in the
 * training data, those of a single row, and those that only the validation data has. */
static void note_side(description *d, size_t side)
{
    const data_summary *s = &d->sides[side];
    bool numbers = d->task->kind->numeric;
    if (numbers && s->no_numbers)
        snprintf(d->notes[d->n_notes++], sizeof *d->notes, "%s: %zu labels are no numbers", SIDES[side], s->no_numbers);
    if ((numbers || side == 1) && all_equal(s, numbers))
        snprintf(d->notes[d->n_notes++], sizeof *d->notes, "%s: all labels are equal", SIDES[side]);
}

/* ---- for people ---- */

static void add_cell(buffer *out, const char *name, size_t width, const char *const cells[2], size_t n)
{
    buffer_printf(out, "%s%*s", name, (int)(width < NAME_WIDTH ? NAME_WIDTH - width : 1), "");
    for (size_t i = 0; i < n; i++)
        buffer_printf(out, "%*s", CELL_WIDTH, cells[i]);
    buffer_char(out, '\n');
}

/* A line of one cell a side. */
static void line(buffer *out, const description *d, const char *name, char cells[2][64])
{
    add_cell(out, name, strlen(name), (const char *const[]){ cells[0], cells[1] }, d->n);
}

static void line_of_counts(buffer *out, const description *d, const char *name, size_t train, size_t valid, bool always)
{
    char cells[2][64];
    if (!always && !train && !valid)
        return;
    snprintf(cells[0], sizeof *cells, "%zu", train);
    snprintf(cells[1], sizeof *cells, "%zu", valid);
    line(out, d, name, cells);
}

static void count_and_share(char cell[64], size_t n, size_t of)
{
    snprintf(cell, 64, "%zu  %5.1f %%", n, 100 * share_of(n, of));
}

static void lines_of_labels(buffer *out, const description *d)
{
    const data_summary *s = d->sides;
    size_t most = s->words.n > LABELS_SHOWN + 1 ? LABELS_SHOWN : s->words.n; /* not "1 more" */
    for (size_t k = 0; k < most; k++) {
        buffer name = { 0 };
        char cells[2][64];
        buffer_printf(&name, "%s ", d->task->kind->word);
        size_t width = name.size + add_name(&name, s->labels[k].label);
        for (size_t i = 0; i < d->n; i++)
            count_and_share(cells[i], data_summary_label(&s[i], s->labels[k].label), s[i].labelled);
        if (!name.failed)
            add_cell(out, name.data, width, (const char *const[]){ cells[0], cells[1] }, d->n);
        out->failed |= name.failed;
        buffer_free(&name);
    }
    if (most < s->words.n)
        buffer_printf(out, "... %zu more\n", s->words.n - most);
}

static void lines_of_numbers(buffer *out, const description *d)
{
    char cells[3][2][64];
    const data_summary *s = d->sides;
    for (size_t i = 0; i < d->n; i++) {
        snprintf(cells[0][i], 64, "%.6g", s[i].numbers ? s[i].smallest : NAN);
        snprintf(cells[1][i], 64, "%.6g", s[i].mean);
        snprintf(cells[2][i], 64, "%.6g", s[i].numbers ? s[i].largest : NAN);
    }
    line(out, d, "label, least", cells[0]);
    line(out, d, "label, mean", cells[1]);
    line(out, d, "label, largest", cells[2]);
}

/* Bars of eight heights; a stroke stands where rows begin to be cut. Returns into `bar`. */
static void draw_histogram(const data_summary *s, buffer *bar)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    size_t most = 1;
    for (size_t k = 0; k < LENGTH_BINS; k++)
        most = s->histogram[k] > most ? s->histogram[k] : most;
    for (size_t k = 0; k < LENGTH_BINS; k++) {
        if (k == BINS_THAT_FIT)
            buffer_string(bar, "|");
        buffer_string(bar, blocks[(s->histogram[k] * 8 + most - 1) / most]);
    }
}

static void line_of_histograms(buffer *out, const description *d)
{
    char name[64];
    enum { WIDTH = LENGTH_BINS + 1 };
    snprintf(name, sizeof name, "1 to %zu|%zu to %zu, more", d->seq_len, d->seq_len + 1,
             length_bin_end(LENGTH_BINS - 2, d->seq_len));
    buffer_printf(out, "%-*s", NAME_WIDTH, name);
    for (size_t i = 0; i < d->n; i++) {
        buffer_printf(out, "%*s", CELL_WIDTH - WIDTH, "");
        draw_histogram(&d->sides[i], out);
    }
    buffer_char(out, '\n');
}

static void lines_of_lengths(buffer *out, const description *d)
{
    const data_summary *s = d->sides;
    char name[64], cells[2][64];
    buffer_string(out, "tokens of a row\n");
    line_of_counts(out, d, "  least", s[0].shortest, s[1].shortest, true);
    line_of_counts(out, d, "  median", s[0].median, s[1].median, true);
    for (size_t i = 0; i < d->n; i++)
        snprintf(cells[i], 64, "%.1f", s[i].mean_length);
    line(out, d, "  mean", cells);
    line_of_counts(out, d, "  95 % have at most", s[0].percentile_95, s[1].percentile_95, true);
    line_of_counts(out, d, "  most", s[0].longest, s[1].longest, true);
    for (size_t i = 0; i < d->n; i++)
        count_and_share(cells[i], s[i].cut, s[i].d->n);
    snprintf(name, sizeof name, "  cut at seq_len %zu", d->seq_len);
    line(out, d, name, cells);
    line_of_histograms(out, d);
}

static void write_text(buffer *out, const description *d)
{
    const data_summary *s = d->sides;
    const bert_dataset *train = s[0].d, *valid = d->n > 1 ? s[1].d : NULL;
    add_cell(out, "data", 4, SIDES, d->n);
    line_of_counts(out, d, "rows", train->n, valid ? valid->n : 0, true);
    line_of_counts(out, d, "wrong rows left out", train->skipped, valid ? valid->skipped : 0, false);
    line_of_counts(out, d, "rows with an empty text", s[0].empty, s[1].empty, false);
    line_of_counts(out, d, "rows twice", s[0].twice, s[1].twice, false);
    line_of_counts(out, d, "texts of several labels", s[0].several, s[1].several, false);
    line_of_counts(out, d, "rows without a label", s[0].unlabelled, s[1].unlabelled, false);
    if (valid) {
        const char *cells[] = { "", "" };
        char shared[64];
        snprintf(shared, sizeof shared, "%zu", d->shared);
        cells[1] = shared;
        add_cell(out, "rows that train has, too", 24, cells, 2);
    }
    if (d->task->kind->numeric)
        lines_of_numbers(out, d);
    else
        lines_of_labels(out, d);
    lines_of_lengths(out, d);
    for (size_t i = 0; i < d->n_notes; i++)
        buffer_printf(out, "note: %s\n", d->notes[i]);
}

/* ---- as JSON ---- */

/* A label in full; bytes that are not UTF-8 are left out, for JSON cannot hold them. */
static json_t *json_of_label(bert_text label)
{
    buffer b = { 0 };
    for (size_t i = 0, length; i < label.size; i += length ? length : 1) {
        uint32_t c;
        length = utf8_decode((const unsigned char *)label.data + i, label.size - i, &c);
        buffer_add(&b, label.data + i, length);
    }
    json_t *out = b.failed ? NULL : json_stringn(b.size ? b.data : "", b.size);
    buffer_free(&b);
    return out;
}

static json_t *json_of_labels(const data_summary *s)
{
    json_t *out = json_array();
    for (size_t k = 0; out && k < s->words.n; k++) {
        json_add(&out, json_pack("{s:o, s:I, s:f}", "label", json_of_label(s->labels[k].label), "n",
                                 (json_int_t)s->labels[k].n, "share", share_of(s->labels[k].n, s->labelled)));
    }
    return out;
}

static json_t *json_of_numbers(const data_summary *s)
{
    if (!s->numbers)
        return json_null();
    return json_pack("{s:f, s:f, s:f}", "min", s->smallest, "mean", s->mean, "max", s->largest);
}

static json_t *json_of_histogram(const data_summary *s, size_t seq_len)
{
    json_t *out = json_array();
    for (size_t k = 0; out && k < LENGTH_BINS; k++) {
        size_t last = length_bin_end(k, seq_len);
        json_add(&out, json_pack("{s:o, s:I}", "to", last < SIZE_MAX ? json_integer((json_int_t)last) : json_null(),
                                 "rows", (json_int_t)s->histogram[k]));
    }
    return out;
}

static json_t *json_of_tokens(const data_summary *s, size_t seq_len)
{
    return json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:o}", "min", (json_int_t)s->shortest, "median",
                     (json_int_t)s->median, "mean", s->mean_length, "p95", (json_int_t)s->percentile_95, "max",
                     (json_int_t)s->longest, "cut", (json_int_t)s->cut, "histogram", json_of_histogram(s, seq_len));
}

static json_t *json_of_side(const description *d, size_t side)
{
    const data_summary *s = &d->sides[side];
    bool numbers = d->task->kind->numeric;
    json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "rows", (json_int_t)s->d->n, "skipped",
                            (json_int_t)s->d->skipped, "empty", (json_int_t)s->empty, "twice", (json_int_t)s->twice,
                            "several_labels", (json_int_t)s->several, "unlabelled", (json_int_t)s->unlabelled,
                            numbers ? "numbers" : "labels", numbers ? json_of_numbers(s) : json_of_labels(s), "tokens",
                            json_of_tokens(s, d->seq_len));
    if (side == 1)
        json_put(&out, "in_train", json_integer((json_int_t)d->shared));
    return out;
}

static void write_json(buffer *out, const description *d)
{
    json_t *json = json_pack("{s:s, s:I, s:o}", "task", d->task->name, "seq_len", (json_int_t)d->seq_len, "train",
                             json_of_side(d, 0));
    if (d->n > 1)
        json_put(&json, "valid", json_of_side(d, 1));
    json_t *notes = json_array();
    for (size_t i = 0; i < d->n_notes; i++)
        json_add(&notes, json_string(d->notes[i]));
    json_put(&json, "notes", notes);
    json_print(out, json);
    json_decref(json);
}

/* ---- */

static bert_status describe(description *d, const bert_dataset *const data[2], const bert_model *model, bert_err *err)
{
    bert_status s = task_of_model(model, &d->task, err);
    d->seq_len = s ? 0 : (size_t)model->layer->spec.seq_len;
    for (d->n = 0; !s && d->n < 2 && data[d->n]; d->n++)
        s = data_summary_create(&d->sides[d->n], data[d->n], model, d->task, err);
    if (s)
        return s;
    if (d->n > 1)
        d->shared = data_summary_shared(&d->sides[1], &d->sides[0]);
    for (size_t i = 0; i < d->n; i++)
        note_side(d, i);
    return BERT_OK;
}

bert_status bert_dataset_describe(const bert_dataset *train, const bert_dataset *valid, const bert_model *model,
                                  bool json, char **out, bert_err *err)
{
    description d = { 0 };
    buffer text = { 0 };
    locale_t before = uselocale(plain_locale());
    *out = NULL;
    bert_status s = describe(&d, (const bert_dataset *const[]){ train, valid }, model, err);
    if (!s)
        (json ? write_json : write_text)(&text, &d);
    if (!s && !(*out = buffer_take(&text)))
        s = fail_memory(err, "the summary of a data set");
    uselocale(before);
    buffer_free(&text);
    for (size_t i = 0; i < 2; i++)
        data_summary_free(&d.sides[i]);
    return s;
}
