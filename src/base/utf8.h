/* UTF-8, one code point at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The code point at bytes[0], n > 0 bytes being left. Returns its length, 0 where there is none: a stray or missing
 * continuation byte, an overlong form, a surrogate, beyond U+10FFFF. Dropping one byte at each 0 drops what Python's
 * decode("utf-8", "ignore") drops. */
static inline size_t utf8_decode(const unsigned char *bytes, size_t n, uint32_t *cp)
{
    uint32_t c = bytes[0];
    if (c < 0x80) {
        *cp = c;
        return 1;
    }
    size_t length = c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (!length || length > n)
        return 0;
    c &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (bytes[i] & 0x3Fu);
    }
    if ((length == 3 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) || (length == 4 && (c < 0x10000 || c > 0x10FFFF)))
        return 0;
    *cp = c;
    return length;
}

/* How many of the n bytes, from the first on, are whole characters: n where all are. */
size_t utf8_sound(const unsigned char *bytes, size_t n);

/* Whether n bytes (at least one, fewer than a character has) are the beginning of a character. */
static inline bool utf8_begins(const unsigned char *bytes, size_t n)
{
    unsigned char low[4] = { 0x80, 0x80, 0x80, 0x80 }, high[4] = { 0xBF, 0xBF, 0xBF, 0xBF };
    uint32_t cp;
    if (n > 3 || bytes[0] < 0x80)
        return false;
    memcpy(low, bytes, n);
    memcpy(high, bytes, n);
    return utf8_decode(low, 4, &cp) > n || utf8_decode(high, 4, &cp) > n;
}

static inline bool utf8_is_valid(const char *bytes, size_t n)
{
    return utf8_sound((const unsigned char *)bytes, n) == n;
}

/* Writes cp to bytes and returns its length. */
static inline size_t utf8_encode(uint32_t cp, unsigned char bytes[4])
{
    if (cp < 0x80) {
        bytes[0] = (unsigned char)cp;
        return 1;
    }
    size_t length = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, cp >>= 6)
        bytes[i] = (unsigned char)(0x80 | (cp & 0x3F));
    bytes[0] = (unsigned char)(cp | (0xF00u >> length & 0xFF));
    return length;
}
