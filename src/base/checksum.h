/* CRC-32C (Castagnoli, RFC 3720; TensorFlow's files use it, masked). */
#pragma once

#include "base/file.h"

enum { CRC32C_HEX = 9 }; /* digits and a NUL */

/* crc of n bytes continuing from an earlier crc (0 to start). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* The same of a mapped file: memory holds a piece of it at a time. */
uint32_t crc32c_mapped(uint32_t crc, const file_mapping *file);
void crc32c_mapped_hex(const file_mapping *file, char hex[CRC32C_HEX]);

/* TensorFlow's and LevelDB's masked form of a CRC that is itself stored in the data. */
static inline uint32_t crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}
