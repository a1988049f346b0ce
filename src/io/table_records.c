/* Records of tsv, csv and txt. */
#include "io/table_records.h"

#include <stdlib.h>
#include <string.h>

bert_status table_records_add(table_records *r, const char *data, size_t size, bert_err *err)
{
    if (r->n == COLUMNS_MOST)
        return fail(err, BERT_ERR_DATA, "%s:%zu: more than %d columns", r->lines.stream.name, r->line, COLUMNS_MOST);
    if (r->n == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 16;
        bert_text *fields = realloc(r->fields, capacity * sizeof *fields);
        if (!fields)
            return fail_memory(err, r->lines.stream.name);
        r->fields = fields;
        r->capacity = capacity;
    }
    r->fields[r->n++] = (bert_text){ data, size };
    return BERT_OK;
}

bert_status table_records_line(table_records *r, bert_text *line, bool *end, bert_err *err)
{
    bert_status s = table_lines_next(&r->lines, line, end, err);
    r->lost |= s != BERT_OK;
    return s;
}

/* The line that starts a record, without its line break. */
static bert_status first_line(table_records *r, bert_text *line, bool *end, bert_err *err)
{
    bert_status s = table_records_line(r, line, end, err);
    *line = line_without_break(*line);
    r->n = 0;
    r->line = r->lines.number;
    r->blank = line->size == 0;
    return s;
}

/* ---- tsv ---- */

static bert_status tsv_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = first_line(r, &line, end, err);
    if (s || *end)
        return s;
    const char *at = line.data, *stop = line.data + line.size, *tab;
    while (!s && (tab = memchr(at, '\t', (size_t)(stop - at)))) {
        s = table_records_add(r, at, (size_t)(tab - at), err);
        at = tab + 1;
    }
    return s ? s : table_records_add(r, at, (size_t)(stop - at), err);
}

/* ---- txt ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bert_status txt_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = first_line(r, &line, end, err);
    if (s || *end)
        return s;
    const char *bar = memmem(line.data, line.size, "|||", 3);
    if (!bar)
        return table_records_add(r, line.data, line.size, err);
    const char *first_end = bar, *second = bar + 3, *stop = line.data + line.size;
    while (first_end > line.data && is_blank(first_end[-1]))
        first_end--;
    while (second < stop && is_blank(*second))
        second++;
    s = table_records_add(r, line.data, (size_t)(first_end - line.data), err);
    return s ? s : table_records_add(r, second, (size_t)(stop - second), err);
}

/* ---- csv ---- */

/* A record is copied to r->bytes without its quotes; while it grows, a field's data is not known: fields hold sizes, and follow one another. */
typedef struct csv_state {
    enum { FIELD_START, PLAIN, QUOTED, AFTER_QUOTE } state; /* AFTER_QUOTE: a quote that ends the field, or is the first of two */
    size_t field;                                           /* where the present field starts in bytes */
    size_t quote_line, quote_column;                        /* where the last quote opened */
} csv_state;

static bert_status csv_end_field(table_records *r, csv_state *c, bert_err *err)
{
    bert_status s = table_records_add(r, NULL, r->bytes->size - c->field, err);
    c->field = r->bytes->size;
    c->state = FIELD_START;
    return s;
}

/* Takes one character; column counts bytes from 1. */
static bert_status csv_take(table_records *r, csv_state *c, char ch, size_t column, bert_err *err)
{
    if (c->state == QUOTED) {
        if (ch == '"')
            c->state = AFTER_QUOTE;
        else
            buffer_char(r->bytes, ch);
    } else if (c->state == AFTER_QUOTE && ch == '"') {
        buffer_char(r->bytes, ch);
        c->state = QUOTED;
    } else if (ch == ',') {
        return csv_end_field(r, c, err);
    } else if (c->state == FIELD_START && ch == '"') {
        c->state = QUOTED;
        c->quote_line = r->lines.number;
        c->quote_column = column;
    } else if (c->state == AFTER_QUOTE) {
        return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: text behind a closing quote (a quote inside quotes is written twice)", r->lines.stream.name,
                    r->lines.number, column);
    } else {
        buffer_char(r->bytes, ch);
        c->state = PLAIN;
    }
    return BERT_OK;
}

/* Takes a line whole, its break only where quotes are open. */
static bert_status csv_take_line(table_records *r, csv_state *c, bert_text line, bert_err *err)
{
    bert_text text = line_without_break(line);
    for (size_t i = 0; i < text.size; i++) {
        bert_status s = csv_take(r, c, text.data[i], i + 1, err);
        if (s)
            return s;
    }
    if (c->state == QUOTED)
        buffer_add(r->bytes, text.data + text.size, line.size - text.size);
    if (r->bytes->failed)
        return fail_memory(err, r->lines.stream.name);
    r->lost = r->bytes->size > LINE_MOST;
    return r->lost ? line_too_long(&r->lines, r->line, err) : BERT_OK;
}

static bert_status csv_next(table_records *r, bool *end, bert_err *err)
{
    csv_state c = { 0 };
    bert_text line = { 0 };
    buffer_clear(r->bytes);
    bert_status s = table_records_line(r, &line, end, err);
    if (s || *end)
        return s;
    r->n = 0;
    r->line = r->lines.number;
    r->blank = line_without_break(line).size == 0;
    while (!(s = csv_take_line(r, &c, line, err)) && c.state == QUOTED) {
        bool open_at_end;
        if ((s = table_records_line(r, &line, &open_at_end, err)))
            return s;
        r->lost = open_at_end;
        if (open_at_end)
            return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: the quote that opens here is never closed", r->lines.stream.name, c.quote_line,
                        c.quote_column);
    }
    if (s || (s = csv_end_field(r, &c, err)))
        return s;
    const char *at = r->bytes->data ? r->bytes->data : "";
    for (size_t i = 0; i < r->n; at += r->fields[i++].size)
        r->fields[i].data = at;
    return BERT_OK;
}

/* ---- all ---- */

static const table_format FORMATS[] = {
    { "tsv", NAMED_BY_HEADER, tsv_next },           { "csv", NAMED_BY_HEADER, csv_next }, { "jsonl", NAMED_BY_KEY, table_jsonl_next },
    { "conll", NAMED_BY_NUMBER, table_conll_next }, { "txt", NAMED_BY_PLACE, txt_next },
};

const table_format *table_format_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (strlen(FORMATS[i].name) == size && !memcmp(FORMATS[i].name, name, size))
            return &FORMATS[i];
    return NULL;
}

void table_records_close(table_records *r)
{
    table_lines_close(&r->lines);
    free(r->fields);
    for (table_role role = 0; role < TABLE_ROLES; role++)
        buffer_free(&r->bytes[role]);
    json_decref(r->json);
    *r = (table_records){ 0 };
}

/* Names of columns for a message: what would upset a terminal becomes '?', and a wide table is cut short. */
static void list_names(buffer *out, const bert_text *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (out->size > 400) {
            buffer_printf(out, ", ... (%zu in all)", n);
            return;
        }
        buffer_string(out, i ? ", " : "");
        for (size_t k = 0; k < names[i].size && k < 60; k++) {
            unsigned char c = (unsigned char)names[i].data[k];
            buffer_char(out, c < ' ' || c == 127 ? '?' : (char)c);
        }
    }
}

bert_status no_such_column(const char *where, table_role role, const char *name, const bert_text *there, size_t n, bert_err *err)
{
    buffer list = { 0 };
    list_names(&list, there, n);
    bert_status s = list.failed ? fail_memory(err, "a message")
                                : fail(err, BERT_ERR_DATA, "%s: no column \"%s\"; it has %s (choose with --%s)", where, name,
                                       list.size ? list.data : "none", role == TABLE_LABEL ? "label-column" : "text-columns");
    buffer_free(&list);
    return s;
}
