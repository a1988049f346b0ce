/* Records of conll files: a sentence's words with a space between them, and its tags likewise. The format is that of the shared tasks of CoNLL-2000 and
 * CoNLL-2003 (Tjong Kim Sang and De Meulder). */
#include "io/table_records.h"

#include <string.h>

/* What a line's columns are to a sentence. */
typedef struct conll_line {
    size_t n; /* columns */
    bert_text first;
    bert_text wanted[TABLE_ROLES]; /* of size 0 where the line lacks it */
} conll_line;

static conll_line split_line(const table_records *r, bert_text line)
{
    conll_line out = { 0 };
    bert_text column = { 0 };
    for (size_t i = 0, start; i < line.size;) {
        for (; i < line.size && table_blank(line.data[i]); i++) {
        }
        for (start = i; i < line.size && !table_blank(line.data[i]); i++) {
        }
        if (i == start)
            break;
        column = (bert_text){ line.data + start, i - start };
        out.first = out.n++ ? out.first : column;
        for (table_role role = 0; role < TABLE_ROLES; role++)
            if (r->columns[role].present && r->columns[role].number == out.n)
                out.wanted[role] = column;
    }
    if (!r->columns[TABLE_LABEL].number && out.n > 1)
        out.wanted[TABLE_LABEL] = column;
    return out;
}

static bool ends_sentence(const conll_line *line)
{
    static const char document[] = "-DOCSTART-";
    return !line->n || (line->first.size == strlen(document) && !memcmp(line->first.data, document, line->first.size));
}

/* Adds a word and its tag. *tagged becomes false where the tag is missing and may be. */
static bert_status add_word(table_records *r, const conll_line *line, bool *tagged, bert_err *err)
{
    bool begins = !r->bytes[TABLE_TEXT].size;
    for (table_role role = 0; role < TABLE_ROLES; role++) {
        const table_column *c = &r->columns[role];
        if (!line->wanted[role].size && c->present && c->required)
            return fail(err, BERT_ERR_DATA, "%s:%zu: columns: %zu, column %zu is wanted", r->lines.stream.name, r->lines.number, line->n,
                        c->number ? c->number : 2);
        if (!begins)
            buffer_char(&r->bytes[role], ' ');
        buffer_add(&r->bytes[role], line->wanted[role].data, line->wanted[role].size);
        if (r->bytes[role].failed)
            return fail_memory(err, r->lines.stream.name);
    }
    *tagged &= line->wanted[TABLE_LABEL].size > 0;
    r->lost = r->bytes[TABLE_TEXT].size > LINE_MOST || r->bytes[TABLE_LABEL].size > LINE_MOST;
    return r->lost ? line_too_long(&r->lines, r->line, err) : BERT_OK;
}

/* Reads lines up to the end of the next sentence; *open: there is one. */
static bert_status read_sentence(table_records *r, bool *open, bool *tagged, bert_err *err)
{
    for (;;) {
        bert_text text = { 0 };
        bool end;
        bert_status s = table_records_line(r, &text, &end, err);
        if (s || end)
            return s;
        conll_line line = split_line(r, text);
        if (ends_sentence(&line)) {
            if (*open)
                return BERT_OK;
            r->passing = false;
        } else if (!r->passing) {
            r->line = *open ? r->line : r->lines.number;
            *open = true;
            if ((s = add_word(r, &line, tagged, err))) {
                r->passing = true;
                return s;
            }
        }
    }
}

bert_status table_conll_next(table_records *r, bool *end, bert_err *err)
{
    bool open = false, tagged = true;
    r->n = 0;
    r->blank = false;
    for (table_role role = 0; role < TABLE_ROLES; role++)
        buffer_clear(&r->bytes[role]);
    bert_status s = read_sentence(r, &open, &tagged, err);
    *end = !open;
    for (table_role role = 0; !s && open && role < TABLE_ROLES; role++) {
        bool there = r->columns[role].present && (role != TABLE_LABEL || tagged);
        s = table_records_add(r, there ? r->bytes[role].data : "", there ? r->bytes[role].size : 0, err);
    }
    return s;
}
