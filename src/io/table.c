/* Tables: which columns are wanted, where they are, and rows in batches. */
#include "base/file.h"
#include "base/options.h"
#include "io/table_records.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES = 64 << 20 }; /* a batch ends when its texts pass this, so that memory stays bounded however many rows are asked for */

struct bert_table {
    arena memory; /* names */
    const table_format *format;
    table_records records;
    bool no_header, skip_bad_rows;
    size_t n_columns; /* of a table with a header: what every row must have */
    bool waiting;     /* records holds a record that is still to be given out: the first row of a table without header */
    bool ended;
    bert_err failure;  /* found behind good rows; the next call's result */
    size_t skipped;    /* rows that were left out */
    size_t empty_line; /* the first of a run of empty lines, which are wrong unless nothing follows; 0: none */
    size_t n_empty;    /* of that run */
    /* the rows of the present batch */
    size_t capacity;
    bert_text *columns[TABLE_ROLES]; /* (capacity) */
    size_t *lines;                   /* (capacity) */
    buffer bytes;                    /* text, pair and label of each row, one behind the other */
};

static const bert_option OPTIONS[] = {
    { "input_format", BERT_OPTION_STRING, offsetof(bert_table_options, format), NULL, 0, 0, NULL, "FORMAT",
      "tsv, csv, jsonl, conll or txt; default: by the file's name, txt for standard input" },
    OPTION_STRING(bert_table_options, text_columns, NULL, "A[,B]",
                  "columns of the texts, by name or number from 1; default: text and, if there, text_pair"),
    OPTION_STRING(bert_table_options, label_column, NULL, "NAME", "column of the labels; default: label"),
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

/* ---- what is wanted ---- */

static bert_status choose_format(bert_table *t, const char *path, const char *format, bert_err *err)
{
    size_t size = strlen(path);
    const char *name = path;
    if (format) {
        t->format = table_format_find(format, strlen(format));
        return t->format ? BERT_OK : fail(err, BERT_ERR_ARGUMENT, "--input-format: \"%s\" is not one of tsv, csv, jsonl, conll, txt", format);
    }
    if (!strcmp(path, "-"))
        return t->format = table_format_find("txt", 3), BERT_OK;
    if (path_ends(path, ".gz"))
        size -= 3;
    for (size_t i = 0; i < size; i++)
        if (path[i] == '.' || path[i] == '/')
            name = path + i + 1;
    t->format = table_format_find(name, (size_t)(path + size - name));
    return t->format
               ? BERT_OK
               : fail(err, BERT_ERR_ARGUMENT,
                      "%s: is this a table? The name ends in none of .tsv, .csv, .jsonl, .conll, .txt (.gz); choose with --input-format", path);
}

/* A name that outlives the caller's options. */
static bert_status want_column(bert_table *t, table_role role, const char *name, size_t size, bool required, bert_err *err)
{
    char *copy = arena_copy(&t->memory, name, size);
    if (!copy)
        return fail_memory(err, "names of columns");
    t->records.columns[role] = (table_column){ .name = copy, .required = required, .present = true };
    return BERT_OK;
}

static bert_status want_text_columns(bert_table *t, const char *names, bert_err *err)
{
    if (!names) {
        bert_status s = want_column(t, TABLE_TEXT, "text", 4, true, err);
        return s ? s : want_column(t, TABLE_PAIR, "text_pair", 9, false, err);
    }
    const char *comma = strchr(names, ',');
    size_t size = comma ? (size_t)(comma - names) : strlen(names);
    if (!size || (comma && (!comma[1] || strchr(comma + 1, ','))))
        return fail(err, BERT_ERR_ARGUMENT, "--text-columns: \"%s\" is neither one column nor two with a comma between them", names);
    bert_status s = want_column(t, TABLE_TEXT, names, size, true, err);
    return s || !comma ? s : want_column(t, TABLE_PAIR, comma + 1, strlen(comma + 1), true, err);
}

static bert_status want_columns(bert_table *t, const bert_table_options *options, bool want_labels, bert_err *err)
{
    const char *label = options->label_column ? options->label_column : "label";
    bert_status s = want_text_columns(t, options->text_columns, err);
    return s ? s : want_column(t, TABLE_LABEL, label, strlen(label), want_labels, err);
}

/* ---- where it is ---- */

/* "1" is the first column; SIZE_MAX: not a number from 1 to n. */
static size_t column_number(const char *name, size_t n)
{
    size_t v = 0;
    for (const char *p = name; *p; p++) {
        if (*p < '0' || *p > '9' || v > n)
            return SIZE_MAX;
        v = v * 10 + (size_t)(*p - '0');
    }
    return v >= 1 && v <= n ? v - 1 : SIZE_MAX;
}

/* Finds the wanted columns among names (or, where by_number, among 1 .. n alone). */
static bert_status find_columns(bert_table *t, const bert_text *names, size_t n, bool by_number, bert_err *err)
{
    for (table_role role = 0; role < TABLE_ROLES; role++) {
        table_column *c = &t->records.columns[role];
        if (!c->present)
            continue;
        c->index = SIZE_MAX;
        for (size_t i = 0; !by_number && c->index == SIZE_MAX && i < n; i++)
            if (names[i].size == strlen(c->name) && !memcmp(names[i].data, c->name, names[i].size))
                c->index = i;
        if (c->index == SIZE_MAX)
            c->index = column_number(c->name, n);
        c->present = c->index != SIZE_MAX;
        if (!c->present && c->required)
            return no_such_column(t->records.lines.stream.name, role, c->name, names, n, err);
    }
    return BERT_OK;
}

/* "1", "2", ...: what the columns of a table without names are called. */
static bert_status find_numbered_columns(bert_table *t, size_t n, bert_err *err)
{
    bert_text *names = arena_array(&t->memory, n, sizeof *names);
    for (size_t i = 0; names && i < n; i++) {
        names[i].data = arena_printf(&t->memory, "%zu", i + 1);
        if (!names[i].data)
            names = NULL;
        else
            names[i].size = strlen(names[i].data);
    }
    return names ? find_columns(t, names, n, true, err) : fail_memory(err, "names of columns");
}

static bert_status find_columns_of_header(bert_table *t, bert_err *err)
{
    table_records *r = &t->records;
    bert_status s = t->format->next(r, &t->ended, err);
    if (s || t->ended)
        return s; /* an empty file has no columns to miss */
    t->n_columns = r->n;
    t->waiting = t->no_header;
    return t->no_header ? find_numbered_columns(t, r->n, err) : find_columns(t, r->fields, r->n, false, err);
}

/* A line of a .txt is column 1, or columns 1 and 2; by default both are texts. */
static bert_status find_columns_by_place(bert_table *t, const bert_table_options *options, bert_err *err)
{
    if (!options->text_columns) {
        t->records.columns[TABLE_TEXT].name = "1";
        t->records.columns[TABLE_PAIR].name = "2";
    }
    return find_numbered_columns(t, 2, err);
}

/* One of the numbered columns of a .conll. */
static bert_status want_number(bert_table *t, table_role role, bert_err *err)
{
    table_column *c = &t->records.columns[role];
    c->number = column_number(c->name, COLUMNS_MOST) + 1; /* SIZE_MAX + 1 is 0 */
    c->index = role;
    return c->number ? BERT_OK
                     : fail(err, BERT_ERR_DATA, "%s: no column \"%s\"; a .conll has numbers, 1 for the first (choose with --%s)",
                            t->records.lines.stream.name, c->name, role == TABLE_LABEL ? "label-column" : "text-columns");
}

/* By default the first column is the word and the last one the tag. */
static bert_status find_columns_by_number(bert_table *t, const bert_table_options *options, bert_err *err)
{
    table_column *columns = t->records.columns;
    if (options->text_columns && columns[TABLE_PAIR].present)
        return fail(err, BERT_ERR_ARGUMENT, "--text-columns: \"%s\" are two, and a .conll has one text", options->text_columns);
    columns[TABLE_PAIR].present = false;
    if (!options->text_columns)
        columns[TABLE_TEXT].name = "1";
    columns[TABLE_LABEL].index = TABLE_LABEL;
    bert_status s = want_number(t, TABLE_TEXT, err);
    return s || !options->label_column ? s : want_number(t, TABLE_LABEL, err);
}

static bert_status locate_columns(bert_table *t, const bert_table_options *options, bert_err *err)
{
    switch (t->format->naming) {
    case NAMED_BY_HEADER:
        return find_columns_of_header(t, err);
    case NAMED_BY_PLACE:
        return find_columns_by_place(t, options, err);
    case NAMED_BY_NUMBER:
        return find_columns_by_number(t, options, err);
    case NAMED_BY_KEY:
        for (table_role role = 0; role < TABLE_ROLES; role++)
            t->records.columns[role].index = role;
    }
    return BERT_OK;
}

bert_status bert_table_open(const char *path, const bert_table_options *options, bool want_labels, bert_table **table, bert_err *err)
{
    bert_table_options defaults;
    bert_table_defaults(&defaults);
    if (!options)
        options = &defaults;
    bert_table *t = calloc(1, sizeof *t);
    char *name = t ? arena_string(&t->memory, path) : NULL;
    bert_status s = name ? choose_format(t, name, options->format, err) : fail_memory(err, path);
    if (!s)
        s = want_columns(t, options, want_labels, err);
    if (!s)
        s = table_lines_open(&t->records.lines, name, err);
    if (!s) {
        t->no_header = options->no_header;
        t->skip_bad_rows = options->skip_bad_rows;
        s = locate_columns(t, options, err);
    }
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
    uint64_t ahead = l->stream.gzip ? 0 : l->end - l->start; /* in the window, for later rows; unpacked bytes are none of the file's */
    *read = table_stream_used(&l->stream) - ahead;
    *total = l->stream.size;
    *read = *total && *read > *total ? *total : *read; /* the file grew */
}

size_t bert_table_skipped(const bert_table *t)
{
    return t->skipped;
}

void bert_table_close(bert_table *t)
{
    if (!t)
        return;
    table_records_close(&t->records);
    for (table_role role = 0; role < TABLE_ROLES; role++)
        free(t->columns[role]);
    free(t->lines);
    buffer_free(&t->bytes);
    arena_free(&t->memory);
    free(t);
}

/* ---- rows ---- */

static bert_status check_width(const bert_table *t, bert_err *err)
{
    const table_records *r = &t->records;
    const char *name = r->lines.stream.name;
    if (t->format->naming == NAMED_BY_HEADER && !t->no_header && r->n != t->n_columns)
        return fail(err, BERT_ERR_DATA, "%s:%zu: columns: %zu, the header has %zu", name, r->line, r->n, t->n_columns);
    for (table_role role = 0; role < TABLE_ROLES; role++) {
        const table_column *c = &r->columns[role];
        if (c->present && c->required && c->index >= r->n)
            return fail(err, BERT_ERR_DATA, "%s:%zu: columns: %zu, column %zu is wanted", name, r->line, r->n, c->index + 1);
    }
    return BERT_OK;
}

/* The next record that is a row. An empty line is an empty text in a .txt and where the table has one column; else it is allowed at the end
 * of the file alone. */
static bert_status next_row(bert_table *t, bert_err *err)
{
    table_records *r = &t->records;
    bool empty_is_row = t->format->naming == NAMED_BY_PLACE || (t->format->naming == NAMED_BY_HEADER && t->n_columns == 1);
    while (!t->ended) {
        bert_status s = t->waiting ? BERT_OK : t->format->next(r, &t->ended, err);
        t->waiting = false;
        if (s || t->ended)
            return s;
        if (r->blank && !empty_is_row) {
            t->empty_line = t->empty_line ? t->empty_line : r->line;
            t->n_empty++;
            continue;
        }
        if (t->empty_line && !t->skip_bad_rows)
            return fail(err, BERT_ERR_DATA, "%s:%zu: an empty line", r->lines.stream.name, t->empty_line);
        t->skipped += t->n_empty;
        t->empty_line = t->n_empty = 0;
        return check_width(t, err);
    }
    return BERT_OK;
}

static bool grow(bert_table *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : 64; /* no overflow: a row has bytes in the window */
    size_t *lines = realloc(t->lines, capacity * sizeof *lines);
    if (!lines)
        return false;
    t->lines = lines;
    for (table_role role = 0; role < TABLE_ROLES; role++) {
        bert_text *texts = realloc(t->columns[role], capacity * sizeof *texts);
        if (!texts)
            return false;
        t->columns[role] = texts;
    }
    t->capacity = capacity;
    return true;
}

/* Copies the present record to row i; its texts' addresses are not known yet, for bytes may move. */
static bert_status keep_row(bert_table *t, size_t i, bert_err *err)
{
    const table_records *r = &t->records;
    if (i == t->capacity && !grow(t))
        return fail_memory(err, r->lines.stream.name);
    t->lines[i] = r->line;
    for (table_role role = 0; role < TABLE_ROLES; role++) {
        const table_column *c = &r->columns[role];
        bert_text field = c->present && c->index < r->n ? r->fields[c->index] : (bert_text){ "", 0 };
        t->columns[role][i].size = field.size;
        buffer_add(&t->bytes, field.data, field.size);
    }
    return t->bytes.failed ? fail_memory(err, r->lines.stream.name) : BERT_OK;
}

static void place_texts(bert_table *t, size_t n)
{
    const char *at = t->bytes.data;
    for (size_t i = 0; i < n; i++)
        for (table_role role = 0; role < TABLE_ROLES; role++) {
            t->columns[role][i].data = at;
            at += t->columns[role][i].size;
        }
}

/* Whether an error is one of a row that can be left out. */
static bool left_out(bert_table *t, bert_status s)
{
    bool skip = t->skip_bad_rows && s == BERT_ERR_DATA && !t->records.lost;
    t->skipped += skip;
    return skip;
}

/* Reads rows until there are `most`, or many bytes, or the next is not here yet and somebody could use those that are. */
static bert_status fill(bert_table *t, size_t most, size_t *n, bert_err *err)
{
    while (*n < most && t->bytes.size < BATCH_BYTES && !(*n && table_lines_would_wait(&t->records.lines))) {
        bert_status s = next_row(t, err);
        if (!s && t->ended)
            return BERT_OK;
        if (left_out(t, s))
            continue;
        if (!s)
            s = keep_row(t, *n, err);
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
