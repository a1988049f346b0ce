/* Records of JSON lines: the wanted members of each object. */
#include "base/options.h"
#include "formats/json.h"
#include "tables/table_columns.h"
#include "tables/table_json_text.h"
#include "tables/table_labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 512 };

static const char *where(const table_records *r, char out[WHERE_SIZE])
{
    snprintf(out, WHERE_SIZE, "%s:%zu", r->lines.name, r->line);
    return out;
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = { "an object", "a list", "a string", "a number",
                                         "a number",  "true",   "false",    "null" };
    return names[json_typeof(value)];
}

static bert_status missing_member(const table_records *r, size_t column, bert_err *err)
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
    return no_such_column(where(r, at), r, column, there, n, err);
}

static bert_status cell_wrong_type(const table_records *r, size_t column, const json_t *value, bert_err *err)
{
    char at[WHERE_SIZE];
    if (column >= TABLE_LABEL && json_is_real(value))
        return fail(err, BERT_ERR_DATA,
                    "%s: \"%s\" is a number beyond 64 bits, which a label must be written as a string for",
                    where(r, at), r->columns[column].name);
    return fail(err, BERT_ERR_DATA, "%s: \"%s\" is %s, expected a string%s", where(r, at), r->columns[column].name,
                type_name(value), column >= TABLE_LABEL ? " or a number" : "");
}

/* A whole number beyond 64 bits was rounded as it was read, perhaps to another label. */
static bool is_plain_number(const json_t *value)
{
    return json_is_integer(value) || json_is_boolean(value) ||
           (json_is_real(value) && fabs(json_real_value(value)) < 0x1p63);
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

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static bert_status wrong_item(const table_records *r, size_t column, size_t i, const char *is, bert_err *err)
{
    char at[WHERE_SIZE];
    return fail(err, BERT_ERR_DATA, "%s: \"%s\": item %zu of the list is %s", where(r, at), r->columns[column].name,
                i + 1, is);
}

/* The text of an item: a string's own, a number's in scratch. */
static bert_status read_list_item(const table_records *r, size_t column, size_t i, const json_t *item, buffer *scratch,
                                  bert_text *out, bert_err *err)
{
    buffer_clear(scratch);
    if (column >= TABLE_LABEL && is_plain_number(item))
        append_number(scratch, item);
    else if (!json_is_string(item))
        return wrong_item(r, column, i, type_name(item), err);
    if (scratch->failed)
        return fail_memory(err, r->lines.name);
    bert_text text = scratch->size
                         ? (bert_text){ scratch->data, scratch->size }
                         : (bert_text){ json_string_value(item), json_is_string(item) ? json_string_length(item) : 0 };
    *out = text_bare(text);
    return out->size ? BERT_OK : wrong_item(r, column, i, "empty", err);
}

/* What a list's items are: labels with commas between, others with blanks. */
typedef enum list_form { WORDS, TAGS, LABELS } list_form;

static bert_status add_item(table_records *r, size_t column, size_t i, bert_text item, list_form form, bert_err *err)
{
    char is[192];
    buffer *out = &r->columns[column].bytes;
    const char *why = form == TAGS ? table_add_tag(r, out, item) : NULL;
    snprintf(is, sizeof is, "\"%.*s\", which %s", item.size < 60 ? (int)item.size : 60, item.data, why ? why : "");
    if (why)
        return wrong_item(r, column, i, is, err);
    if (form == LABELS && memchr(item.data, ',', item.size)) /* they must come apart again */
        return wrong_item(r, column, i, "a label with a comma in it", err);
    if (form == LABELS)
        buffer_add(out, item.data, item.size);
    else if (form == WORDS)
        table_add_word(out, item);
    return BERT_OK;
}

static bert_status add_items(table_records *r, size_t column, const json_t *list, list_form form, bert_err *err)
{
    buffer scratch = { 0 };
    bert_status s = BERT_OK;
    bert_text text = { NULL, 0 };
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if ((s = read_list_item(r, column, i, item, &scratch, &text, err)))
            break;
        if (i)
            buffer_char(&r->columns[column].bytes, form == LABELS ? ',' : ' ');
        if ((s = add_item(r, column, i, text, form, err)))
            break;
    }
    buffer_free(&scratch);
    return s;
}

/* text: what they are of; a list has as many words, those of a string are counted with all other tables'. */
static bert_status add_tag_list(table_records *r, size_t column, const json_t *list, const json_t *text, bert_err *err)
{
    char at[WHERE_SIZE];
    if (json_is_array(text) && json_array_size(list) != json_array_size(text))
        return fail(err, BERT_ERR_DATA, "%s: %zu words in \"%s\", %zu tags in \"%s\"", where(r, at),
                    json_array_size(text), r->columns[TABLE_TEXT].name, json_array_size(list), r->columns[column].name);
    table_tags_start(r);
    return add_items(r, column, list, TAGS, err);
}

static bert_status add_label_list(table_records *r, size_t column, const json_t *list, bert_err *err)
{
    if (json_array_size(list) != 1 && r->form == LABELS_WORDS)
        r->form = LABELS_LISTS;
    return add_items(r, column, list, LABELS, err);
}

/* Whether a list beside a text is of stretches of it. */
static bool is_spans(const json_t *list, bool by_key)
{
    const json_t *first = json_array_get(list, 0);
    return first ? json_is_array(first) || json_is_object(first) : by_key;
}

static bert_status read_label_list(table_records *r, size_t column, const json_t *list, bool by_key, bert_err *err)
{
    const json_t *text = json_object_get(r->json, r->columns[TABLE_TEXT].name);
    if (column < TABLE_LABEL)
        return add_items(r, column, list, WORDS, err);
    if (json_is_array(text) || (r->word_tags && json_is_string(json_array_get(list, 0))))
        return add_tag_list(r, column, list, text, err);
    if (json_is_string(text) && is_spans(list, by_key))
        return table_spans_read(r, list, (bert_text){ json_string_value(text), json_string_length(text) },
                                &r->columns[column].bytes, err);
    return add_label_list(r, column, list, err);
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

/* The member of one column as text. by_key: its name says that it is of spans. */
static bert_status read_member(table_records *r, size_t column, const json_t *value, bool by_key, bert_text *out,
                               bert_err *err)
{
    buffer *bytes = &r->columns[column].bytes;
    bert_status s = BERT_OK;
    buffer_clear(bytes);
    if (json_is_string(value)) {
        *out = (bert_text){ json_string_value(value), json_string_length(value) };
        return BERT_OK;
    }
    if (json_is_array(value))
        s = read_label_list(r, column, value, by_key, err);
    else if (column >= TABLE_LABEL && is_plain_number(value))
        append_number(bytes, value);
    else
        s = value ? cell_wrong_type(r, column, value, err) : missing_member(r, column, err);
    *out = bytes->size ? (bert_text){ bytes->data, bytes->size } : (bert_text){ "", 0 };
    return !s && bytes->failed ? fail_memory(err, r->lines.name) : s;
}

/* What a column that nobody named is called by others, too. */
static const json_t *find_member(const table_records *r, size_t column, bool *spans)
{
    static const char *const OTHERS[] = { "labels", "spans", "entities" };
    const table_column *c = &r->columns[column];
    const json_t *value = c->present ? json_object_get(r->json, c->name) : NULL;
    *spans = false;
    for (size_t i = 0; !value && column == TABLE_LABEL && !c->named && i < sizeof OTHERS / sizeof *OTHERS; i++) {
        value = json_object_get(r->json, OTHERS[i]);
        *spans = i > 0;
    }
    return value;
}

/* Empty where it is missing and not required. A label that nobody asked for may be anything. */
static bert_status add_member(table_records *r, size_t column, bert_err *err)
{
    bool spans, required = r->columns[column].required;
    const json_t *value = find_member(r, column, &spans);
    bert_text text = { "", 0 };
    bert_status s = required || (value && !json_is_null(value)) ? read_member(r, column, value, spans, &text, err)
                                                                : BERT_OK;
    if (s == BERT_ERR_DATA && column >= TABLE_LABEL && !required)
        return table_records_add(r, "", 0, err);
    return s ? s : table_records_add(r, text.data, text.size, err);
}

/* column: of the text in its line. */
static bert_status wrong_json(const table_records *r, size_t column, const json_error_t *error, bert_err *err)
{
    if (json_error_code(error) == json_error_out_of_memory)
        return fail_memory(err, r->lines.name);
    bool goes_on = r->items.form == JSON_LINES && strstr(error->text, "near end of file");
    size_t at = (size_t)(error->column > 0 ? error->column : 1) + (error->line == 1 ? column : 0);
    return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: %s%s", r->lines.name, r->line + (size_t)error->line - 1, at,
                error->text, goes_on ? "; a row is an object in one line, or an item of one list" : "");
}

bert_status table_jsonl_next(table_records *r, bool *end, bert_err *err)
{
    bert_text text = { 0 };
    size_t column;
    bert_status s = table_json_text(r, &text, &column, end, err);
    json_decref(r->json);
    r->json = NULL;
    r->n = 0;
    if (s || *end)
        return s;
    r->blank = r->items.form < JSON_LIST && text_bare(text).size == 0;
    if (r->blank)
        return BERT_OK;
    json_error_t error;
    r->json = json_parse(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    char at[WHERE_SIZE];
    if (!r->json)
        return wrong_json(r, column, &error, err);
    if (!json_is_object(r->json))
        return fail(err, BERT_ERR_DATA, "%s: %s, expected an object", where(r, at), type_name(r->json));
    for (size_t i = 0; !s && i < r->n_columns; i++)
        s = add_member(r, i, err);
    return s;
}
