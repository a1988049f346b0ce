/* How a test of tables is written: a file, how it is read, and its rows, its notes or its error as text. */
#pragma once

#include "base/buffer.h"
#include "base/scratch.h"

typedef struct reading {
    const char *file, *content;
    size_t size; /* of content; 0: up to its NUL */
    const char *text_columns, *label_column, *label_names, *format, *encoding;
    int quoting;
    bool labels, no_header, skip, word_tags;
    size_t most; /* rows at a time; 0: 7 */
    const char *
        /* "LINE<text><pair><label>\n" a row, <-> where the table has no such column; behind the rows "N left out\n",
         * "note NOTE\n" and "error CODE MESSAGE" */
        expected;
} reading;

static void write_content(const char *file, const char *content, size_t size)
{
    assert_int_equal(file_write_whole(file, content, size ? size : strlen(content), NULL), BERT_OK);
}

static void add_text(buffer *out, const bert_text *texts, size_t i)
{
    buffer_char(out, '<');
    if (texts)
        buffer_add(out, texts[i].data, texts[i].size);
    else
        buffer_char(out, '-');
    buffer_char(out, '>');
}

/* Appends the rows to out; *n, where not NULL, is their number. */
static bert_status read_rows(const reading *r, buffer *out, size_t *n, bert_err *err)
{
    size_t unused;
    n = n ? n : &unused;
    *n = 0;
    bert_table_options options;
    bert_table_defaults(&options);
    options.text_columns = r->text_columns;
    options.label_column = r->label_column;
    options.format = r->format;
    options.label_names = r->label_names;
    options.encoding = r->encoding;
    options.quoting = r->quoting;
    options.no_header = r->no_header;
    options.skip_bad_rows = r->skip;
    options.word_tags = r->word_tags;
    bert_table *table;
    bert_rows rows;
    bert_status s = bert_table_open(r->file, &options, r->labels, &table, err);
    if (s) {
        assert_null(table);
        return s;
    }
    while (!(s = bert_table_next(table, r->most ? r->most : 7, &rows, err)) && rows.n)
        for (size_t i = 0; i < rows.n; i++, ++*n) {
            buffer_printf(out, "%zu", rows.lines[i]);
            add_text(out, rows.texts, i);
            add_text(out, rows.pairs, i);
            add_text(out, rows.labels, i);
            buffer_char(out, '\n');
        }
    bert_rows again;
    assert_int_equal(bert_table_next(table, 1, &again, NULL), s); /* the end and an error both stay */
    assert_int_equal(again.n, 0);
    if (bert_table_skipped(table))
        buffer_printf(out, "%zu left out\n", bert_table_skipped(table));
    for (size_t i = 0; !s && bert_table_note(table, i); i++)
        if (!strstr(bert_table_note(table, i), "--skip-bad-rows"))
            buffer_printf(out, "note %s\n", bert_table_note(table, i));
    bert_table_close(table);
    return s;
}

static inline void check(const reading *r)
{
    buffer out = { 0 };
    bert_err err = { 0 };
    if (r->content)
        write_content(r->file, r->content, r->size);
    bert_status s = read_rows(r, &out, NULL, &err);
    if (s)
        buffer_printf(&out, "error %s %s", bert_status_name(err.code), err.message);
    assert_int_equal(s, err.code);
    buffer_add(&out, "", 0);
    assert_string_equal(out.data, r->expected);
    buffer_free(&out);
}

static inline void check_all(const reading *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t most = 1; most < 4; most++) { /* how rows are grouped changes nothing */
            reading one = r[i];
            one.most = most;
            check(&one);
        }
}
#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof *(cases))
