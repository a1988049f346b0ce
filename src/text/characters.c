/* The table is unfolded from runs, block by block. Blocks that are all alike (nothing to do, Chinese, Hangul) are kept once; an unassigned or
 * private code point has nothing to do: it is a letter that becomes itself. */
#include "text/characters.h"

#include "text/character_runs.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128, CODE_POINTS = 0x110000, N_BLOCKS = CODE_POINTS / BLOCK, MOST_SHARED = 8 };

/* A walk through the runs, and the blocks so far whose entries are all alike. */
typedef struct unfolding {
    const character_run *run;
    uint32_t left; /* code points of the run that have no entry yet */
    uint16_t shared[MOST_SHARED];
    size_t n_shared;
} unfolding;

static uint32_t next_entry(unfolding *u)
{
    if (!u->left)
        u->left = (++u->run)->n;
    u->left--;
    return u->run->entry;
}

/* The block that is all `entry`, if there is one already; else -1. */
static int find_shared(const unfolding *u, const character_table *table, uint32_t entry)
{
    for (size_t i = 0; i < u->n_shared; i++)
        if (table->blocks[(size_t)u->shared[i] * BLOCK] == entry)
            return u->shared[i];
    return -1;
}

/* The number of the next block, which is added behind the others where it is a new one; there must be room. */
static uint16_t next_block(unfolding *u, character_table *table)
{
    bool alike = u->left >= BLOCK;
    int shared = alike ? find_shared(u, table, u->run->entry) : -1;
    if (shared >= 0) {
        u->left -= BLOCK;
        return (uint16_t)shared;
    }
    uint32_t *block = table->blocks + table->n_blocks * BLOCK;
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = next_entry(u);
    uint16_t number = (uint16_t)table->n_blocks++;
    if (alike && u->n_shared < MOST_SHARED)
        u->shared[u->n_shared++] = number;
    return number;
}

bert_status character_table_create(character_table *table, bool do_lower_case, bert_err *err)
{
    const character_runs *runs = do_lower_case ? &CHARACTER_RUNS_UNCASED : &CHARACTER_RUNS_CASED;
    unfolding u = { .run = runs->runs, .left = runs->runs[0].n };
    *table = (character_table){ .expansions = runs->expansions };
    table->index = malloc(N_BLOCKS * sizeof *table->index);
    table->blocks = malloc((size_t)CODE_POINTS * sizeof *table->blocks); /* pages that are not written cost nothing */
    if (!table->index || !table->blocks) {
        character_table_free(table);
        return fail_memory(err, "the tokeniser's table of characters");
    }
    for (size_t i = 0; i < N_BLOCKS; i++)
        table->index[i] = next_block(&u, table);
    uint32_t *fitting = realloc(table->blocks, table->n_blocks * BLOCK * sizeof *table->blocks);
    table->blocks = fitting ? fitting : table->blocks; /* too large is no failure */
    return BERT_OK;
}

void character_table_free(character_table *table)
{
    free(table->index);
    free(table->blocks);
    *table = (character_table){ 0 };
}

unsigned character_combining_class(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
        unsigned class;
    } ranges[] = {
        { 0x1715, 0x1715, 9 },     { 0x1734, 0x1734, 9 },     { 0x1B44, 0x1B44, 9 },   { 0x1BAA, 0x1BAA, 9 },   { 0x1BF2, 0x1BF3, 9 },
        { 0x302E, 0x302F, 224 },   { 0xA953, 0xA953, 9 },     { 0xA9C0, 0xA9C0, 9 },   { 0x111C0, 0x111C0, 9 }, { 0x11235, 0x11235, 9 },
        { 0x1134D, 0x1134D, 9 },   { 0x116B6, 0x116B6, 9 },   { 0x1193D, 0x1193D, 9 }, { 0x16FF0, 0x16FF1, 6 }, { 0x1D165, 0x1D166, 216 },
        { 0x1D16D, 0x1D16D, 226 }, { 0x1D16E, 0x1D172, 216 },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return ranges[i].class;
    return 0;
}
