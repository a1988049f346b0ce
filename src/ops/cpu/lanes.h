/* What crosses lanes, for as many vectors at once as a vector has lanes: sums, maxima, and the transpose. Each round
 * halves the vectors or moves one bit of a place from row to column; pairs within 128 bits come first, since those
 * shuffles are the cheapest. */
#pragma once

#include "ops/cpu/vec.h"

/* Of each 128 bits the lower (upper) halves of a and b: single lanes in turn, pairs of lanes. */
#if LANES == 16
#define SINGLES_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define SINGLES_HIGH(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define PAIRS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define PAIRS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
/* Quarters 0 and 1 (2 and 3) of a, then of b; quarters 0 and 2 (1 and 3). */
#define QUARTERS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define QUARTERS_HIGH(a, b) __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define QUARTERS_EVEN(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define QUARTERS_ODD(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
#elif LANES == 8
#define SINGLES_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define SINGLES_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define PAIRS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define PAIRS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
/* The lower (upper) half of a, then of b. */
#define HALF_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HALF_HIGH(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#else
#define SINGLES_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define SINGLES_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define PAIRS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define PAIRS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#endif

INLINE vec add_lanes_of(vec a, vec b)
{
    return a + b;
}

/* Lane i of the result = all lanes of v[i], joined by `join` in an order that is the same for each. v is
 * overwritten. */
INLINE vec across(vec v[LANES], vec (*join)(vec, vec))
{
    for (int i = 0; i < LANES / 2; i++)
        v[i] = join(SINGLES_LOW(v[2 * i], v[2 * i + 1]), SINGLES_HIGH(v[2 * i], v[2 * i + 1]));
    for (int i = 0; i < LANES / 4; i++)
        v[i] = join(PAIRS_LOW(v[2 * i], v[2 * i + 1]), PAIRS_HIGH(v[2 * i], v[2 * i + 1]));
#if LANES == 16
    for (int i = 0; i < 2; i++)
        v[i] = join(QUARTERS_LOW(v[2 * i], v[2 * i + 1]), QUARTERS_HIGH(v[2 * i], v[2 * i + 1]));
    v[0] = join(QUARTERS_EVEN(v[0], v[1]), QUARTERS_ODD(v[0], v[1]));
#elif LANES == 8
    v[0] = join(HALF_LOW(v[0], v[1]), HALF_HIGH(v[0], v[1]));
#endif
    return v[0];
}

/* Lane i of the result = the sum (the greatest) of the lanes of v[i]. */
INLINE vec sums_across(vec v[LANES])
{
    return across(v, add_lanes_of);
}

INLINE vec maxima_across(vec v[LANES])
{
    return across(v, max_vec);
}

/* Lanes of v[i] and v[i] of lanes change places. */
INLINE void transpose_lanes(vec v[LANES])
{
    vec t[LANES];
    for (int i = 0; i < LANES; i += 4) { /* within 128 bits: t[i + c] holds columns c, c + 4, ... of rows i .. i + 3 */
        vec low01 = SINGLES_LOW(v[i], v[i + 1]), high01 = SINGLES_HIGH(v[i], v[i + 1]);
        vec low23 = SINGLES_LOW(v[i + 2], v[i + 3]), high23 = SINGLES_HIGH(v[i + 2], v[i + 3]);
        t[i] = PAIRS_LOW(low01, low23);
        t[i + 1] = PAIRS_HIGH(low01, low23);
        t[i + 2] = PAIRS_LOW(high01, high23);
        t[i + 3] = PAIRS_HIGH(high01, high23);
    }
#if LANES == 16
    for (int c = 0; c < 4; c++) {
        vec low0 = QUARTERS_LOW(t[c], t[c + 4]), low1 = QUARTERS_LOW(t[c + 8], t[c + 12]);
        vec high0 = QUARTERS_HIGH(t[c], t[c + 4]), high1 = QUARTERS_HIGH(t[c + 8], t[c + 12]);
        v[c] = QUARTERS_EVEN(low0, low1);
        v[c + 4] = QUARTERS_ODD(low0, low1);
        v[c + 8] = QUARTERS_EVEN(high0, high1);
        v[c + 12] = QUARTERS_ODD(high0, high1);
    }
#elif LANES == 8
    for (int c = 0; c < 4; c++) {
        v[c] = HALF_LOW(t[c], t[c + 4]);
        v[c + 4] = HALF_HIGH(t[c], t[c + 4]);
    }
#else
    for (int c = 0; c < 4; c++)
        v[c] = t[c];
#endif
}
