/* The heights that tiles of sums have: one tile function for each number of rows, with its own registers. A tile of the
 * greatest height and two vectors' width, two vectors of b and one of a stay in the registers. */
#pragma once

#include "ops/cpu/vec.h"

/* F(1) F(2) ... up to a height */
#define HEIGHTS_TO_4(F) F(1) F(2) F(3) F(4)
#define HEIGHTS_TO_6(F) HEIGHTS_TO_4(F) F(5) F(6)
#define HEIGHTS_TO_12(F) HEIGHTS_TO_6(F) F(7) F(8) F(9) F(10) F(11) F(12)

#define EVEN_HEIGHTS_TO_4(F) F(2) F(4)
#define EVEN_HEIGHTS_TO_6(F) EVEN_HEIGHTS_TO_4(F) F(6)
#define EVEN_HEIGHTS_TO_12(F) EVEN_HEIGHTS_TO_6(F) F(8) F(10) F(12)

#if LANES == 16
#define HEIGHTS HEIGHTS_TO_12
#define EVEN_HEIGHTS EVEN_HEIGHTS_TO_12
#elif LANES == 8
#define HEIGHTS HEIGHTS_TO_6
#define EVEN_HEIGHTS EVEN_HEIGHTS_TO_6
#else
#define HEIGHTS HEIGHTS_TO_4
#define EVEN_HEIGHTS EVEN_HEIGHTS_TO_4
#endif

#define COUNT_HEIGHT(rows) +1
enum { ROWS = 0 HEIGHTS(COUNT_HEIGHT) };
