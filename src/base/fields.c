/* How a value is written where lines are made for machines. */
#include "base/fields.h"

#include "base/options.h"
#include "base/utf8.h"

#include <math.h>

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* How many bytes from p on stand in a JSON string as they are. */
static size_t plain_json(const unsigned char *p, size_t n)
{
    size_t i = 0;
    uint32_t c;
    for (size_t length; i < n && (length = utf8_decode(p + i, n - i, &c)); i += length)
        if (c < 0x20 || c == 0x7F || c == '"' || c == '\\')
            break;
    return i;
}

void field_json(buffer *b, const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    buffer_char(b, '"');
    for (size_t i = 0, plain; i < n; i += plain + 1) {
        plain = plain_json(p + i, n - i);
        buffer_add(b, bytes + i, plain);
        if (i + plain == n)
            break;
        unsigned char c = p[i + plain];
        if (c >= 0x80)
            buffer_string(b, "\\ufffd");
        else
            buffer_printf(b, c == '"' || c == '\\' ? "\\%c" : "\\u%04x", c);
    }
    buffer_char(b, '"');
}

void field_tsv(buffer *b, const char *bytes, size_t n)
{
    static const char SPECIAL[] = "\t\n\r\\", LETTERS[] = "tnr\\";
    for (size_t i = 0; i < n; i++) {
        const char *special = bytes[i] ? strchr(SPECIAL, bytes[i]) : NULL;
        if (special)
            buffer_char(b, '\\');
        buffer_char(b, special ? LETTERS[special - SPECIAL] : bytes[i]);
    }
}

void field_csv(buffer *b, const char *bytes, size_t n)
{
    bool quote = false;
    for (size_t i = 0; i < n; i++)
        quote |= bytes[i] && strchr(",\"\n\r", bytes[i]);
    if (!quote) {
        buffer_add(b, bytes, n);
        return;
    }
    buffer_char(b, '"');
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '"')
            buffer_char(b, '"');
        buffer_char(b, bytes[i]);
    }
    buffer_char(b, '"');
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* Writes x in front of `end`, at least so many digits; returns where it begins. */
static char *digits_before(char *end, uint64_t x, int least)
{
    for (; x || least > 0; x /= 10, least--)
        *--end = (char)('0' + x % 10);
    return end;
}

/* A float from 1e-4 to 1e9, whose nine digits come from whole numbers: x is mantissa * 2^-shift, and mantissa *
 * 10^places, with so many places that nine digits stand before the point, is less than 2^64. A tie goes to the even
 * one, as in C. */
static void add_float(buffer *b, float x, bool negative)
{
    static const double TEN[] = {
        1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8
    }; /* no float stands between one and its double */
    enum { N = sizeof TEN / sizeof *TEN };
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t mantissa = (bits & 0x7FFFFF) | 0x800000, power = 1;
    int shift = 150 - (int)(bits >> 23), places = N;
    while (places && (double)x >= TEN[N - places])
        places--;
    for (int i = 0; i < places; i++)
        power *= 10;
    uint64_t all = mantissa * power, digits = shift > 0 ? all >> shift : all << -shift;
    if (shift > 0) {
        uint64_t rest = all - (digits << shift), half = UINT64_C(1) << (shift - 1);
        digits += rest > half || (rest == half && digits & 1);
    }
    for (; places && digits % 10 == 0; digits /= 10, places--)
        power /= 10;
    char text[24], *end = text + sizeof text, *start = end;
    if (places) {
        start = digits_before(start, digits % power, places);
        *--start = '.';
    }
    start = digits_before(start, digits / power, 1);
    if (negative)
        *--start = '-';
    buffer_add(b, start, (size_t)(end - start));
}

void field_number(buffer *b, double x)
{
    double size = fabs(x);
    if (size >= 1e-4 && size < 1e9 && (double)(float)size == size) {
        add_float(b, (float)size, x < 0);
    } else if (isfinite(x)) {
        locale_t before = uselocale(plain_locale());
        buffer_printf(b, "%.9g", x);
        uselocale(before);
    } else {
        buffer_string(b, "null");
    }
}

void field_integer(buffer *b, int64_t x)
{
    char text[24], *end = text + sizeof text, *start = digits_before(end, x < 0 ? -(uint64_t)x : (uint64_t)x, 1);
    if (x < 0)
        *--start = '-';
    buffer_add(b, start, (size_t)(end - start));
}
