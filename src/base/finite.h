/* Numbers that are none: NaN and infinities. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The index of the first of n numbers that is NaN or infinite; n where all are finite. A plain pass over the bits: as
 * fast as memory. */
static inline size_t first_not_finite(const float *x, size_t n)
{
    enum { STEP = 1024 };
    for (size_t i = 0; i < n; i += STEP) {
        size_t end = n - i < STEP ? n : i + STEP;
        uint32_t found = 0;
        for (size_t k = i; k < end; k++) {
            uint32_t bits;
            memcpy(&bits, &x[k], sizeof bits);
            found |= (bits & 0x7f800000) == 0x7f800000;
        }
        for (size_t k = i; found && k < end; k++) {
            uint32_t bits;
            memcpy(&bits, &x[k], sizeof bits);
            if ((bits & 0x7f800000) == 0x7f800000)
                return k;
        }
    }
    return n;
}

static inline const char *not_finite_word(float x)
{
    return x != x ? "NaN" : "infinite";
}

/* Whether all are 0, or -0. */
static inline bool all_zero(const float *x, size_t n)
{
    size_t i = 0;
    while (i < n && x[i] == 0)
        i++;
    return i == n;
}
