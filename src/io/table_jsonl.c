/* Records of JSON lines: the wanted members of each object. */
#include "base/options.h"
#include "io/table_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 512 };

static const char *where(const table_records *r, char out[WHERE_SIZE])
{
    snprintf(out, WHERE_SIZE, "%s:%zu", r->lines.stream.name, r->line);
    return out;
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = { "an object", "a list", "a string", "a number", "a number", "true", "false", "null" };
    return names[json_typeof(value)];
}

static bert_status missing_member(const table_records *r, table_role role, bert_err *err)
{
    char at[WHERE_SIZE];
    bert_text there[64]; /* more would not be listed */
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(r->json, key, value)
    {
        if (n < sizeof there / sizeof *there)
            there[n++] = (bert_text){ key, strlen(key) };
    }
    return no_such_column(where(r, at), role, r->columns[role].name, there, n, err);
}

static bert_status wrong_type(const table_records *r, table_role role, const json_t *value, bert_err *err)
{
    char at[WHERE_SIZE];
    return fail(err, BERT_ERR_DATA, "%s: \"%s\" is %s, expected a string%s", where(r, at), r->columns[role].name, type_name(value),
                role == TABLE_LABEL ? " or a number" : "");
}

/* A label's number as text, kept in r->bytes. */
static bert_status add_number(table_records *r, const json_t *value, bert_err *err)
{
    buffer_clear(&r->bytes);
    if (json_is_real(value))
        number_text(&r->bytes, json_real_value(value));
    else if (json_is_integer(value))
        buffer_printf(&r->bytes, "%" PRId64, (int64_t)json_integer_value(value));
    else
        buffer_char(&r->bytes, json_is_true(value) ? '1' : '0');
    return r->bytes.failed ? fail_memory(err, r->lines.stream.name) : table_records_add(r, r->bytes.data, r->bytes.size, err);
}

/* The member of one column; empty where it is missing or of no use, and not required. */
static bert_status add_member(table_records *r, table_role role, bert_err *err)
{
    const table_column *column = &r->columns[role];
    const json_t *value = column->present ? json_object_get(r->json, column->name) : NULL;
    if (json_is_string(value))
        return table_records_add(r, json_string_value(value), json_string_length(value), err);
    if (role == TABLE_LABEL && (json_is_number(value) || json_is_boolean(value)))
        return add_number(r, value, err);
    if (!column->required && (!value || json_is_null(value) || role == TABLE_LABEL))
        return table_records_add(r, "", 0, err);
    return value ? wrong_type(r, role, value, err) : missing_member(r, role, err);
}

bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = table_lines_next(&r->lines, &line, end, err);
    if (s || *end)
        return s;
    json_decref(r->json);
    r->json = NULL;
    r->n = 0;
    r->line = r->lines.number;
    size_t blanks = 0;
    while (blanks < line.size && strchr(" \t\r\n", line.data[blanks]) && line.data[blanks])
        blanks++;
    r->blank = blanks == line.size;
    if (r->blank)
        return BERT_OK;
    json_error_t error;
    r->json = json_loadb(line.data, line.size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    char at[WHERE_SIZE];
    if (!r->json)
        return fail(err, json_error_code(&error) == json_error_out_of_memory ? BERT_ERR_MEMORY : BERT_ERR_DATA, "%s:%d: %s", where(r, at),
                    error.column > 0 ? error.column : 1, error.text);
    if (!json_is_object(r->json))
        return fail(err, BERT_ERR_DATA, "%s: %s, expected an object", where(r, at), type_name(r->json));
    for (table_role role = 0; !s && role < TABLE_ROLES; role++)
        s = add_member(r, role, err);
    return s;
}
