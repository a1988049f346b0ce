/* What bert_inspect says of a file or folder, as JSON to be asked. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "bert.h"

#include <jansson.h>

/* *facts: json_decref; NULL on failure. */
bert_status facts_of(const char *path, json_t **facts, bert_err *err);

#endif
