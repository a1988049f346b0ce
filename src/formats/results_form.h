/* Whether a text is what predict, embed or eval --predictions write: told by its first line, for lines have no room for
 * a mark. */
#pragma once

#include <stdbool.h>

enum { RESULTS_FORM_BYTES = 4096 }; /* of a file's beginning are enough */

/* text    that beginning, with a NUL behind it. */
bool results_form_is(const char *text);
