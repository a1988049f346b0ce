/* CRC-32C and SHA-256. */
#include "base/checksum.h"

#include "base/file.h"
#include "base/size.h"

#include <openssl/evp.h>
#include <string.h>
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

static void give_up(sha256 *h)
{
    EVP_MD_CTX_free(h->state);
    h->state = NULL;
}

void sha256_begin(sha256 *h)
{
    h->state = EVP_MD_CTX_new();
    if (h->state && !EVP_DigestInit_ex(h->state, EVP_sha256(), NULL))
        give_up(h);
}

void sha256_add(sha256 *h, const void *bytes, size_t n)
{
    if (h->state && n && !EVP_DigestUpdate(h->state, bytes, n))
        give_up(h);
}

bool sha256_end(sha256 *h, unsigned char digest[32])
{
    bool fine = h->state && EVP_DigestFinal_ex(h->state, digest, NULL);
    if (!fine)
        memset(digest, 0, 32);
    give_up(h);
    return fine;
}

void sha256_digest_hex(const unsigned char digest[32], char hex[SHA256_HEX])
{
    for (int i = 0; i < 32; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[64] = 0;
}

void sha256_hex(const void *bytes, size_t n, char hex[SHA256_HEX])
{
    unsigned char digest[32];
    sha256 h;
    sha256_begin(&h);
    sha256_add(&h, bytes, n);
    sha256_end(&h, digest);
    sha256_digest_hex(digest, hex);
}

bert_status sha256_file(const char *path, char hex[SHA256_HEX], bert_err *err)
{
    file_mapping m;
    bert_status s = file_map(&m, path, err);
    if (s)
        return s;
    sha256_hex(m.data, m.size, hex);
    file_unmap(&m);
    return BERT_OK;
}
