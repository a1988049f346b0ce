/* JSON through jansson, with errors in our words. A value whose members are walked, or that is kept, is a json_t
 * without const: jansson walks and counts no other. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "formats/json_parse.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses a file or n bytes by json_parse; `name` is for messages, which carry line and column. The root must be an
 * object (of json_read_array an array); no object may have a key twice. *out: json_decref; NULL on failure. */
bert_status json_read_file(json_t **out, const char *path, bert_err *err);
bert_status json_read_array(json_t **out, const char *path, bert_err *err);
/* A folder's file that need not be there: *out is NULL then. */
bert_status json_read_beside(json_t **out, const char *folder, const char *name, bert_err *err);
bert_status json_read_bytes(json_t **out, const char *bytes, size_t n, const char *name, bert_err *err);
/* Writes a file, indented by 2, keys in their order, numbers with nine significant digits; atomic. */
bert_status json_write_file(const json_t *root, const char *path, bert_err *err);
/* The text of json_write_file, to be freed; NULL: out of memory, or root is NULL. */
char *json_text(const json_t *root);
/* The same without blanks or line ends, and numbers with all their digits. */
char *json_compact(const json_t *root);
/* Any value on one line, numbers with nine digits. */
void json_print(buffer *out, const json_t *value);

/* Members with a check of their type. `where` begins the message ("model.json: layer"). A missing one fails unless
 * `fallback` is used: the ..._or forms take the fallback when the key is absent or null, and still fail for the wrong
 * type. Ranges are inclusive. */
bert_status json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                         const char *where, bert_err *err);
bert_status json_get_int_or(const json_t *object, const char *key, int64_t min, int64_t max, int64_t fallback,
                            int64_t *out, const char *where, bert_err *err);
bert_status json_get_real_or(const json_t *object, const char *key, double min, double max, double fallback,
                             double *out, const char *where, bert_err *err);
bert_status json_get_bool_or(const json_t *object, const char *key, bool fallback, bool *out, const char *where,
                             bert_err *err);
/* The string belongs to the JSON value. */
bert_status json_get_string(const json_t *object, const char *key, const char **out, const char *where, bert_err *err);
bert_status json_get_string_or(const json_t *object, const char *key, const char *fallback, const char **out,
                               const char *where, bert_err *err);
/* The object belongs to the JSON value. */
bert_status json_get_object(const json_t *object, const char *key, json_t **out, const char *where, bert_err *err);

/* Checks that "format" is this one, and "version" not above `newest`, which is BERT_ERR_UNSUPPORTED. */
bert_status json_check_format(const json_t *object, const char *format, int newest, const char *where, bert_err *err);
