/* Records of tsv and csv: a delimiter and a way of quoting. */
#include "tables/table_records.h"

#include <string.h>

/* The line that starts a record, with its line break. */
static bert_status first_line(table_records *r, bert_text *line, bool *end, bert_err *err)
{
    buffer_clear(&r->bytes);
    bert_status s = table_records_line(r, line, end, err);
    r->n = 0;
    r->line = r->lines.number;
    r->blank = line_without_break(*line).size == 0;
    r->unquoted = false;
    return s;
}

/* ---- without quotes ---------------------------------------------------------------------------------------------- */

/* Looks at a field that begins with a quote: whether it is a whole one as csv writes it, and what csv would not write
 * without quotes; or whether it goes on behind the delimiter or the line. */
static void look_at_quotes(table_records *r, bert_text field)
{
    size_t quotes = 0, pairs = 0;
    for (size_t i = 1; i < field.size; i++)
        if (field.data[i] == '"') {
            quotes++;
            if (i + 1 < field.size && field.data[i + 1] == '"') {
                quotes++;
                pairs++;
                i++;
            }
        }
    bool closed = field.size > 1 && field.data[field.size - 1] == '"' && quotes == 2 * pairs + 1;
    r->unquoted |= !closed;
    if (closed && pairs && !r->told.quoted)
        r->told.quoted = r->line;
}

static bert_status add_plain(table_records *r, const char *data, size_t size, bert_err *err)
{
    if (size && data[0] == '"')
        look_at_quotes(r, (bert_text){ data, size });
    return table_records_add(r, data, size, err);
}

/* \t, \n, \r and \\ stand for what tsv has no place for. There is room for the whole line, so bytes stay where they
 * are. */
static bert_status add_escaped(table_records *r, const char *data, size_t size, bert_err *err)
{
    static const char LETTERS[] = "tnr\\", MEANT[] = "\t\n\r\\";
    size_t before = r->bytes.size;
    for (size_t i = 0; i < size; i++) {
        const char *letter = data[i] == '\\' && i + 1 < size && data[i + 1] ? strchr(LETTERS, data[i + 1]) : NULL;
        buffer_char(&r->bytes, letter ? MEANT[letter - LETTERS] : data[i]);
        i += letter != NULL;
    }
    return table_records_add(r, r->bytes.data + before, r->bytes.size - before, err);
}

static bert_status plain_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = first_line(r, &line, end, err);
    if (s || *end)
        return s;
    line = line_without_break(line);
    bool escaped = r->quoting == QUOTING_BACKSLASH;
    if (escaped && !buffer_reserve(&r->bytes, line.size))
        return fail_memory(err, r->lines.name);
    const char *at = line.data, *stop = line.data + line.size, *next;
    while (!s && (next = memchr(at, r->delimiter, (size_t)(stop - at)))) {
        s = (escaped ? add_escaped : add_plain)(r, at, (size_t)(next - at), err);
        at = next + 1;
    }
    return s ? s : (escaped ? add_escaped : add_plain)(r, at, (size_t)(stop - at), err);
}

/* ---- quotes of csv ----------------------------------------------------------------------------------------------- */

/* A record is copied to r->bytes without its quotes; while it grows, a field's data is not known: fields hold sizes,
 * and follow one another. */
typedef struct csv_state {
    /* AFTER_QUOTE: a quote that ends the field, or is the first of two */
    enum { FIELD_START, PLAIN, QUOTED, AFTER_QUOTE } state;
    size_t field;                    /* where the present field starts in bytes */
    size_t quote_line, quote_column; /* where the last quote opened */
} csv_state;

static bert_status csv_end_field(table_records *r, csv_state *c, bert_err *err)
{
    bert_status s = table_records_add(r, NULL, r->bytes.size - c->field, err);
    c->field = r->bytes.size;
    c->state = FIELD_START;
    return s;
}

/* Takes what comes next of a line, from *at on: a field's characters up to the one that may end it, or that one. */
static bert_status csv_take(table_records *r, csv_state *c, bert_text line, size_t *at, bert_err *err)
{
    char ch = line.data[*at];
    bool quoted = c->state == QUOTED, quote = ch == '"';
    if ((quoted && !quote) ||
        (!quoted && c->state != AFTER_QUOTE && ch != r->delimiter && !(c->state == FIELD_START && quote))) {
        const char *from = line.data + *at, *stop = memchr(from, quoted ? '"' : r->delimiter, line.size - *at);
        size_t n = stop ? (size_t)(stop - from) : line.size - *at;
        buffer_add(&r->bytes, from, n);
        *at += n;
        c->state = quoted ? QUOTED : PLAIN;
        return BERT_OK;
    }
    ++*at;
    if (quoted) {
        c->state = AFTER_QUOTE;
    } else if (c->state == AFTER_QUOTE && quote) {
        buffer_char(&r->bytes, ch);
        c->state = QUOTED;
    } else if (ch == r->delimiter) {
        return csv_end_field(r, c, err);
    } else if (c->state == FIELD_START) {
        c->state = QUOTED;
        c->quote_line = r->lines.number;
        c->quote_column = *at;
    } else {
        return fail(err, BERT_ERR_DATA,
                    "%s:%zu:%zu: text behind a closing quote (a quote inside quotes is written twice)", r->lines.name,
                    r->lines.number, *at);
    }
    return BERT_OK;
}

/* Takes a line whole, its break only where quotes are open. */
static bert_status csv_take_line(table_records *r, csv_state *c, bert_text line, bert_err *err)
{
    bert_text text = line_without_break(line);
    for (size_t i = 0; i < text.size;) {
        bert_status s = csv_take(r, c, text, &i, err);
        if (s)
            return s;
    }
    if (c->state == QUOTED)
        buffer_add(&r->bytes, text.data + text.size, line.size - text.size);
    if (r->bytes.failed)
        return fail_memory(err, r->lines.name);
    r->lost = r->bytes.size > LINE_MOST;
    return r->lost ? line_too_long(&r->lines, r->line, err) : BERT_OK;
}

static bert_status csv_next(table_records *r, bool *end, bert_err *err)
{
    csv_state c = { 0 };
    bert_text line = { 0 };
    bert_status s = first_line(r, &line, end, err);
    if (s || *end)
        return s;
    while (!(s = csv_take_line(r, &c, line, err)) && c.state == QUOTED) {
        bool open_at_end;
        if ((s = table_records_line(r, &line, &open_at_end, err)))
            return s;
        r->lost = open_at_end;
        if (open_at_end)
            return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: the quote that opens here is never closed", r->lines.name,
                        c.quote_line, c.quote_column);
    }
    if (s || (s = csv_end_field(r, &c, err)))
        return s;
    const char *at = r->bytes.data ? r->bytes.data : "";
    for (size_t i = 0; i < r->n; at += r->fields[i++].size)
        r->fields[i].data = at;
    return BERT_OK;
}

bert_status table_delimited_next(table_records *r, bool *end, bert_err *err)
{
    return r->quoting == QUOTING_CSV ? csv_next(r, end, err) : plain_next(r, end, err);
}
