/* UTF-8 by the stretch. The states of a character stand in one word for each byte, so that a step is a shift and no branch (Per Vognsen's
 * shift-based automaton): row(byte) >> state gives the next one. */
#include "base/utf8.h"

#include <string.h>

/* A state is its place in a word: six bits each. WRONG stays, DONE is between characters, ONE to THREE have so many bytes to come, the others a next
 * byte of a narrower range. */
enum { WRONG = 0, DONE = 6, ONE = 12, TWO = 18, THREE = 24, AFTER_E0 = 30, AFTER_ED = 36, AFTER_F0 = 42, AFTER_F4 = 48 };

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

size_t utf8_sound(const unsigned char *bytes, size_t n)
{
    size_t i = 0, whole = 0; /* up to there all is sound, at the end of a character */
    uint64_t state = DONE;
    while (n - i >= STRETCH) {
        if (state != DONE || !is_ascii(bytes + i))
            for (size_t k = 0; k < STRETCH; k++)
                state = ROWS[bytes[i + k]] >> (state & 63);
        state &= 63;
        if (state == WRONG)
            break;
        i += STRETCH;
        whole = state == DONE ? i : whole;
    }
    uint32_t cp;
    for (size_t length; whole < n && (length = utf8_decode(bytes + whole, n - whole, &cp)); whole += length) {
    }
    return whole;
}
