/* CRC-32C (Castagnoli, RFC 3720; TensorFlow's files use it, masked) and SHA-256 (FIPS 180-4, through libcrypto). */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* crc of n bytes continuing from an earlier crc (0 to start). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* TensorFlow's and LevelDB's masked form of a CRC that is itself stored in the data. */
static inline uint32_t crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

enum { SHA256_HEX = 65 }; /* 64 hexadecimal digits and a NUL */

/* SHA-256 of bytes that come piece by piece. */
typedef struct sha256 {
    void *state;
} sha256;

void sha256_begin(sha256 *h);
void sha256_add(sha256 *h, const void *bytes, size_t n);
/* Frees what sha256_begin made. false, and 32 zeros: memory ran out in between. */
bool sha256_end(sha256 *h, unsigned char digest[32]);

/* A digest's digits. */
void sha256_digest_hex(const unsigned char digest[32], char hex[SHA256_HEX]);
void sha256_hex(const void *bytes, size_t n, char hex[SHA256_HEX]);
bert_status sha256_file(const char *path, char hex[SHA256_HEX], bert_err *err);

#endif
