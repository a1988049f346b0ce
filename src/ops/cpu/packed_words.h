/* How the factors of a product become words (tile.h): floats are words already (floats.c), bf16 are made from them
 * (bf16/pairs.c, bf16_fma/rounded.c). */
#pragma once

#include "ops/cpu/gemm.h"
#include "ops/cpu/tile.h"

enum {
    DEPTH = 256,        /* words of k at a time: a panel of so many rows is 32 KB, the first-level cache */
    /* for a panel that is packed: then TILE_PACKED rows of A take 252 KB of the second-level cache */
    DEPTH_PACKED = 768,
    TILE_PACKED = 84,   /* rows of A that stay in cache for all packed panels */
    /* Of a plain B: panels that are packed at a time, 192 KB, and rows of A that meet them before the next ones, 48
     * KB. */
    PANELS = 6,
    GROUP = 48,
    AHEAD = 8, /* rows that are prefetched before they are read, where they lie far apart */
    LINE_END = 16, /* words behind a row of A that is copied, so that the rows do not share cache sets */
#if defined(OPS_WORD_BF16)
    K_OF_WORD = 2
#else
    K_OF_WORD = 1
#endif
};

/* How many words hold k numbers: whole pairs of bf16. */
INLINE size_t words_of(size_t k)
{
#if defined(OPS_WORD_ROUNDED)
    return (k + 1) / 2 * 2;
#else
    return (k + K_OF_WORD - 1) / K_OF_WORD;
#endif
}

/* Rows of A in words: word l of row i is at words[i * row + l * col]; row or col is 1. */
typedef struct lines {
    const word *words;
    size_t row, col;
} lines;

/* Rows row .. row + rows of A, k from l to l + deep: in place, or in `room`, which has LINE_END words more a row than
 * deep takes. A transposed: at most GROUP rows. */
lines OP(gemm_lines)(word *room, const gemm *g, size_t row, size_t rows, size_t l, size_t deep);

/* n panels of B from number `first` on, DEPTH words of k apart, k from l to l + deep <= K_OF_WORD * DEPTH; zero beyond
 * B. */
void OP(gemm_panels)(word *panels, const gemm *g, size_t first, size_t n, size_t l, size_t deep);
