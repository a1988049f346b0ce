/* JSON through jansson, with errors in our words. */
#include "formats/json.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "formats/foreign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *type_words(const json_t *value)
{
    static const char *const words[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",  [JSON_INTEGER] = "a whole number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return words[json_typeof(value)];
}

/* ---- files ---- */

static bert_status read_root(json_t **out, const char *bytes, size_t n, json_type type, const char *name, bert_err *err)
{
    const char *expected = type == JSON_OBJECT ? "a JSON object" : "a JSON array";
    json_error_t e;
    *out = json_parse(bytes, n, JSON_REJECT_DUPLICATES, &e);
    if (!*out && json_error_code(&e) == json_error_out_of_memory)
        return fail_memory(err, name);
    if (!*out && n == 0)
        return fail(err, BERT_ERR_FORMAT, "%s: is empty, expected %s", name, expected);
    if (!*out)
        return fail(err, BERT_ERR_FORMAT, "%s: line %d, column %d: %s", name, e.line, e.column, e.text);
    if (json_typeof(*out) != type) {
        bert_status s = fail(err, BERT_ERR_FORMAT, "%s: is %s, expected %s", name, type_words(*out), expected);
        json_decref(*out);
        *out = NULL;
        return s;
    }
    return BERT_OK;
}

bert_status json_read_bytes(json_t **out, const char *bytes, size_t n, const char *name, bert_err *err)
{
    return read_root(out, bytes, n, JSON_OBJECT, name, err);
}

static bert_status json_read_root(json_t **out, const char *path, json_type type, bert_err *err)
{
    *out = NULL;
    file_mapping m;
    bert_status s = file_map(&m, path, err);
    if (s)
        return s;
    if (m.size)
        s = foreign_check_bytes(m.data, m.size, path, err);
    if (!s)
        s = read_root(out, (const char *)m.data, m.size, type, path, err);
    file_unmap(&m);
    return s;
}

bert_status json_read_file(json_t **out, const char *path, bert_err *err)
{
    return json_read_root(out, path, JSON_OBJECT, err);
}

bert_status json_read_array(json_t **out, const char *path, bert_err *err)
{
    return json_read_root(out, path, JSON_ARRAY, err);
}

bert_status json_read_beside(json_t **out, const char *folder, const char *name, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, folder, name);
    *out = NULL;
    bert_status s = !path ? fail_memory(err, name) : file_exists(path) ? json_read_file(out, path, err) : BERT_OK;
    arena_free(&a);
    return s;
}

static int add_to_buffer(const char *bytes, size_t n, void *b)
{
    buffer_add(b, bytes, n);
    return 0;
}

/* Into a buffer, which remembers what failed, rather than by json_dumps, which may leave out what memory did not
 * suffice for. */
static void dump(buffer *out, const json_t *value, size_t flags)
{
    if (json_dump_callback(value, add_to_buffer, out, flags))
        out->failed = true;
}

void json_print(buffer *out, const json_t *value)
{
    dump(out, value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
}

char *json_compact(const json_t *root)
{
    buffer b = { 0 };
    dump(&b, root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    return buffer_take(&b);
}

char *json_text(const json_t *root)
{
    buffer b = { 0 };
    dump(&b, root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    buffer_char(&b, '\n');
    return buffer_take(&b);
}

static bert_status json_opens(const char *path, bert_err *err)
{
    json_t *root;
    file_mapping m;
    json_error_t e;
    bert_status s = file_map(&m, path, err);
    if (s)
        return s;
    root = json_parse((const char *)m.data, m.size, JSON_REJECT_DUPLICATES, &e);
    file_unmap(&m);
    if (!root)
        return json_error_code(&e) == json_error_out_of_memory ? fail_memory(err, path)
                                                               : fail(err, BERT_ERR_FORMAT, "%s: %s", path, e.text);
    json_decref(root);
    return BERT_OK;
}

bert_status json_write_file(const json_t *root, const char *path, bert_err *err)
{
    char *text = json_text(root);
    if (!text)
        return fail_memory(err, path);
    file_writer w;
    bert_status s = file_create(&w, path, err);
    if (!s) {
        file_write(&w, text, strlen(text));
        s = file_commit_opened(&w, json_opens, err);
    }
    free(text);
    return s;
}

/* ---- members ---- */

/* Types that a member may have, as bits, and their words. */
typedef struct member_type {
    unsigned types;
    const char *words;
} member_type;
static const member_type INTEGER = { 1 << JSON_INTEGER, "a whole number" },
                         NUMBER = { 1 << JSON_INTEGER | 1 << JSON_REAL, "a number" },
                         BOOLEAN = { 1 << JSON_TRUE | 1 << JSON_FALSE, "true or false" },
                         STRING = { 1 << JSON_STRING, "a string" }, OBJECT = { 1 << JSON_OBJECT, "an object" };

/* The member, or NULL with *s set: BERT_OK where it is absent and may be. */
static json_t *member(const json_t *object, const char *key, bool optional, member_type type, const char *where,
                      bert_status *s, bert_err *err)
{
    json_t *value = json_object_get(object, key);
    *s = BERT_OK;
    if (optional && (!value || json_is_null(value)))
        return NULL;
    if (!value)
        *s = fail(err, BERT_ERR_FORMAT, "%s: %s is missing", where, key);
    else if (!(type.types >> json_typeof(value) & 1))
        *s = fail(err, BERT_ERR_FORMAT, "%s: %s is %s, expected %s", where, key, type_words(value), type.words);
    return *s ? NULL : value;
}

static bert_status member_int(const json_t *value, const char *key, int64_t min, int64_t max, int64_t *out,
                              const char *where, bert_err *err)
{
    int64_t v = json_integer_value(value);
    if (v < min || v > max)
        return fail(err, BERT_ERR_FORMAT, "%s: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, where, key, v, min,
                    max);
    *out = v;
    return BERT_OK;
}

bert_status json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                         const char *where, bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, false, INTEGER, where, &s, err);
    return value ? member_int(value, key, min, max, out, where, err) : s;
}

bert_status json_get_int_or(const json_t *object, const char *key, int64_t min, int64_t max, int64_t fallback,
                            int64_t *out, const char *where, bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, true, INTEGER, where, &s, err);
    *out = fallback;
    return value ? member_int(value, key, min, max, out, where, err) : s;
}

bert_status json_get_real_or(const json_t *object, const char *key, double min, double max, double fallback,
                             double *out, const char *where, bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, true, NUMBER, where, &s, err);
    *out = fallback;
    if (!value)
        return s;
    double v = json_number_value(value);
    if (!(v >= min && v <= max))
        return fail(err, BERT_ERR_FORMAT, "%s: %s is %.9g, expected %.9g to %.9g", where, key, v, min, max);
    *out = v;
    return BERT_OK;
}

bert_status json_get_bool_or(const json_t *object, const char *key, bool fallback, bool *out, const char *where,
                             bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, true, BOOLEAN, where, &s, err);
    *out = value ? json_is_true(value) : fallback;
    return s;
}

bert_status json_get_string(const json_t *object, const char *key, const char **out, const char *where, bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, false, STRING, where, &s, err);
    if (value)
        *out = json_string_value(value);
    return s;
}

bert_status json_get_string_or(const json_t *object, const char *key, const char *fallback, const char **out,
                               const char *where, bert_err *err)
{
    bert_status s;
    const json_t *value = member(object, key, true, STRING, where, &s, err);
    *out = value ? json_string_value(value) : fallback;
    return s;
}

bert_status json_get_object(const json_t *object, const char *key, json_t **out, const char *where, bert_err *err)
{
    bert_status s;
    json_t *value = member(object, key, false, OBJECT, where, &s, err);
    if (value)
        *out = value;
    return s;
}

bert_status json_check_format(const json_t *object, const char *format, int newest, const char *where, bert_err *err)
{
    const char *found = NULL;
    int64_t version = 0;
    bert_status s = json_get_string(object, "format", &found, where, err);
    if (!s && strcmp(found, format))
        s = fail(err, BERT_ERR_FORMAT, "%s: format is \"%s\", expected \"%s\"", where, found, format);
    if (!s)
        s = json_get_int(object, "version", 1, INT64_MAX, &version, where, err);
    if (!s && version > newest)
        s = fail(err, BERT_ERR_UNSUPPORTED,
                 "%s: format version %lld, this libbert (" BERT_VERSION ") reads up to %d; use a newer one", where,
                 (long long)version, newest);
    return s;
}
