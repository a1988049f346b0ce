/* What the tokeniser does with each character, as runs of code points that are treated alike. */
#ifndef TEXT_CHARACTER_RUNS_H
#define TEXT_CHARACTER_RUNS_H

#include <stddef.h>
#include <stdint.h>

typedef struct character_run {
    uint32_t n;     /* so many code points */
    uint32_t entry; /* see characters.h */
} character_run;

/* All code points in their order: the runs' lengths sum to 0x110000. */
typedef struct character_runs {
    const character_run *runs; /* (n) */
    size_t n;
} character_runs;

extern const character_runs CHARACTER_RUNS[2][2]; /* [lower-cased or not][stripped of accents or not] */
extern const uint32_t CHARACTER_EXPANSIONS[];     /* what entries that expand point into */

/* How many code points are none of a word, how many behind them are, and so on. */
extern const uint32_t CHARACTER_WORD_RUNS[];
extern const size_t N_CHARACTER_WORD_RUNS;

#endif
