/* What is written, byte for byte. */
#pragma once

#include "bert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static bert_buffer out;

/* call appends to &out. */
#define assert_written(expected, call)           \
    do {                                         \
        bert_buffer_clear(&out);                 \
        call;                                    \
        assert_false(out.failed);                \
        assert_string_equal(out.data, expected); \
    } while (0)

/* A buffer without room for another byte in all of memory: what appends to it fails, and leaves it as it is. */
#define assert_memory_failure_is_told(call)                                          \
    do {                                                                             \
        char text[] = "before";                                                      \
        bert_buffer full = { .data = text, .size = SIZE_MAX, .capacity = SIZE_MAX }; \
        call;                                                                        \
        assert_true(full.failed);                                                    \
        assert_true(full.size == SIZE_MAX);                                          \
        assert_string_equal(text, "before");                                         \
    } while (0)

static inline int free_written(void **state)
{
    (void)state;
    bert_buffer_free(&out);
    return 0;
}
