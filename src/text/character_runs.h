/* What characters are and what they become, from which a tokeniser's table is unfolded (characters.c). */
#pragma once

#include <stdint.h>

/* Code points that are treated alike, in their order; the runs' lengths sum to 0x110000. A run is all the flags that an
 * entry of such a character may have (characters.h), under whatever rules, and where an entry has what the character
 * becomes, the number of code points. */
extern const uint32_t CHARACTER_RUNS[];

/* What becomes of characters that decompose (NFD) once marks are stripped: a code point, how many from it on, and of
 * each an entry without flags, or one that expands. 0 ends them. */
extern const uint32_t CHARACTER_DECOMPOSED[];

/* first, first + step, ... become to, to + step, ... when they are lower-cased: n of them. */
typedef struct character_shift {
    uint32_t first;
    uint16_t n, step;
    uint32_t to; /* or an entry that expands */
} character_shift;

extern const character_shift CHARACTER_LOWERED[]; /* ends with one of n 0 */

extern const uint32_t CHARACTER_EXPANSIONS[]; /* what entries that expand point into */
