/* Arenas, growing buffers, checked sizes. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    size_t out;
    assert_true(mul_size(SIZE_MAX / 2, 2, &out));
    assert_int_equal(out, SIZE_MAX - 1);
    assert_false(mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(add_size(SIZE_MAX - 1, 1, &out));
    assert_false(add_size(SIZE_MAX, 1, &out));
}

static void loads_are_little_endian_at_any_address(void **state)
{
    (void)state;
    const unsigned char bytes[] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 };
    assert_int_equal(load_le32(bytes + 1), 0x04030201);
    assert_int_equal(load_le64(bytes + 1), 0x0807060504030201);
}

static void arena_memory_is_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    arena a = { 0 };
    unsigned char *before = NULL;
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 7 == 0 ? i * 100 : i % 300;
        unsigned char *p = arena_alloc(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % ARENA_ALIGN, 0);
        assert_ptr_not_equal(p, before);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, size);
        before = p;
    }
    arena_free(&a);
}

/* Large blocks are the system's: zeros that nobody has touched, which a reset gives out again cleared. */
static void large_arena_memory_is_zeroed_also_when_it_is_used_again(void **state)
{
    (void)state;
    enum { LARGE = 40 << 20 };
    arena a = { 0 };
    for (int turn = 0; turn < 3; turn++) {
        unsigned char *raw = arena_alloc_raw(&a, LARGE / 4), *p = arena_alloc(&a, LARGE);
        assert_non_null(raw);
        assert_non_null(p);
        for (size_t k = 0; k < LARGE; k += 1021)
            assert_int_equal(p[k], 0);
        p[LARGE / 2] = 7;
        arena_populate(p, LARGE);
        arena_populate(p + 1, 100);
        assert_int_equal(p[LARGE / 2], 7);
        memset(raw, 0xff, LARGE / 4);
        memset(p, 0xff, LARGE);
        arena_reset(&a);
    }
    arena_free(&a);
}

static void an_arena_refuses_what_does_not_fit(void **state)
{
    (void)state;
    arena a = { 0 };
    assert_null(arena_array(&a, SIZE_MAX / 4, 8));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc_raw(&a, SIZE_MAX - 63));
    assert_null(arena_copy(&a, "", SIZE_MAX));
    assert_non_null(arena_array(&a, 3, 8));
    arena_free(&a);
    arena_free(&a); /* freed already: nothing happens */
}

static void an_arena_copies_and_prints_text(void **state)
{
    (void)state;
    arena a = { 0 };
    assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    assert_string_equal(arena_string(&a, "text"), "text");
    assert_string_equal(arena_printf(&a, "%s-%d", "layer", 12), "layer-12");
    char *wide = arena_printf(&a, "%0*d", 100000, 1);
    assert_int_equal(strlen(wide), 100000);
    arena_free(&a);
}

/* A batch's arena allocates from the system while it grows, and never again. */
static void a_reset_arena_keeps_one_block_for_all(void **state)
{
    (void)state;
    arena a = { 0 };
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 10000);
    arena_reset(&a);
    unsigned char *first = arena_alloc(&a, 10000), *last = NULL;
    for (int i = 1; i < 100; i++)
        last = arena_alloc(&a, 10000);
    assert_true(last > first && (size_t)(last - first) < 1100000);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 10000), first);
    arena_free(&a);
}

static void a_buffer_grows_and_ends_with_nul(void **state)
{
    (void)state;
    buffer b = { 0 };
    for (int i = 0; i < 1000; i++)
        buffer_printf(&b, "%d,", i % 10);
    assert_int_equal(b.size, 2000);
    buffer_add(&b, "\0x", 2);
    buffer_char(&b, 'y');
    buffer_string(&b, "z");
    assert_memory_equal(b.data + 1996, "8,9,\0xyz", 9);
    buffer_clear(&b);
    assert_int_equal(b.size, 0);
    assert_string_equal(b.data, "");
    buffer_string(&b, "again");
    char *taken = buffer_take(&b);
    assert_string_equal(taken, "again");
    assert_null(b.data);
    free(taken);
    taken = buffer_take(&b);
    assert_string_equal(taken, ""); /* an empty buffer gives an empty string */
    free(taken);
    buffer_free(&b);
}

static void a_buffer_remembers_that_memory_ran_out(void **state)
{
    (void)state;
    buffer b = { 0 };
    buffer_string(&b, "abc");
    assert_false(buffer_reserve(&b, SIZE_MAX - 3));
    assert_true(b.failed);
    buffer_string(&b, "def"); /* does nothing */
    assert_string_equal(b.data, "abc");
    assert_null(buffer_take(&b));
    buffer_string(&b, "new"); /* empty and sound again */
    assert_string_equal(b.data, "new");
    buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(loads_are_little_endian_at_any_address),
        cmocka_unit_test(arena_memory_is_aligned_zeroed_and_apart),
        cmocka_unit_test(large_arena_memory_is_zeroed_also_when_it_is_used_again),
        cmocka_unit_test(an_arena_refuses_what_does_not_fit),
        cmocka_unit_test(an_arena_copies_and_prints_text),
        cmocka_unit_test(a_reset_arena_keeps_one_block_for_all),
        cmocka_unit_test(a_buffer_grows_and_ends_with_nul),
        cmocka_unit_test(a_buffer_remembers_that_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
