/* UTF-8 by the stretch. The states of a character stand in one word for each byte, so that a step is a shift and no
 * branch (Per Vognsen's shift-based automaton): row(byte) >> state gives the next one. */
#include "base/utf8.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/* A state is its place in a word: six bits each. WRONG stays, DONE is between characters, ONE to THREE have so many
 * bytes to come, the others a next byte of a narrower range. */
enum {
    WRONG = 0,
    DONE = 6,
    ONE = 12,
    TWO = 18,
    THREE = 24,
    AFTER_E0 = 30,
    AFTER_ED = 36,
    AFTER_F0 = 42,
    AFTER_F4 = 48
};

#define GO(from, to) ((uint64_t)(to) << (from))
#define CONTINUES (GO(ONE, DONE) | GO(TWO, ONE) | GO(THREE, TWO))

static const uint64_t ROWS[256] = {
    [0x00 ... 0x7F] = GO(DONE, DONE),
    [0x80 ... 0x8F] = CONTINUES | GO(AFTER_ED, ONE) | GO(AFTER_F4, TWO),
    [0x90 ... 0x9F] = CONTINUES | GO(AFTER_ED, ONE) | GO(AFTER_F0, TWO),
    [0xA0 ... 0xBF] = CONTINUES | GO(AFTER_E0, ONE) | GO(AFTER_F0, TWO),
    [0xC2 ... 0xDF] = GO(DONE, ONE),
    [0xE0] = GO(DONE, AFTER_E0),
    [0xE1 ... 0xEC] = GO(DONE, TWO),
    [0xED] = GO(DONE, AFTER_ED),
    [0xEE ... 0xEF] = GO(DONE, TWO),
    [0xF0] = GO(DONE, AFTER_F0),
    [0xF1 ... 0xF3] = GO(DONE, THREE),
    [0xF4] = GO(DONE, AFTER_F4),
};

enum { STRETCH = 32 };

static bool is_ascii(const unsigned char *bytes)
{
    uint64_t w[STRETCH / 8];
    memcpy(w, bytes, sizeof w);
    return !((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u);
}

/* How many bytes are sound in whole stretches: up to there, but for a character that may be cut, all is. */
static size_t sound_stretches(const unsigned char *bytes, size_t n)
{
    size_t i = 0;
    for (uint64_t state = DONE; n - i >= STRETCH; i += STRETCH) {
        if (state != DONE || !is_ascii(bytes + i))
            for (size_t k = 0; k < STRETCH; k++)
                state = ROWS[bytes[i + k]] >> (state & 63);
        state &= 63;
        if (state == WRONG)
            break;
    }
    return i;
}

#ifdef __x86_64__
/* What two bytes that follow one another may be wrong for, a bit each; each of three tables says what a half of a byte
 * allows, and what all three do is so (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte",
 * 2020). */
enum {
    SHORT = 1,      /* a leading byte, and none that continues */
    LONG = 2,       /* ASCII, and one that continues */
    OVER_3 = 4,     /* E0 80 */
    LARGE = 8,      /* F4 90 and more */
    SURROGATE = 16, /* ED A0 */
    OVER_2 = 32,    /* C0, C1 */
    OVER_4 = 64,    /* F0 80; F5 80 and more */
    PAIR = 128,     /* both continue: right where a third or fourth byte is due */
    ANY_LOW = SHORT | LONG | PAIR
};
#define EACH_LANE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

__attribute__((target("avx2"))) static __m256i wrong_pairs(__m256i before, __m256i now)
{
    const __m256i low = _mm256_set1_epi8(0xF);
    const __m256i first_high = EACH_LANE(LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, (char)PAIR, (char)PAIR,
                                         (char)PAIR, (char)PAIR, SHORT | OVER_2, SHORT, SHORT | OVER_3 | SURROGATE,
                                         SHORT | LARGE | OVER_4);
    const char beyond = (char)(ANY_LOW | LARGE | OVER_4), after_e0 = (char)(ANY_LOW | OVER_2 | OVER_3 | OVER_4);
    const __m256i first_low = EACH_LANE(after_e0, (char)(ANY_LOW | OVER_2), (char)ANY_LOW, (char)ANY_LOW,
                                        (char)(ANY_LOW | LARGE), beyond, beyond, beyond, beyond, beyond, beyond, beyond,
                                        beyond, (char)(beyond | SURROGATE), beyond, beyond);
    const char cont = (char)(LONG | OVER_2 | PAIR);
    const __m256i second_high = EACH_LANE(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,
                                          (char)(cont | OVER_3 | OVER_4), (char)(cont | OVER_3 | LARGE),
                                          (char)(cont | SURROGATE | LARGE), (char)(cont | SURROGATE | LARGE), SHORT,
                                          SHORT, SHORT, SHORT);
    __m256i a = _mm256_shuffle_epi8(first_high, _mm256_and_si256(_mm256_srli_epi16(before, 4), low));
    __m256i b = _mm256_shuffle_epi8(first_low, _mm256_and_si256(before, low));
    __m256i c = _mm256_shuffle_epi8(second_high, _mm256_and_si256(_mm256_srli_epi16(now, 4), low));
    return _mm256_and_si256(_mm256_and_si256(a, b), c);
}

__attribute__((target("avx2"))) static __m256i stretch(const unsigned char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* What is wrong in the stretch that begins at `at`, with the three bytes before it. */
__attribute__((target("avx2"))) static __m256i wrong_bytes(const unsigned char *at)
{
    __m256i third = _mm256_subs_epu8(stretch(at - 2), _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(stretch(at - 3), _mm256_set1_epi8(0xF0 - 0x80));
    __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(due, wrong_pairs(stretch(at - 1), stretch(at)));
}

__attribute__((target("avx2"))) static bool is_wrong(const unsigned char *at, size_t n_stretches)
{
    __m256i any = stretch(at - 3), wrong = _mm256_setzero_si256();
    for (size_t k = 0; k < n_stretches; k++)
        any = _mm256_or_si256(any, stretch(at + k * STRETCH));
    if (!_mm256_movemask_epi8(any))
        return false;
    for (size_t k = 0; k < n_stretches; k++)
        wrong = _mm256_or_si256(wrong, wrong_bytes(at + k * STRETCH));
    return !_mm256_testz_si256(wrong, wrong);
}

__attribute__((target("avx2"))) static size_t sound_stretches_avx2(const unsigned char *bytes, size_t n)
{
    enum { MANY = 4 };
    unsigned char first[3 + STRETCH] = { 0 }; /* nothing stands before the first one */
    memcpy(first + 3, bytes, STRETCH);
    if (is_wrong(first + 3, 1))
        return 0;
    size_t i = STRETCH;
    while (n - i >= MANY * STRETCH && !is_wrong(bytes + i, MANY))
        i += MANY * STRETCH;
    while (n - i >= STRETCH && !is_wrong(bytes + i, 1))
        i += STRETCH;
    return i;
}
#else
#define sound_stretches_avx2 sound_stretches
#define __builtin_cpu_supports(name) 0
#endif

size_t utf8_sound(const unsigned char *bytes, size_t n)
{
    size_t whole = n < STRETCH                      ? 0
                   : __builtin_cpu_supports("avx2") ? sound_stretches_avx2(bytes, n)
                                                    : sound_stretches(bytes, n);
    uint32_t cp;
    for (size_t back = 1; back < 4 && back <= whole; back++)
        if (bytes[whole - back] >= 0xC0) { /* a character may go on behind */
            whole -= back;
            break;
        }
    for (size_t length; whole < n && (length = utf8_decode(bytes + whole, n - whole, &cp)); whole += length) {
    }
    return whole;
}
