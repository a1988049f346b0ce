/* Windows over a text leave nothing out, are full, and stand as far apart as asked. */
#include "data/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* n: tokens of the text that is read in windows, which may be so many tokens long. */
static void check_windows(const windows *w, size_t n, size_t stride)
{
    size_t read = 0; /* tokens up to here stand in some window */
    assert_true(w->count >= 1 && w->size >= 1);
    for (size_t i = 0; i < w->count; i++) {
        size_t start = window_start(w, n, i), end = start + (n < w->size ? n : w->size);
        assert_true(start <= read && end <= n && end >= read);
        if (i && i + 1 < w->count)
            assert_int_equal(start - window_start(w, n, i - 1), stride && stride < w->size ? stride
                                                                : stride                   ? w->size
                                                                                           : (w->size + 1) / 2);
        if (i + 1 < w->count)
            assert_true(end < n); /* the last one is needed */
        read = end;
    }
    assert_int_equal(read, n);
}

static void every_token_stands_in_a_window(void **state)
{
    (void)state;
    for (size_t room = WINDOWS_LEAST_ROOM; room < 12; room++)
        for (size_t stride = 0; stride <= room; stride++)
            for (size_t n = 0; n < 40; n++) {
                windows w = windows_of(n, 0, room, stride, 0);
                assert_true(w.first == 0 && w.size == room && !w.cut);
                check_windows(&w, n, stride);
            }
}

static void the_first_of_a_pair_keeps_at_least_half(void **state)
{
    (void)state;
    for (size_t room = WINDOWS_LEAST_ROOM; room < 12; room++)
        for (size_t a = 0; a < 20; a++)
            for (size_t k = 2; k < 60; k++) {
                size_t b = k / 2, odd_token = k % 2;
                windows w = windows_of(a, b, room, 0, (int)odd_token);
                assert_int_equal(w.first + w.size, room);
                assert_true(w.first == a || (w.first < a && 2 * w.first + (odd_token && b >= a) >= room));
                assert_int_equal(w.cut, w.first < a);
                if (a + b <= room)
                    assert_true(w.count == 1 && !w.cut);
                check_windows(&w, b, 0);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_stands_in_a_window),
        cmocka_unit_test(the_first_of_a_pair_keeps_at_least_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
