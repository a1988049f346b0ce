/* Sizes that come from files are multiplied and added through these: each returns false where the result would not
 * fit. */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
