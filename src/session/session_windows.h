/* What a text has from the windows in which it is read. */
#pragma once

#include "data/token_rows.h"

typedef enum combine { COMBINE_MEAN, COMBINE_MAX } combine;

/* out (texts, C) from values (n, C) of rows first .. first + n - 1. Rows come in their order, in any number of calls; a
 * text is done with its last row. */
void windows_combine(float *out, const float *values, const token_rows *rows, size_t first, size_t n, size_t C,
                     combine how);
