/* Records of every format, and those of txt. */
#include "tables/table_records.h"

#include <stdlib.h>
#include <string.h>

bert_status table_records_widen(table_records *r, bert_err *err)
{
    if (r->n == COLUMNS_MOST)
        return fail(err, BERT_ERR_DATA, "%s:%zu: more than %d columns", r->lines.name, r->line, COLUMNS_MOST);
    size_t capacity = r->capacity ? r->capacity * 2 : 16; /* which comes to COLUMNS_MOST */
    bert_text *fields = realloc(r->fields, capacity * sizeof *fields);
    if (!fields)
        return fail_memory(err, r->lines.name);
    r->fields = fields;
    r->capacity = capacity;
    return BERT_OK;
}

bert_status table_records_line(table_records *r, bert_text *line, bool *end, bert_err *err)
{
    bert_status s = table_lines_next(&r->lines, line, end, err);
    r->lost |= s != BERT_OK;
    if (!s && r->lines.fault && !r->fault.line) {
        r->fault.line = r->lines.number;
        r->fault.column = r->lines.fault;
        r->fault.byte = r->lines.fault_byte;
    }
    return s;
}

bert_status table_records_next(table_records *r, bool *end, bert_err *err)
{
    r->fault.line = 0;
    r->tagged = false;
    bert_status s = r->format->next(r, end, err);
    if (!r->fault.line || (s && s != BERT_ERR_DATA))
        return s;
    return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: byte 0x%02X is not UTF-8; %s", r->lines.name, r->fault.line,
                r->fault.column, r->fault.byte, r->lines.guess);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

void table_add_word(buffer *out, bert_text word)
{
    for (size_t i = 0, n; i < word.size; i += n) {
        for (n = 0; i + n < word.size && !word_blank(word.data[i + n]); n++) {
        }
        buffer_add(out, word.data + i, n);
        if (i + n < word.size) {
            buffer_string(out, "\xC2\xA0");
            n++;
        }
    }
}

/* ---- txt --------------------------------------------------------------------------------------------------------- */

static bool txt_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bert_status txt_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = table_records_line(r, &line, end, err);
    line = line_without_break(line);
    r->n = 0;
    r->line = r->lines.number;
    r->blank = line.size == 0;
    if (s || *end)
        return s;
    const char *bar = memmem(line.data, line.size, "|||", 3);
    if (!bar)
        return table_records_add(r, line.data, line.size, err);
    const char *first_end = bar, *second = bar + 3, *stop = line.data + line.size;
    while (first_end > line.data && txt_blank(first_end[-1]))
        first_end--;
    while (second < stop && txt_blank(*second))
        second++;
    s = table_records_add(r, line.data, (size_t)(first_end - line.data), err);
    return s ? s : table_records_add(r, second, (size_t)(stop - second), err);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static const table_format FORMATS[] = {
    { "tsv", NAMED_BY_HEADER, table_delimited_next, '\t', QUOTING_NONE },
    { "csv", NAMED_BY_HEADER, table_delimited_next, ',', QUOTING_CSV },
    { "jsonl", NAMED_BY_KEY, table_jsonl_next, 0, QUOTING_AUTO },
    { "json", NAMED_BY_KEY, table_jsonl_next, 0, QUOTING_AUTO },
    { "conll", NAMED_BY_NUMBER, table_conll_next, 0, QUOTING_AUTO },
    { "txt", NAMED_BY_PLACE, txt_next, 0, QUOTING_AUTO },
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
    for (size_t i = 0; i < r->n_columns; i++)
        buffer_free(&r->columns[i].bytes);
    free(r->columns);
    buffer_free(&r->bytes);
    json_decref(r->json);
    *r = (table_records){ 0 };
}
