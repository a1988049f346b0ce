/* Long texts in windows: which of a text's tokens stand in which sequence. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A text, or of a pair the second one, in windows of `size` tokens, `step` apart, the last of which ends at its end.
 * The first of a pair stands before each of them, cut to `first` tokens. */
typedef struct windows {
    size_t first;
    size_t size, step, count;
    bool cut; /* the first text lost tokens */
} windows;

enum { WINDOWS_LEAST_ROOM = 2 }; /* below that a pair may leave none for the second text */

/* n_a and n_b: tokens of the texts, n_b 0 without a pair. room: tokens that a sequence holds beside special ones.
 * stride 0: half of what fits. Of a pair the first text keeps what bert_encode with this odd_token would leave it. */
windows windows_of(size_t n_a, size_t n_b, size_t room, size_t stride, int odd_token);

/* The first token of a window; n: tokens of the text that is read in windows. */
static inline size_t window_start(const windows *w, size_t n, size_t number)
{
    return number + 1 < w->count ? number * w->step : n < w->size ? 0 : n - w->size;
}
