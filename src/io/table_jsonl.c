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

/* Appends a number, true or false to the bytes of a column. */
static void append_number(buffer *out, const json_t *value)
{
    if (json_is_real(value))
        number_text(out, json_real_value(value));
    else if (json_is_integer(value))
        buffer_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
    else
        buffer_string(out, json_is_true(value) ? "true" : "false");
}

static bool is_number(const json_t *value)
{
    return json_is_number(value) || json_is_boolean(value);
}

static bert_status wrong_item(const table_records *r, table_role role, size_t i, const char *is, bert_err *err)
{
    char at[WHERE_SIZE];
    return fail(err, BERT_ERR_DATA, "%s: \"%s\": item %zu of the list is %s", where(r, at), r->columns[role].name, i + 1, is);
}

/* A list's text must come apart again where it was put together. */
static bert_status check_item(const table_records *r, table_role role, size_t i, bert_text item, char divider, bert_err *err)
{
    for (size_t k = 0; k < item.size; k++)
        if (divider == ' ' ? table_blank(item.data[k]) : item.data[k] == divider)
            return wrong_item(r, role, i, divider == ' ' ? "a word with a blank in it" : "a label with a comma in it", err);
    return item.size ? BERT_OK : wrong_item(r, role, i, "empty", err);
}

/* The members of a list with the divider between them, in the bytes of its column. */
static bert_status join_list(table_records *r, table_role role, const json_t *list, char divider, bert_err *err)
{
    buffer *out = &r->bytes[role];
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (i)
            buffer_char(out, divider);
        size_t before = out->size;
        if (json_is_string(item))
            buffer_add(out, json_string_value(item), json_string_length(item));
        else if (role == TABLE_LABEL && is_number(item))
            append_number(out, item);
        else
            return wrong_item(r, role, i, type_name(item), err);
        if (out->failed)
            return fail_memory(err, r->lines.stream.name);
        bert_status s = check_item(r, role, i, (bert_text){ out->data + before, out->size - before }, divider, err);
        if (s)
            return s;
    }
    return BERT_OK;
}

/* A list of words, of their tags (beside such a text), or of labels (beside any other). */
static bert_status read_list(table_records *r, table_role role, const json_t *list, bert_err *err)
{
    const json_t *text = json_object_get(r->json, r->columns[TABLE_TEXT].name);
    bool tags = role == TABLE_LABEL && json_is_array(text);
    char at[WHERE_SIZE];
    if (tags && json_array_size(list) != json_array_size(text))
        return fail(err, BERT_ERR_DATA, "%s: %zu words in \"%s\", %zu tags in \"%s\"", where(r, at), json_array_size(text),
                    r->columns[TABLE_TEXT].name, json_array_size(list), r->columns[role].name);
    return join_list(r, role, list, role == TABLE_LABEL && !tags ? ',' : ' ', err);
}

/* The member of one column as text. */
static bert_status read_member(table_records *r, table_role role, const json_t *value, bert_text *out, bert_err *err)
{
    buffer *bytes = &r->bytes[role];
    bert_status s = BERT_OK;
    buffer_clear(bytes);
    if (json_is_string(value)) {
        *out = (bert_text){ json_string_value(value), json_string_length(value) };
        return BERT_OK;
    }
    if (json_is_array(value))
        s = read_list(r, role, value, err);
    else if (role == TABLE_LABEL && is_number(value))
        append_number(bytes, value);
    else
        s = value ? wrong_type(r, role, value, err) : missing_member(r, role, err);
    *out = bytes->size ? (bert_text){ bytes->data, bytes->size } : (bert_text){ "", 0 };
    return !s && bytes->failed ? fail_memory(err, r->lines.stream.name) : s;
}

/* Empty where it is missing and not required. A label that nobody asked for may be anything. */
static bert_status add_member(table_records *r, table_role role, bert_err *err)
{
    const table_column *column = &r->columns[role];
    const json_t *value = column->present ? json_object_get(r->json, column->name) : NULL;
    bert_text text = { "", 0 };
    bert_status s = column->required || (value && !json_is_null(value)) ? read_member(r, role, value, &text, err) : BERT_OK;
    if (s == BERT_ERR_DATA && role == TABLE_LABEL && !column->required)
        return table_records_add(r, "", 0, err);
    return s ? s : table_records_add(r, text.data, text.size, err);
}

bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err)
{
    bert_text line = { 0 };
    bert_status s = table_records_line(r, &line, end, err);
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
