/* The texts of JSON rows. */
#include "tables/table_json_text.h"

/* How far into an item. */
typedef struct json_place {
    size_t depth; /* of brackets */
    bool quoted, escaped;
} json_place;

/* How many of the bytes are the item's, up to the ',' or ']' that ends it; all, where it goes on behind them. */
static size_t take_item(json_place *p, bert_text bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        char c = bytes.data[i];
        if (p->quoted) {
            p->quoted = p->escaped || c != '"';
            p->escaped = !p->escaped && c == '\\';
            continue;
        }
        if (!p->depth && (c == ',' || c == ']'))
            return i;
        p->quoted = c == '"';
        p->depth += c == '{' || c == '[';
        p->depth -= p->depth && (c == '}' || c == ']');
    }
    return bytes.size;
}

static void go_on(json_items *l, size_t n)
{
    l->rest = (bert_text){ l->rest.data + n, l->rest.size - n };
}

static void pass_blanks(json_items *l)
{
    while (l->rest.size && word_blank(l->rest.data[0]))
        go_on(l, 1);
}

/* A row of a list ends where its brackets do: in a line that is not UTF-8 nobody knows. */
static bert_status next_line(table_records *r, bool *end, bert_err *err)
{
    bert_status s = table_records_line(r, &r->items.line, end, err);
    r->items.rest = r->items.line;
    r->lost |= r->fault.line != 0;
    return s;
}

static bert_status next_line_of_list(table_records *r, bert_err *err)
{
    bool end;
    bert_status s = next_line(r, &end, err);
    if (s || !end)
        return s;
    r->lost = true;
    return fail(err, BERT_ERR_DATA, "%s:%zu: the file ends, and its list is not closed", r->lines.name,
                r->lines.number);
}

/* Passes over the lines behind the list, which are empty. */
static bert_status end_list(table_records *r, bool *end, bert_err *err)
{
    bert_status s = BERT_OK;
    for (*end = false; !s && !*end; s = next_line(r, end, err)) {
        pass_blanks(&r->items);
        if (!r->items.rest.size)
            continue;
        r->lost = true;
        return fail(err, BERT_ERR_DATA, "%s:%zu: text behind the end of the list", r->lines.name, r->lines.number);
    }
    return s;
}

/* Takes the rest of an item that begins at l->rest, lines of which that are no more are in r->bytes. */
static bert_status read_json_text(table_records *r, bert_text *text, bert_err *err)
{
    json_items *l = &r->items;
    json_place p = { 0 };
    size_t n;
    bert_status s;
    while ((n = take_item(&p, l->rest)) == l->rest.size) {
        buffer_add(&r->bytes, l->rest.data, n);
        r->lost |= r->bytes.size > LINE_MOST || r->bytes.failed;
        if (r->lost)
            return r->bytes.failed ? fail_memory(err, r->lines.name) : line_too_long(&r->lines, r->line, err);
        if ((s = next_line_of_list(r, err)))
            return s;
    }
    *text = (bert_text){ l->rest.data, n };
    if (r->bytes.size) {
        buffer_add(&r->bytes, l->rest.data, n);
        *text = (bert_text){ r->bytes.data, r->bytes.size };
    }
    l->form = l->rest.data[n] == ']' ? JSON_LIST_ENDED : JSON_LIST;
    go_on(l, n + 1);
    return r->bytes.failed ? fail_memory(err, r->lines.name) : BERT_OK;
}

static bert_status next_value(table_records *r, bert_text *text, size_t *column, bool *end, bert_err *err)
{
    json_items *l = &r->items;
    bool first = l->form == JSON_LIST_BEGINS;
    bert_status s;
    buffer_clear(&r->bytes);
    for (pass_blanks(l); !l->rest.size; pass_blanks(l))
        if ((s = next_line_of_list(r, err)))
            return s;
    r->line = r->lines.number;
    *column = count_characters(l->line.data, l->line.size - l->rest.size);
    s = read_json_text(r, text, err);
    if (s || !first || text->size || l->form != JSON_LIST_ENDED)
        return s;
    return end_list(r, end, err); /* "[]" */
}

bert_status table_json_text(table_records *r, bert_text *text, size_t *column, bool *end, bert_err *err)
{
    json_items *l = &r->items;
    *end = false;
    *column = 0;
    if (l->form == JSON_LIST_ENDED)
        return end_list(r, end, err);
    if (l->form == JSON_LIST)
        return next_value(r, text, column, end, err);
    bert_status s = table_records_line(r, &l->line, end, err);
    l->rest = *text = l->line;
    r->line = r->lines.number;
    pass_blanks(l);
    if (s || *end || l->form == JSON_LINES || !l->rest.size)
        return s;
    l->form = l->rest.data[0] == '[' ? JSON_LIST_BEGINS : JSON_LINES;
    if (l->form == JSON_LINES)
        return BERT_OK;
    r->lost |= r->fault.line != 0;
    go_on(l, 1);
    return next_value(r, text, column, end, err);
}
