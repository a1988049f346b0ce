/* Sizes that come from files are multiplied and added through these: each returns false where the result would not
 * fit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline bool mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline size_t size_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* An array of the heap with room for n items; the array as it is, and *fine false, where memory is out. */
static inline void *array_sized(void *items, size_t n, size_t size, bool *fine)
{
    size_t bytes;
    void *moved = mul_size(n, size, &bytes) ? realloc(items, bytes) : NULL;
    *fine = *fine && moved;
    return moved ? moved : items;
}

/* The same with room for one more behind n items, whose room is the power of two that n has reached. */
static inline void *array_grown(void *items, size_t n, size_t size, bool *fine)
{
    return n & (n - 1) ? items : array_sized(items, n ? 2 * n : 1, size, fine);
}

/* Whether there is room for n items now; as at *items before, and *capacity of them, where memory is out. */
static inline bool array_widen(void *items, size_t *capacity, size_t n, size_t size)
{
    bool fine = n < SIZE_MAX / 4;
    size_t larger = 2 * n + 64;
    void *moved;
    if (!fine)
        return false;
    __builtin_memcpy(&moved, items, sizeof moved);
    moved = array_sized(moved, larger, size, &fine);
    __builtin_memcpy(items, &moved, sizeof moved);
    *capacity = fine ? larger : *capacity;
    return fine;
}

/* Whether `items`, a pointer to an array of the heap with room for `capacity`, has room for n. For arrays that are
 * refilled, so that the room is not told by how many there are. */
#define ARRAY_HOLDS(items, capacity, n) \
    ((n) <= (capacity) || array_widen(&(items), &(capacity), n, sizeof *(items)))

/* Little-endian loads from any address. libbert runs on little-endian machines alone (checked in arena.c). */
static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
