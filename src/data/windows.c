/* Long texts in windows. */
#include "data/windows.h"

/* How many tokens of the first text of a pair stay, as bert_encode cuts: where both are long the second keeps half, the first the rest. */
static size_t first_of_pair(size_t n_a, size_t n_b, size_t room)
{
    size_t half = room / 2, left = n_b <= half ? room - n_b : room - half;
    return n_a < left ? n_a : left;
}

windows windows_of(size_t n_a, size_t n_b, size_t seq_len, size_t stride)
{
    windows w = { 0 };
    size_t room = seq_len - (n_b ? 3 : 2), n = n_b ? n_b : n_a;
    if (n_b)
        w.first = first_of_pair(n_a, n_b, room);
    w.cut = n_b && w.first < n_a;
    w.size = room - w.first;
    w.step = stride ? stride : (w.size + 1) / 2;
    if (w.step > w.size)
        w.step = w.size;
    w.count = n > w.size ? 1 + (n - w.size + w.step - 1) / w.step : 1;
    return w;
}
