/* SHA-256 and SHA-1 (FIPS 180-4) of bytes that come piece by piece. Nothing is allocated, nothing can fail. SHA-256
 * runs on the processor's own instructions where it has them. SHA-1 is there for the names that git gives to files, not
 * for safety. */
#pragma once

#include "base/file.h"

#include <stddef.h>
#include <stdint.h>

enum { SHA_BLOCK = 64, SHA256_SIZE = 32, SHA1_SIZE = 20, SHA256_HEX = 2 * SHA256_SIZE + 1 }; /* digits and a NUL */

/* Works the blocks into the state. */
typedef void sha_rounds(uint32_t state[8], const unsigned char *blocks, size_t n);

typedef struct sha {
    sha_rounds *rounds;
    uint32_t state[8];
    int words;     /* of the state, that the digest is made of */
    uint64_t size; /* bytes so far */
    unsigned char block[SHA_BLOCK];
} sha;

void sha256_begin(sha *h);
void sha1_begin(sha *h);
void sha_add(sha *h, const void *bytes, size_t n);
/* The digest has SHA256_SIZE or SHA1_SIZE bytes. */
void sha_end(sha *h, unsigned char *digest);

/* A digest's digits, two a byte, and a NUL. */
void sha_hex(const unsigned char *digest, size_t size, char *hex);
void sha256_hex(const void *bytes, size_t n, char hex[SHA256_HEX]);
/* Of a mapped file from a byte on: memory holds a piece of it at a time. */
void sha256_mapped(const file_mapping *file, size_t from, char hex[SHA256_HEX]);
bert_status sha256_file(const char *path, char hex[SHA256_HEX], bert_err *err);

/* The rounds of SHA-256 in plain C, which a test holds those of the processor against. */
sha_rounds sha256_plain;
