/* Notes: a function each, which writes it or nothing. */
#include "tables/table_notes.h"

typedef void (*note)(const table_records *r, buffer *out);

static const char *s_of(size_t n)
{
    return n == 1 ? "" : "s";
}

static void note_encoding(const table_records *r, buffer *out)
{
    if (r->lines.text.marked)
        buffer_printf(out, "%s: read as %s, as its byte order mark says", r->lines.name, r->lines.text.encoding);
}

static void newline(const table_records *r, buffer *out)
{
    if (r->lines.newline == '\r')
        buffer_printf(out, "%s: its lines end with CR alone, as on old Macs", r->lines.name);
}

static void note_dropped(const table_records *r, buffer *out)
{
    size_t n = r->lines.text.dropped;
    if (n)
        buffer_printf(out, "%s: %zu byte%s that %s not UTF-8 %s dropped (--encoding utf-8-drop)", r->lines.name, n,
                      s_of(n), n == 1 ? "is" : "are", n == 1 ? "was" : "were");
}

static void first_row(const table_records *r, buffer *out)
{
    if (r->told.first_row)
        buffer_printf(
            out,
            "%s: its first row is read as the names of the columns, and looks like data; --no-header reads it as a row",
            r->lines.name);
}

static void others(const table_records *r, buffer *out)
{
    if (r->told.others)
        buffer_printf(out, "%s:%zu: %zu row%s not as many columns as the first one; columns go by their numbers",
                      r->lines.name, r->told.other_line, r->told.others, r->told.others == 1 ? " has" : "s have");
}

static void quoted(const table_records *r, buffer *out)
{
    if (r->told.quoted && !r->quoting_chosen)
        buffer_printf(out,
                      "%s:%zu: a whole field is in quotes, which are read as text, as in the files of GLUE; --quoting "
                      "csv reads them as pandas writes them",
                      r->lines.name, r->told.quoted);
}

static void empty(const table_records *r, buffer *out)
{
    if (r->counts.empty)
        buffer_printf(out, "%s: %zu empty line%s %s no row%s", r->lines.name, r->counts.empty, s_of(r->counts.empty),
                      r->counts.empty == 1 ? "is" : "are", s_of(r->counts.empty));
}

static void comments(const table_records *r, buffer *out)
{
    if (r->told.comments)
        buffer_printf(out, "%s: %zu comment%s (# before a sentence) passed over", r->lines.name, r->told.comments,
                      s_of(r->told.comments));
}

static void ranges(const table_records *r, buffer *out)
{
    if (r->told.ranges)
        buffer_printf(out, "%s: CoNLL-U's lines of ranges and of words that are not written (1-2, 1.1) are passed over",
                      r->lines.name);
}

static void tags(const table_records *r, buffer *out)
{
    if (r->tags.from[0])
        buffer_printf(out, "%s: its tags are turned into BIO: %s is %s%s", r->lines.name, r->tags.from, r->tags.became,
                      r->tags.from[0] == 'I' && r->tags.from[1] == '-' ? " where an entity begins" : "");
}

static void spans(const table_records *r, buffer *out)
{
    if (r->told.within)
        buffer_printf(
            out,
            "%s: %zu of %zu spans begin or end within a word, which is tagged whole (words are what blanks divide)",
            r->lines.name, r->told.within, r->told.spans);
}

static void renamed(const table_records *r, buffer *out)
{
    if (r->told.renamed)
        buffer_printf(out, "%s: blanks in the labels of spans are \"_\" in their tags", r->lines.name);
}

/* Only at the end is it known. */
static void unused(const table_records *r, buffer *out)
{
    size_t n = 0;
    for (size_t i = 0; r->counts.ended && r->columns[TABLE_LABEL].required && i < r->n_names; i++) {
        if (r->uses[i])
            continue;
        if (n == 20)
            buffer_string(out, ", ...");
        if (n++ < 20) {
            buffer_printf(out, n > 1 ? ", " : "%s: no row has the label ", r->lines.name);
            buffer_add(out, r->names[i].data, r->names[i].size);
        }
    }
}

static void skipped(const table_records *r, buffer *out)
{
    if (r->counts.skipped)
        buffer_printf(out, "%s: %zu wrong row%s left out (--skip-bad-rows); the first: %s", r->lines.name,
                      r->counts.skipped, r->counts.skipped == 1 ? " was" : "s were", r->counts.first.message);
}

bool table_note(const table_records *r, size_t i, buffer *out)
{
    static const note NOTES[] = { note_encoding, newline, note_dropped, first_row, others,  quoted, empty,
                                  comments,      ranges,  tags,         spans,     renamed, unused, skipped };
    buffer_clear(out);
    for (size_t k = 0; k < sizeof NOTES / sizeof *NOTES; k++) {
        buffer_clear(out);
        NOTES[k](r, out);
        if (out->size && !i--)
            return !out->failed;
    }
    buffer_clear(out);
    return false;
}
