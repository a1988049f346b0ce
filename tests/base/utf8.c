/* UTF-8 by the stretch is what it is character by character. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static size_t sound_by_character(const unsigned char *bytes, size_t n)
{
    size_t i = 0;
    uint32_t cp;
    for (size_t length; i < n && (length = utf8_decode(bytes + i, n - i, &cp)); i += length) {
    }
    return i;
}

/* Every pair of bytes behind every length of ASCII, and what may follow, at each place of a stretch. */
static void a_stretch_ends_where_its_characters_do(void **state)
{
    (void)state;
    static const char ASCII_BEHIND[] = { (char)0x80, 'a', 0 }; /* not "\x80a", which is one character */
    static const char *const TAILS[] = { "", "\x80", "\x80\x80", "\xBF\xBF", "a", ASCII_BEHIND };
    unsigned char bytes[128];
    for (unsigned first = 0x80; first < 0x100; first++)
        for (unsigned second = 0; second < 0x100; second++)
            for (size_t tail = 0; tail < sizeof TAILS / sizeof *TAILS; tail++)
                for (size_t before = 0; before < 40; before += 3) {
                    memset(bytes, 'x', sizeof bytes);
                    bytes[before] = (unsigned char)first;
                    bytes[before + 1] = (unsigned char)second;
                    memcpy(bytes + before + 2, TAILS[tail], strlen(TAILS[tail]));
                    assert_int_equal(utf8_sound(bytes, sizeof bytes), sound_by_character(bytes, sizeof bytes));
                    size_t cut = before + 2 + strlen(TAILS[tail]);
                    assert_int_equal(utf8_sound(bytes, cut), sound_by_character(bytes, cut));
                }
    assert_int_equal(utf8_sound(bytes, 0), 0);
}

/* Characters of all lengths with a byte changed anywhere, long enough for several stretches. */
static void a_changed_byte_is_found_anywhere(void **state)
{
    (void)state;
    static const char *const PIECES[] = { "a",
                                          "\xC3\xA9",
                                          "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80",
                                          "\xED\x9F\xBF",
                                          "\xF4\x8F\xBF\xBF",
                                          "\xE0\xA0\x80",
                                          "an ASCII stretch of some length, longer than one" };
    unsigned char bytes[256], kept;
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        size_t n = 0;
        while (n + 64 < sizeof bytes) {
            random = random * 1664525 + 1013904223;
            const char *piece = PIECES[random >> 16 & 7];
            memcpy(bytes + n, piece, strlen(piece));
            n += strlen(piece);
        }
        assert_int_equal(utf8_sound(bytes, n), n);
        size_t cut = random >> 8 & 127;
        assert_int_equal(utf8_sound(bytes, cut), sound_by_character(bytes, cut));
        for (size_t at = 0; at < n; at += 1 + (random >> 20 & 3)) {
            random = random * 1664525 + 1013904223;
            kept = bytes[at];
            bytes[at] = (unsigned char)(random >> 24);
            assert_int_equal(utf8_sound(bytes, n), sound_by_character(bytes, n));
            bytes[at] = kept;
        }
    }
}

static void a_character_that_is_cut_is_known_by_its_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool begins;
    } CASES[] = {
        { "\xC3", true },      { "\xE2", true },      { "\xE2\x82", true },     { "\xF0\x9F\x98", true },
        { "\xE0\x80", false }, { "\xED\xA0", false }, { "\xF4\x90", false },    { "\xF0\x8F", false },
        { "\xC1", false },     { "\xFF", false },     { "\x80", false },        { "a", false },
        { "\xC3\x41", false }, { "\xE0\xA0", true },  { "\xF4\x8F\xBF", true }, { "\xF5", false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(utf8_begins((const unsigned char *)CASES[i].bytes, strlen(CASES[i].bytes)), CASES[i].begins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stretch_ends_where_its_characters_do),
        cmocka_unit_test(a_changed_byte_is_found_anywhere),
        cmocka_unit_test(a_character_that_is_cut_is_known_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
