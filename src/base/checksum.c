/* CRC-32C. */
#include "base/checksum.h"

#include "base/size.h"

#include <inttypes.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* 0x82F63B78 is the polynomial 0x1EDC6F41 with its bits reversed. */
static uint32_t crc32c_bytes(uint32_t crc, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82F63B78u & -(crc & 1));
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_words(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; p += 8, n -= 8)
        c = _mm_crc32_u64(c, load_le64(p));
    crc = (uint32_t)c;
    for (; n; p++, n--)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_words(~crc, bytes, n);
#endif
    return ~crc32c_bytes(~crc, bytes, n);
}

uint32_t crc32c_mapped(uint32_t crc, const file_mapping *file)
{
    for (size_t at = 0, n; (n = file_piece(file, at)); at += n)
        crc = crc32c(crc, file->data + at, n);
    return crc;
}

void crc32c_mapped_hex(const file_mapping *file, char hex[CRC32C_HEX])
{
    snprintf(hex, CRC32C_HEX, "%08" PRIx32, crc32c_mapped(0, file));
}
