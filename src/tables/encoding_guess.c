/* Which encodings bytes fit: those that decode them to characters of which enough are what their languages are mostly
 * written in. Several may, and all are named: nobody but the reader knows the language. */
#include "tables/encoding_guess.h"

#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

enum { LOOK = 1 << 15, ENOUGH = 8 }; /* bytes that are looked at, and that say something of a script */

/* What a good share (per cent) of the characters beyond ASCII is. */
static const struct encoding_candidate {
    const char *name, *by; /* what to call it, and what it is decoded by */
    uint32_t first, last;
    unsigned share;
    enum { ROWS = -1, ANY, ALONE } stand; /* most of their bytes stand side by side, or between characters of ASCII */
    bool unless;                          /* not where one above fits, whose characters are rarer */
} CANDIDATES[] = {
    /* clang-format off */
    { "cp1252",    "CP1252", 0xC0,   0x17F,  0,  ALONE, false },
    { "cp1250",    "CP1250", 0x100,  0x17F,  20, ALONE, false },
    { "shift_jis", "CP932",  0x3040, 0x30FF, 20, ANY,  false },
    { "euc-jp",    "EUC-JP", 0x3040, 0x30FF, 20, ANY,  false },
    { "euc-kr",    "EUC-KR", 0xAC00, 0xD7A3, 80, ANY,  false },
    { "gb18030",   "GB2312", 0x4E00, 0x9FFF, 60, ANY,  true },
    { "big5",      "BIG5",   0x4E00, 0x9FFF, 60, ANY,  true },
    { "cp1251",    "CP1251", 0x430,  0x45F,  75, ROWS, false },
    { "iso-8859-5", "ISO-8859-5", 0x430, 0x45F, 75, ROWS, false },
    { "koi8-r",    "KOI8-R", 0x430,  0x45F,  75, ROWS, false },
    { "cp866",     "CP866",  0x430,  0x45F,  75, ROWS, false },
    { "cp1253",    "CP1253", 0x3AC,  0x3CE,  75, ROWS, false },
    { "cp1255",    "CP1255", 0x5D0,  0x5EA,  75, ROWS, false },
    { "cp1256",    "CP1256", 0x620,  0x652,  75, ROWS, false },
    { "cp874",     "CP874",  0xE01,  0xE5B,  75, ROWS, false },
    /* clang-format on */
};

/* Decodes bytes and counts the characters beyond ASCII, and those of the candidate. false: they are not of its
 * encoding. */
static bool count_fitting(const struct encoding_candidate *c, char *in, size_t n, size_t *beyond, size_t *expected)
{
    iconv_t converter = iconv_open("UTF-32LE", c->by);
    bool fits = converter != (iconv_t)-1;
    *beyond = *expected = 0;
    while (fits && n) {
        uint32_t out[256];
        char *to = (char *)out;
        size_t room = sizeof out;
        bool all = iconv(converter, &in, &n, &to, &room) != (size_t)-1;
        fits = all || errno == E2BIG || errno == EINVAL;
        for (size_t i = 0; i < (sizeof out - room) / sizeof *out; i++) {
            *beyond += out[i] >= 0x80;
            *expected += out[i] >= c->first && out[i] <= c->last;
        }
        if (all || errno == EINVAL) /* cut at the end */
            break;
    }
    if (converter != (iconv_t)-1)
        iconv_close(converter);
    return fits && *beyond;
}

/* Of the bytes that are no character of UTF-8: how many there are, and how many stand alone among ASCII; and the
 * characters that there are. */
typedef struct strays {
    size_t bad, alone, whole;
} strays;

static strays count_strays(const unsigned char *b, size_t n)
{
    strays out = { 0 };
    uint32_t cp;
    for (size_t i = 0, step; i < n; i += step ? step : 1) {
        step = utf8_decode(b + i, n - i, &cp);
        out.whole += step > 1;
        out.bad += !step;
        out.alone += !step && (i == 0 || b[i - 1] < 0x80) && (i + 1 == n || b[i + 1] < 0x80);
    }
    return out;
}

const char *encoding_guess(char out[ENCODING_GUESS], char *bytes, size_t n)
{
    n = n < LOOK ? n : LOOK;
    size_t beyond, expected, names = 0, size = 0;
    strays s = count_strays((const unsigned char *)bytes, n);
    int stand = s.alone * 2 < s.bad ? ROWS : ALONE;
    const char *only = NULL;
    if (s.whole >= s.bad) {
        snprintf(out, ENCODING_GUESS,
                 "the bytes around it are UTF-8: --encoding utf-8-drop reads the file without such bytes");
        return out;
    }
    for (size_t i = 0; (stand == ALONE || s.bad >= ENOUGH) && i < sizeof CANDIDATES / sizeof *CANDIDATES; i++) {
        const struct encoding_candidate *c = &CANDIDATES[i];
        if ((c->stand && c->stand != stand) || (c->unless && names) ||
            !count_fitting(c, bytes, n, &beyond, &expected) || expected * 100 < beyond * c->share)
            continue;
        /* all have room */
        size += (size_t)snprintf(out + size, ENCODING_GUESS - size, "%s%s", names++ ? ", " : "the bytes fit ", c->name);
        only = c->name;
    }
    if (!names)
        snprintf(out, ENCODING_GUESS,
                 "name the file's encoding (--encoding cp1251, gb18030, shift_jis, ...; iconv -l lists them)");
    else
        snprintf(out + size, ENCODING_GUESS - size, ": --encoding %s reads them%s, utf-8-drop leaves them out",
                 names == 1 ? only : "NAME", names == 1 ? " so" : " as one of these");
    return out;
}

/* Where a good share of the bytes is zero, in one or three of four places, and hardly any in the others. */
static const char *wide_by_zeros(const unsigned char *bytes, size_t n)
{
    static const struct {
        const char *name;
        bool zero[4]; /* each place in a group of four bytes */
    } WIDE[] = {
        { "utf-16le", { ANY, true, ANY, true } },
        { "utf-16be", { true, ANY, true, false } },
        { "utf-32le", { ANY, true, true, true } },
        { "utf-32be", { true, true, true, false } },
    };
    enum { LOOK_AT = 4096 };
    size_t zeros[4] = { 0 };
    n = n < LOOK_AT ? n : LOOK_AT;
    for (size_t i = 0; i < n; i++)
        zeros[i & 3] += !bytes[i];
    for (size_t k = 0; k < sizeof WIDE / sizeof *WIDE; k++) {
        size_t in = 0, out = 0, places = 0;
        for (int i = 0; i < 4; i++) {
            *(WIDE[k].zero[i] ? &in : &out) += zeros[i];
            places += WIDE[k].zero[i];
        }
        if (in >= 4 && in * 20 >= n && out * 20 <= in && (places == 2 || in * 2 >= n))
            return WIDE[k].name;
    }
    return NULL;
}

const char *encoding_in_disguise(const unsigned char *bytes, size_t n)
{
    const char *wide = wide_by_zeros(bytes, n);
    return wide                             ? wide
           : memmem(bytes, n, "\x1b$)C", 4) ? "iso-2022-kr"
           : memmem(bytes, n, "\x1b$", 2)   ? "iso-2022-jp"
                                            : NULL;
}
