/* Options structs as JSON. */
#pragma once

#include "bert.h"

#include <jansson.h>

/* A field: a boolean, a number, a text; null for a string that is not given. NULL: out of memory. */
json_t *option_to_json(const void *options, const bert_option *option);
/* An object of all fields by their names. */
json_t *options_to_json(const void *options, bert_option_table table);
