/* From windows to texts. */
#include "session/session_windows.h"

#include <string.h>

static void add_window(float *out, const float *values, size_t C, combine how)
{
    for (size_t c = 0; c < C; c++)
        out[c] = how == COMBINE_MEAN ? out[c] + values[c] : out[c] > values[c] ? out[c] : values[c];
}

/* How many rows up to this one are of its text. */
static size_t windows_up_to(const token_rows *rows, size_t row)
{
    size_t n = 1;
    while (row >= n && rows->text[row - n] == rows->text[row])
        n++;
    return n;
}

void windows_combine(float *out, const float *values, const token_rows *rows, size_t first, size_t n, size_t C,
                     combine how)
{
    for (size_t row = first; row < first + n; row++, values += C) {
        float *to = out + rows->text[row] * C;
        if (row == 0 || rows->text[row - 1] != rows->text[row])
            memcpy(to, values, C * sizeof *to);
        else
            add_window(to, values, C, how);
        bool last = row + 1 == rows->n || rows->text[row + 1] != rows->text[row];
        if (!last || how != COMBINE_MEAN)
            continue;
        float windows = (float)windows_up_to(rows, row);
        for (size_t c = 0; c < C; c++)
            to[c] /= windows;
    }
}
