/* JSON into jansson's values (RFC 8259, strict). Not jansson's own reader: where memory runs out that loses characters,
 * or calls the text wrong. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* The value, the caller's: json_decref; NULL with the error's text, line, column and code; json_error_out_of_memory is
 * the code where memory ran out and no other. flags: JSON_REJECT_DUPLICATES, JSON_ALLOW_NUL, JSON_DECODE_ANY, as
 * jansson's. For what people have: a byte order mark at the start is passed over; a whole number beyond int64 becomes a
 * real, a real beyond double the largest there is. */
json_t *json_parse(const char *bytes, size_t n, size_t flags, json_error_t *error);
