/* Tables: what is asked for, and rows in batches. */
#include "base/file.h"
#include "base/size.h"
#include "base/options.h"
#include "tables/table.h"
#include "tables/table_columns.h"
#include "tables/table_labels.h"
#include "tables/table_notes.h"

#include <stdlib.h>
#include <string.h>

/* a batch ends when its texts pass this, so that memory stays bounded however many rows are asked for */
enum { BATCH_BYTES = 64 << 20 };

struct bert_table {
    arena memory; /* names */
    table_records records;
    bool no_header, skip_bad_rows;
    size_t n_columns; /* of the first record of a .tsv or .csv: what every row must have */
    /* records holds a record that is still to be given out: the first row of a table without header */
    bool waiting;
    bool ended;
    bert_err failure; /* found behind good rows; the next call's result */
    size_t n_empty;   /* empty lines behind the last row */
    buffer note;
    /* the rows of the present batch */
    size_t capacity;
    bert_text *columns[TABLE_LEAST]; /* (capacity) */
    size_t *lines;                   /* (capacity) */
    buffer bytes;                    /* text, pair and label of each row, one behind the other */
};

static const char *const QUOTINGS[] = { "auto", "none", "csv", "backslash", NULL };

static const bert_option OPTIONS[] = {
    { "input_format", BERT_OPTION_STRING, offsetof(bert_table_options, format), NULL, 0, 0, NULL, "FORMAT",
      "tsv, csv, jsonl, json, conll or txt; default: by the file's name, txt for standard input" },
    OPTION_STRING(bert_table_options, encoding, NULL, "NAME",
                  "utf-8, latin-1, cp1252, utf-16, any that iconv knows; utf-8-drop leaves out bytes that are not "
                  "UTF-8; default: utf-8, or what a byte order mark says"),
    OPTION_STRING(bert_table_options, text_columns, NULL, "A[,B]",
                  "columns of the texts, by name or number from 1; default: text and, if there, text_pair"),
    OPTION_STRING(bert_table_options, label_column, NULL, "NAME[,...]",
                  "column of the labels; default: label; several: columns of 0 and 1, one a label"),
    OPTION_STRING(bert_table_options, label_names, NULL, "A,B,...",
                  "names of the labels 0, 1, ..., also of a list of 0 and 1"),
    OPTION_CHOICE(bert_table_options, quoting, "auto", QUOTINGS, "WORD",
                  "fields as text, in quotes as csv has them, or with \\t, \\n, \\r and \\\\ in them; auto: csv of a "
                  ".csv, none of a .tsv"),
    OPTION_BOOL(bert_table_options, word_tags, NULL,
                "a label is a tag for each word of its text, with blanks between (so it is with task tokens)"),
    OPTION_BOOL(bert_table_options, no_header, NULL, "the first row is data, and columns are numbers"),
    OPTION_BOOL(bert_table_options, skip_bad_rows, NULL, "leave out rows that are wrong, and count them"),
};

bert_option_table bert_table_option_table(void)
{
    return OPTION_TABLE(OPTIONS);
}

void bert_table_defaults(bert_table_options *options)
{
    bert_options_defaults(options, OPTION_TABLE(OPTIONS));
}

/* ---- opening ---- */

static bert_status choose_format(const table_format **out, const char *path, const char *format, bert_err *err)
{
    size_t size = strlen(path);
    const char *name = path;
    if (format) {
        *out = table_format_find(format, strlen(format));
        return *out ? BERT_OK
                    : fail(err, BERT_ERR_ARGUMENT,
                           "--input-format: \"%s\" is not one of tsv, csv, jsonl, json, conll, txt", format);
    }
    if (!strcmp(path, "-"))
        return *out = table_format_find("txt", 3), BERT_OK;
    if (path_ends(path, ".gz"))
        size -= 3;
    for (size_t i = 0; i < size; i++)
        if (path[i] == '.' || path[i] == '/')
            name = path + i + 1;
    *out = table_format_find(name, (size_t)(path + size - name));
    return *out ? BERT_OK
                : fail(err, BERT_ERR_ARGUMENT,
                       "%s: is this a table? The name ends in none of .tsv, .csv, .jsonl, .json, .conll, .txt (.gz); "
                       "choose with --input-format",
                       path);
}

static bert_status choose_quoting(table_records *r, const bert_table_options *options, bert_err *err)
{
    r->delimiter = r->format->delimiter;
    r->word_tags = options->word_tags;
    r->quoting_chosen = options->quoting != QUOTING_AUTO;
    r->quoting = r->quoting_chosen ? (table_quoting)options->quoting : r->format->quoting;
    if (r->quoting_chosen && r->format->naming != NAMED_BY_HEADER)
        return fail(err, BERT_ERR_ARGUMENT, "--quoting: a .%s has no fields that may be in quotes", r->format->name);
    return BERT_OK;
}

static bert_status open_table(bert_table *t, const char *path, const bert_table_options *options, bool want_labels,
                              bert_err *err)
{
    table_records *r = &t->records;
    char *name = arena_string(&t->memory, path),
         *encoding = options->encoding ? arena_string(&t->memory, options->encoding) : NULL;
    if (!name || (options->encoding && !encoding))
        return fail_memory(err, path);
    bert_status s = options_check(options, OPTION_TABLE(OPTIONS), err);
    if (!s)
        s = choose_format(&r->format, name, options->format, err);
    if (!s)
        s = choose_quoting(r, options, err);
    if (!s)
        s = table_columns_want(r, options, want_labels, &t->memory, err);
    if (!s)
        s = table_names_open(r, options->label_names, &t->memory, err);
    if (!s)
        s = table_lines_open(&r->lines, name, encoding, err);
    if (s)
        return s;
    t->no_header = options->no_header;
    t->skip_bad_rows = options->skip_bad_rows;
    s = table_columns_find(r, options, &t->memory, &t->ended, err);
    t->n_columns = r->n;
    t->waiting = !s && !t->ended && t->no_header && r->format->naming == NAMED_BY_HEADER;
    return s;
}

bert_status bert_table_open(const char *path, const bert_table_options *options, bool want_labels, bert_table **table,
                            bert_err *err)
{
    bert_table_options defaults;
    bert_table_defaults(&defaults);
    bert_table *t = calloc(1, sizeof *t);
    bert_status s = t ? open_table(t, path, options ? options : &defaults, want_labels, err) : fail_memory(err, path);
    if (s) {
        bert_table_close(t);
        t = NULL;
    }
    *table = t;
    return s;
}

void bert_table_progress(const bert_table *t, uint64_t *read, uint64_t *total)
{
    const table_lines *l = &t->records.lines;
    *read = table_text_used(&l->text, l->end - l->start);
    *total = l->text.stream.size;
    *read = *total && *read > *total ? *total : *read; /* the file grew */
}

size_t bert_table_skipped(const bert_table *t)
{
    return t->records.counts.skipped;
}

const char *bert_table_note(bert_table *t, size_t i)
{
    t->records.counts.ended = t->ended;
    return table_note(&t->records, i, &t->note) ? t->note.data : NULL;
}

table_facts table_facts_of(const bert_table *t)
{
    const table_records *r = &t->records;
    return (table_facts){ r->form, r->format->naming == NAMED_BY_NUMBER && !r->told.ranges, r->counts.first.message };
}

void bert_table_close(bert_table *t)
{
    if (!t)
        return;
    table_records_close(&t->records);
    for (size_t i = 0; i < TABLE_LEAST; i++)
        free(t->columns[i]);
    free(t->lines);
    buffer_free(&t->bytes);
    buffer_free(&t->note);
    arena_free(&t->memory);
    free(t);
}

/* ---- rows ---- */

/* Of a table with names every row has as many columns, and of csv without: another comma moves all behind it. Columns
 * between tabs may be fewer or more where they go by number, as in the files of STS-B; that is told. */
static bert_status check_width(bert_table *t, bert_err *err)
{
    table_records *r = &t->records;
    bool header = r->format->naming == NAMED_BY_HEADER, other = header && r->n != t->n_columns;
    if (header && !other)
        return BERT_OK; /* the columns were found among as many */
    bool loose = t->no_header && r->quoting != QUOTING_CSV;
    const char *hint = r->unquoted ? "; a field opens a quote: --quoting csv reads fields in quotes" : "";
    if (other && !loose)
        return fail(err, BERT_ERR_DATA, "%s:%zu: columns: %zu, the %s has %zu%s", r->lines.name, r->line, r->n,
                    t->no_header ? "first row" : "header", t->n_columns, hint);
    for (size_t i = 0; i < r->n_columns; i++) {
        const table_column *c = &r->columns[i];
        if (c->present && c->required && c->index >= r->n)
            return fail(err, BERT_ERR_DATA, "%s:%zu: columns: %zu, column %zu is wanted%s", r->lines.name, r->line,
                        r->n, c->index + 1, hint);
    }
    r->told.other_line = other && !r->told.others++ ? r->line : r->told.other_line;
    return BERT_OK;
}

/* The next record that is a row. An empty line is an empty text in a .txt and where the table has one column; else it
 * is none. */
static bert_status next_row(bert_table *t, bert_err *err)
{
    table_records *r = &t->records;
    table_naming naming = r->format->naming;
    bool empty_is_row = naming == NAMED_BY_PLACE || (naming == NAMED_BY_HEADER && t->n_columns == 1);
    while (!t->ended) {
        bert_status s = t->waiting ? BERT_OK : table_records_next(r, &t->ended, err);
        t->waiting = false;
        if (s || t->ended)
            return s;
        if (r->blank && !empty_is_row) {
            t->n_empty++;
            continue;
        }
        t->records.counts.empty += t->n_empty; /* at the end of a file nobody wants to know of them */
        t->n_empty = 0;
        return check_width(t, err);
    }
    return BERT_OK;
}

static bool table_grow(bert_table *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : 64; /* no overflow: a row has bytes in the window */
    bool fine = true;
    t->lines = array_sized(t->lines, capacity, sizeof *t->lines, &fine);
    for (size_t i = 0; i < TABLE_LEAST; i++)
        t->columns[i] = array_sized(t->columns[i], capacity, sizeof *t->columns[i], &fine);
    t->capacity = fine ? capacity : t->capacity;
    return fine;
}

/* Copies the present record to row i; its texts' addresses are not known yet, for bytes may move. */
static bert_status keep_row(bert_table *t, size_t i, bert_err *err)
{
    table_records *r = &t->records;
    size_t before = t->bytes.size;
    if (i == t->capacity && !table_grow(t))
        return fail_memory(err, r->lines.name);
    t->lines[i] = r->line;
    for (size_t k = 0; k < TABLE_LEAST; k++) {
        size_t start = t->bytes.size;
        bert_status s = BERT_OK;
        bert_text field = table_field(r, k);
        if (k == TABLE_LABEL && r->columns[k].required && table_label_changes(r, field))
            s = table_label_add(r, &t->bytes, err);
        else
            buffer_add(&t->bytes, field.data, field.size);
        if (s) {
            t->bytes.size = before;
            return s;
        }
        t->columns[k][i].size = t->bytes.size - start;
    }
    if (r->told.n_names && !r->told.first_row)
        r->told.first_row = table_repeats_names(r);
    return t->bytes.failed ? fail_memory(err, r->lines.name) : BERT_OK;
}

static void place_texts(bert_table *t, size_t n)
{
    const char *at = t->bytes.data;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < TABLE_LEAST; k++) {
            t->columns[k][i].data = at;
            at += t->columns[k][i].size;
        }
}

/* Whether an error is one of a row that can be left out. */
static bool left_out(bert_table *t, const bert_err *failure)
{
    bool skip = t->skip_bad_rows && failure->code == BERT_ERR_DATA && !t->records.lost;
    if (skip && !t->records.counts.skipped++)
        t->records.counts.first = *failure;
    return skip;
}

/* Reads rows until there are `most`, or many bytes, or the next is not here yet and somebody could use those that
 * are. */
static bert_status fill(bert_table *t, size_t most, size_t *n, bert_err *err)
{
    while (*n < most && t->bytes.size < BATCH_BYTES && !(*n && table_lines_would_wait(&t->records.lines))) {
        bert_status s = next_row(t, err);
        if (!s && t->ended)
            return BERT_OK;
        if (!s)
            s = keep_row(t, *n, err);
        if (s && left_out(t, err))
            continue;
        if (s)
            return s;
        ++*n;
    }
    return BERT_OK;
}

bert_status bert_table_next(bert_table *t, size_t most, bert_rows *rows, bert_err *err)
{
    *rows = (bert_rows){ 0 };
    size_t n = 0;
    buffer_clear(&t->bytes);
    bert_err failure = { 0 };
    if (!t->failure.code && fill(t, most, &n, &failure))
        t->failure = failure;
    if (t->failure.code && !n) { /* good rows first, then what is wrong, however rows are grouped */
        if (err)
            *err = t->failure;
        return t->failure.code;
    }
    place_texts(t, n);
    rows->n = n;
    rows->texts = t->columns[TABLE_TEXT];
    rows->pairs = t->records.columns[TABLE_PAIR].present ? t->columns[TABLE_PAIR] : NULL;
    rows->labels = t->records.columns[TABLE_LABEL].present ? t->columns[TABLE_LABEL] : NULL;
    rows->lines = t->lines;
    return BERT_OK;
}
