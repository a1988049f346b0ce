/* JSON that is put together part by part. What could not be made is NULL, and what takes a NULL becomes NULL itself, so
 * that a whole document is checked once, where it is used: NULL there means that memory ran out. jansson's json_pack
 * does the same with "o". NULL never means "left out": json_pack's "o*", "O*" and "s*" are not used, for they would
 * leave out in silence what memory did not suffice for. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Adds a member, or an element. The value is taken whatever happens; on failure *object or *array is freed and NULL. */
void json_put(json_t **object, const char *key, json_t *value);
void json_add(json_t **array, json_t *value);
/* Puts the members of another object, which is taken. */
void json_put_all(json_t **object, json_t *others);

/* The words as an array. */
json_t *json_of_words(const char *const *words, size_t n);
/* null where it is not finite, for which JSON has no word. */
json_t *json_of_number(double x);
/* A string from outside, such as a path: bytes that are not UTF-8, which JSON cannot hold, become U+FFFD. */
json_t *json_of_bytes(const char *string);
