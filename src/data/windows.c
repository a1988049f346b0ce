/* Long texts in windows. */
#include "data/windows.h"

#include "text/features.h"

windows windows_of(size_t n_a, size_t n_b, size_t room, size_t stride, int odd_token)
{
    windows w = { 0 };
    size_t n = n_b ? n_b : n_a;
    if (n_b) {
        size_t first = n_a, second = n_b;
        pair_cut(odd_token, &first, &second, room);
        w.first = first;
    }
    w.cut = n_b && w.first < n_a;
    w.size = room - w.first;
    w.step = stride ? stride : (w.size + 1) / 2;
    if (w.step > w.size)
        w.step = w.size;
    w.count = n > w.size ? 1 + (n - w.size + w.step - 1) / w.step : 1;
    return w;
}
