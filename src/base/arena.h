/* One arena per lifetime (a module, a model, a batch): allocate freely, free once. Not thread-safe. */
#pragma once

#include <stddef.h>

typedef struct arena_block arena_block;

/* All zero is an empty arena. */
typedef struct arena {
    arena_block *first; /* the newest block; older ones behind it */
    size_t used;        /* bytes used in the newest block */
    size_t hint;        /* what all blocks held at the last reset: the next first block holds as much */
} arena;

enum { ARENA_ALIGN = 64 }; /* a cache line, and the widest vector */

/* size bytes, zeroed (much of it at once without being touched), aligned to ARENA_ALIGN; NULL when memory is out.
 * size 0 gives a valid address. */
void *arena_alloc(arena *a, size_t size);

/* The same without zeroing: for activations, which are written before they are read. */
void *arena_alloc_raw(arena *a, size_t size);

/* Has the system give pages for memory that is about to be read and written: zeros that are read first and written then
 * would cost two faults a page, the second of them felt by all threads. What stands there stays. */
void arena_populate(void *memory, size_t size);

/* n items of size bytes each; NULL also where n * size does not fit. */
void *arena_array(arena *a, size_t n, size_t size);

/* A copy of n bytes with a NUL behind them. */
char *arena_copy(arena *a, const char *bytes, size_t n);
char *arena_string(arena *a, const char *string);

/* Printed text. */
char *arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets everything but keeps the memory as one block, so that the next batch of that size allocates nothing from the
 * system. */
void arena_reset(arena *a);

void arena_free(arena *a);
