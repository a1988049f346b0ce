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
    const uint32_t *expansions; /* what entries that expand point into */
} character_runs;

extern const character_runs CHARACTER_RUNS_CASED, CHARACTER_RUNS_UNCASED;

#endif
