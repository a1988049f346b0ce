/* FNV-1a (Fowler, Noll, Vo) of 64 bits: it tells things apart, nobody attacks it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static const uint64_t HASH_START = 0xcbf29ce484222325u;

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (const unsigned char *p = bytes, *end = p + n; p < end; p++)
        hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}
