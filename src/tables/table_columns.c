/* Which columns of a table are wanted, and where they are. */
#include "tables/table_columns.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

/* A name that outlives the caller's options. */
static bert_status want_column(table_records *r, arena *memory, table_column column, size_t size, bert_err *err)
{
    bool fine = true;
    r->columns = array_grown(r->columns, r->n_columns, sizeof column, &fine);
    column.name = arena_copy(memory, column.name, size);
    if (!fine || !column.name)
        return fail_memory(err, "names of columns");
    column.present = true;
    r->columns[r->n_columns++] = column;
    return BERT_OK;
}

static bert_status want_texts(table_records *r, const char *names, arena *memory, bert_err *err)
{
    if (!names) {
        bert_status s = want_column(r, memory, (table_column){ .name = "text", .required = true }, 4, err);
        return s ? s : want_column(r, memory, (table_column){ .name = "text_pair" }, 9, err);
    }
    const char *comma = strchr(names, ',');
    size_t size = comma ? (size_t)(comma - names) : strlen(names);
    if (!size || (comma && (!comma[1] || strchr(comma + 1, ','))))
        return fail(err, BERT_ERR_ARGUMENT,
                    "--text-columns: \"%s\" is neither one column nor two with a comma between them", names);
    bert_status s = want_column(r, memory, (table_column){ .name = names, .required = true, .named = true }, size, err);
    table_column second = { .name = comma ? comma + 1 : "text_pair",
                            .required = comma != NULL,
                            .named = comma != NULL };
    if (!s)
        s = want_column(r, memory, second, strlen(second.name), err);
    if (!s)
        r->columns[TABLE_PAIR].present = comma != NULL;
    return s;
}

static bert_status want_labels(table_records *r, const char *names, bool required, arena *memory, bert_err *err)
{
    const char *given = names;
    for (names = names ? names : "label"; names;) {
        const char *comma = strchr(names, ',');
        size_t size = comma ? (size_t)(comma - names) : strlen(names);
        if (!size)
            return fail(err, BERT_ERR_ARGUMENT, "--label-column: \"%s\" has an empty name", given);
        bert_status s = want_column(
            r, memory, (table_column){ .name = names, .required = required, .named = given != NULL }, size, err);
        if (s)
            return s;
        names = comma ? comma + 1 : NULL;
    }
    return BERT_OK;
}

bert_status table_columns_want(table_records *r, const bert_table_options *options, bool labels, arena *memory,
                               bert_err *err)
{
    bert_status s = want_texts(r, options->text_columns, memory, err);
    return s ? s : want_labels(r, options->label_column, labels, memory, err);
}

/* ---- what is missing --------------------------------------------------------------------------------------------- */

/* Names of columns for a message: what would upset a terminal becomes '?', and a wide table is cut short. */
static void list_columns(buffer *out, const bert_text *names, size_t n)
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

/* Three words and more are a text. */
static bool is_sentence(bert_text name)
{
    size_t words = 0;
    for (size_t i = 0; i < name.size; i++)
        words += name.data[i] != ' ' && (!i || name.data[i - 1] == ' ');
    return words >= 3;
}

/* What the only column is divided by, where it should be several. */
static const char *other_delimiter(const table_records *r, bert_text name)
{
    static const struct {
        char is;
        const char *hint;
    } DELIMITERS[] = {
        { '\t', "tabs divide its columns: --input-format tsv; " },
        { ',', "commas divide its columns: --input-format csv; " },
        { ';', "semicolons divide its columns: write tabs or commas; " },
    };
    for (size_t i = 0; i < sizeof DELIMITERS / sizeof *DELIMITERS; i++)
        if (r->delimiter != DELIMITERS[i].is && memchr(name.data, DELIMITERS[i].is, name.size))
            return DELIMITERS[i].hint;
    return "";
}

/* What may be wrong with the names: that they are in quotes, one, or a row. */
static const char *hint_of(const table_records *r, const bert_text *names, size_t n)
{
    bool sentence = false;
    if (r->format->naming != NAMED_BY_HEADER || !n)
        return "";
    if (r->quoting == QUOTING_NONE && names[0].size > 1 && names[0].data[0] == '"' &&
        names[0].data[names[0].size - 1] == '"')
        return "--quoting csv takes the quotes off; ";
    if (n == 1 && names[0].size && *other_delimiter(r, names[0]))
        return other_delimiter(r, names[0]);
    for (size_t i = 0; i < n; i++)
        sentence |= is_sentence(names[i]);
    return sentence ? "--no-header where the first row is data, and columns are numbers; " : "";
}

bert_status no_such_column(const char *where, const table_records *r, size_t column, const bert_text *there, size_t n,
                           bert_err *err)
{
    buffer list = { 0 };
    list_columns(&list, there, n);
    bert_status s = list.failed ? fail_memory(err, "a message")
                                : fail(err, BERT_ERR_DATA, "%s: no column \"%s\"; it has %s (%schoose with --%s)",
                                       where, r->columns[column].name, list.size ? list.data : "none",
                                       hint_of(r, there, n), column >= TABLE_LABEL ? "label-column" : "text-columns");
    buffer_free(&list);
    return s;
}

/* ---- where it is ------------------------------------------------------------------------------------------------- */

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

/* What is called "1" and stands elsewhere may as well be a value of the first row. */
static bert_status two_columns(const table_records *r, bert_text name, size_t number, const table_column *c,
                               bert_err *err)
{
    buffer list = { 0 };
    list_columns(&list, &name, 1);
    bert_status s = list.failed ? fail_memory(err, "a message")
                                : fail(err, BERT_ERR_DATA,
                                       "%s: \"%s\" may be column %zu, \"%s\", or column %zu, which is called so; "
                                       "--no-header where the first row is data, else write other names",
                                       r->lines.name, c->name, number + 1, list.data ? list.data : "", c->index + 1);
    buffer_free(&list);
    return s;
}

/* Finds the wanted columns among names (or, where by_number, among 1 .. n alone). */
static bert_status find_columns(table_records *r, const bert_text *names, size_t n, bool by_number, bert_err *err)
{
    for (size_t k = 0; k < r->n_columns; k++) {
        table_column *c = &r->columns[k];
        if (!c->present)
            continue;
        c->index = SIZE_MAX;
        for (size_t i = 0; !by_number && i < n; i++) {
            if (!text_is(names[i], c->name))
                continue;
            if (c->index != SIZE_MAX)
                return fail(err, BERT_ERR_DATA,
                            "%s: columns %zu and %zu are both called \"%s\"; choose one by its number", r->lines.name,
                            c->index + 1, i + 1, c->name);
            c->index = i;
        }
        size_t number = column_number(c->name, n);
        if (c->index != SIZE_MAX && number != SIZE_MAX && number != c->index)
            return two_columns(r, names[number], number, c, err);
        if (c->index == SIZE_MAX)
            c->index = number;
        c->present = c->index != SIZE_MAX;
        if (!c->present && c->required)
            return no_such_column(r->lines.name, r, k, names, n, err);
    }
    return BERT_OK;
}

/* "1", "2", ...: what the columns of a table without names are called. */
static bert_status find_numbered_columns(table_records *r, size_t n, arena *memory, bert_err *err)
{
    bert_text *names = arena_array(memory, n, sizeof *names);
    for (size_t i = 0; names && i < n; i++) {
        names[i].data = arena_printf(memory, "%zu", i + 1);
        if (!names[i].data)
            names = NULL;
        else
            names[i].size = strlen(names[i].data);
    }
    return names ? find_columns(r, names, n, true, err) : fail_memory(err, "names of columns");
}

static bool is_column_number(bert_text name)
{
    size_t digits = 0, others = 0;
    for (size_t i = 0; i < name.size; i++) {
        bool digit = name.data[i] >= '0' && name.data[i] <= '9';
        digits += digit;
        others += !digit && !strchr("+-.", name.data[i]);
    }
    return digits && !others;
}

/* Where columns are found by their numbers, nobody has looked at the names: they may be the first row of a table
 * without any. A sentence above texts and a number above anything look so; what stands in a row below, too
 * (table_repeats_names). */
static bert_status suspect_names(table_records *r, arena *memory, bert_err *err)
{
    bool by_number = false, suspect = false;
    for (size_t k = 0; k < r->n_columns; k++) {
        const table_column *c = &r->columns[k];
        bool numbered = c->present && !text_is(r->fields[c->index], c->name);
        by_number |= numbered;
        suspect |= numbered && k < TABLE_LABEL && is_sentence(r->fields[c->index]);
    }
    if (!by_number)
        return BERT_OK;
    bert_text *names = arena_array(memory, r->n, sizeof *names);
    for (size_t i = 0; names && i < r->n; i++) {
        suspect |= is_column_number(r->fields[i]);
        names[i] = (bert_text){ arena_copy(memory, r->fields[i].data, r->fields[i].size), r->fields[i].size };
        names = names[i].data ? names : NULL;
    }
    if (!names)
        return fail_memory(err, "names of columns");
    r->told.first_row = suspect;
    r->told.names = names;
    r->told.n_names = r->n;
    return BERT_OK;
}

bool table_repeats_names(const table_records *r)
{
    size_t same = 0, n = 0;
    for (; n < r->told.n_names && n < r->n; n++)
        same += r->fields[n].size && text_equal(r->fields[n], r->told.names[n]);
    return same && same < n; /* all of them: tables with a header each, one behind the other */
}

/* Empty lines before the names are none. An empty file has no columns to miss. */
static bert_status find_columns_of_header(table_records *r, bool no_header, arena *memory, bool *ended, bert_err *err)
{
    bert_status s;
    do
        s = table_records_next(r, ended, err);
    while (!s && !*ended && r->blank && !no_header);
    if (s || *ended)
        return s;
    if (no_header)
        return find_numbered_columns(r, r->n, memory, err);
    s = find_columns(r, r->fields, r->n, false, err);
    return s ? s : suspect_names(r, memory, err);
}

/* A line of a .txt is column 1, or columns 1 and 2; by default both are texts. */
static bert_status find_columns_by_place(table_records *r, arena *memory, bert_err *err)
{
    if (!r->columns[TABLE_TEXT].named) {
        r->columns[TABLE_TEXT].name = "1";
        r->columns[TABLE_PAIR].name = "2";
    }
    return find_numbered_columns(r, 2, memory, err);
}

/* One of the numbered columns of a .conll. */
static bert_status want_number(table_records *r, size_t column, bert_err *err)
{
    table_column *c = &r->columns[column];
    c->number = column_number(c->name, COLUMNS_MOST) + 1; /* SIZE_MAX + 1 is 0 */
    c->index = column;
    return c->number ? BERT_OK
                     : fail(err, BERT_ERR_DATA,
                            "%s: no column \"%s\"; a .conll has numbers, 1 for the first (choose with --%s)",
                            r->lines.name, c->name, column >= TABLE_LABEL ? "label-column" : "text-columns");
}

/* By default the first column is the word and the last one the tag. */
static bert_status find_columns_by_number(table_records *r, const bert_table_options *options, bert_err *err)
{
    table_column *columns = r->columns;
    if (columns[TABLE_PAIR].named)
        return fail(err, BERT_ERR_ARGUMENT, "--text-columns: \"%s\" are two, and a .conll has one text",
                    options->text_columns);
    if (r->n_columns > TABLE_LEAST)
        return fail(err, BERT_ERR_ARGUMENT, "--label-column: \"%s\" are several, and a word of a .conll has one tag",
                    options->label_column);
    columns[TABLE_PAIR].present = false;
    if (!columns[TABLE_TEXT].named)
        columns[TABLE_TEXT].name = "1";
    columns[TABLE_LABEL].index = TABLE_LABEL;
    bert_status s = want_number(r, TABLE_TEXT, err);
    return s || !columns[TABLE_LABEL].named ? s : want_number(r, TABLE_LABEL, err);
}

bert_status table_columns_find(table_records *r, const bert_table_options *options, arena *memory, bool *ended,
                               bert_err *err)
{
    switch (r->format->naming) {
    case NAMED_BY_HEADER:
        return find_columns_of_header(r, options->no_header, memory, ended, err);
    case NAMED_BY_PLACE:
        return find_columns_by_place(r, memory, err);
    case NAMED_BY_NUMBER:
        return find_columns_by_number(r, options, err);
    case NAMED_BY_KEY:
        for (size_t i = 0; i < r->n_columns; i++)
            r->columns[i].index = i;
    }
    return BERT_OK;
}
