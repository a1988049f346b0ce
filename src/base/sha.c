/* SHA-256 and SHA-1. */
#include "base/sha.h"

#include "base/size.h"

#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static inline uint32_t turn(uint32_t x, int n) /* to the right */
{
    return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const unsigned char *p)
{
    return __builtin_bswap32(load_le32(p));
}

void sha256_plain(uint32_t state[8], const unsigned char *p, size_t n)
{
    for (; n; n--, p += SHA_BLOCK) {
        uint32_t w[64], s[8];
        for (int t = 0; t < 16; t++)
            w[t] = load_be32(p + 4 * t);
        for (int t = 16; t < 64; t++) {
            uint32_t a = w[t - 15], b = w[t - 2];
            w[t] = w[t - 16] + w[t - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        for (int t = 0; t < 64; t += 8)
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++) { /* instead of moving the words on by one, their names move */
                uint32_t a = s[-i & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], e = s[(4 - i) & 7], f = s[(5 - i) & 7],
                         g = s[(6 - i) & 7];
                uint32_t *d = &s[(3 - i) & 7], *h = &s[(7 - i) & 7];
                *h += (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t + i] + w[t + i];
                *d += *h;
                *h += (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            }
        for (int i = 0; i < 8; i++)
            state[i] += s[i];
    }
}

#if defined(__x86_64__)
/* The instructions keep the eight words as (a, b, e, f) and (c, d, g, h), highest first, and do two rounds at a
 * time. */
__attribute__((target("sha,sse4.1"))) static void sha256_instructions(uint32_t state[8], const unsigned char *p,
                                                                      size_t n)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; n; n--, p += SHA_BLOCK) {
        __m128i w[4], before[2] = { abef, cdgh };
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), big_endian);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i sum = _mm_add_epi32(w[i % 4], _mm_load_si128((const __m128i *)(const void *)(K + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i < 12) { /* the words of four groups of rounds later */
                __m128i seventh = _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4);
                w[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]), seventh),
                                                w[(i + 3) % 4]);
            }
        }
        abef = _mm_add_epi32(abef, before[0]);
        cdgh = _mm_add_epi32(cdgh, before[1]);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

static bool has_sha(void)
{
#if defined(__clang__) /* it does not know the word */
    unsigned a, b = 0, c, d;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
#else
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sha");
#endif
}
#endif

static void sha1_plain(uint32_t state[8], const unsigned char *p, size_t n)
{
    static const uint32_t ADDED[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    for (; n; n--, p += SHA_BLOCK) {
        uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        for (int t = 0; t < 16; t++)
            w[t] = load_be32(p + 4 * t);
        for (int t = 16; t < 80; t++)
            w[t] = turn(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 31);
        for (int t = 0; t < 80; t++) {
            uint32_t mixed = t < 20 ? (b & c) | (~b & d) : t >= 40 && t < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t next = turn(a, 27) + mixed + e + ADDED[t / 20] + w[t];
            e = d, d = c, c = turn(b, 2), b = a, a = next;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
}

/* ---- bytes in any pieces ----------------------------------------------------------------------------------------- */

void sha256_begin(sha *h)
{
    *h = (sha){ .rounds = sha256_plain,
                .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                           0x5be0cd19 },
                .words = 8 };
#if defined(__x86_64__)
    if (has_sha())
        h->rounds = sha256_instructions;
#endif
}

void sha1_begin(sha *h)
{
    *h = (sha){ .rounds = sha1_plain,
                .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 },
                .words = 5 };
}

void sha_add(sha *h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t kept = h->size % SHA_BLOCK;
    h->size += n;
    if (kept && n >= SHA_BLOCK - kept) {
        size_t missing = SHA_BLOCK - kept;
        memcpy(h->block + kept, p, missing);
        h->rounds(h->state, h->block, 1);
        p += missing;
        n -= missing;
        kept = 0;
    }
    if (n >= SHA_BLOCK) {
        h->rounds(h->state, p, n / SHA_BLOCK);
        p += n / SHA_BLOCK * SHA_BLOCK;
        n %= SHA_BLOCK;
    }
    if (n)
        memcpy(h->block + kept, p, n);
}

/* A one bit, zeros, and the size in bits as the last eight bytes of a block. */
void sha_end(sha *h, unsigned char *digest)
{
    static const unsigned char PADDING[SHA_BLOCK] = { 0x80 };
    uint64_t bits = __builtin_bswap64(8 * h->size);
    sha_add(h, PADDING, 1 + (SHA_BLOCK + 55 - h->size % SHA_BLOCK) % SHA_BLOCK);
    sha_add(h, &bits, sizeof bits);
    for (int i = 0; i < h->words; i++) {
        uint32_t word = __builtin_bswap32(h->state[i]);
        memcpy(digest + 4 * i, &word, sizeof word);
    }
}

/* ---- as digits --------------------------------------------------------------------------------------------------- */

void sha_hex(const unsigned char *digest, size_t size, char *hex)
{
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[2 * size] = 0;
}

void sha256_hex(const void *bytes, size_t n, char hex[SHA256_HEX])
{
    unsigned char digest[SHA256_SIZE];
    sha h;
    sha256_begin(&h);
    sha_add(&h, bytes, n);
    sha_end(&h, digest);
    sha_hex(digest, sizeof digest, hex);
}

void sha256_mapped(const file_mapping *file, size_t from, char hex[SHA256_HEX])
{
    sha h;
    unsigned char digest[SHA256_SIZE];
    sha256_begin(&h);
    for (size_t at = from, n; (n = file_piece(file, at)); at += n)
        sha_add(&h, file->data + at, n);
    sha_end(&h, digest);
    sha_hex(digest, sizeof digest, hex);
}

bert_status sha256_file(const char *path, char hex[SHA256_HEX], bert_err *err)
{
    file_mapping m;
    bert_status s = file_map(&m, path, err);
    if (s)
        return s;
    sha256_mapped(&m, 0, hex);
    file_unmap(&m);
    return BERT_OK;
}
