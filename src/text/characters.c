/* The table is unfolded from runs, block by block. Blocks that are all alike (nothing to do, Chinese, Hangul) are kept
 * once; an unassigned or private code point has nothing to do: it is a letter that becomes itself. */
#include "text/characters.h"

#include "text/character_runs.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128, CODE_POINTS = 0x110000, N_BLOCKS = CODE_POINTS / BLOCK, MOST_SHARED = 8 };

/* A walk through the runs, and the blocks so far whose entries are all alike. */
typedef struct unfolding {
    const character_rules *rules;
    const character_run *run;
    uint32_t left; /* code points of the run that have no entry yet */
    uint32_t next; /* code point */
    uint16_t shared[MOST_SHARED];
    size_t n_shared;
} unfolding;

/* White space among what cleaning drops. */
static bool is_control_space(uint32_t cp)
{
    return cp == 0x0B || cp == 0x0C || cp == 0x85;
}

/* A run's entry as the rules have it. */
static uint32_t entry_of(const unfolding *u)
{
    const character_rules *r = u->rules;
    uint32_t entry = u->run->entry;
    if ((entry & CHARACTER_OTHERWISE) && r->huggingface)
        entry = entry & CHARACTER_CHINESE ? entry & ~(uint32_t)CHARACTER_CHINESE : CHARACTER_DROP;
    if ((entry & CHARACTER_DROP) && !r->clean_text)
        entry = is_control_space(u->next) ? CHARACTER_SPACE : 0;
    return entry & ~(CHARACTER_OTHERWISE | (r->chinese ? 0 : CHARACTER_CHINESE));
}

static uint32_t unfolding_next(unfolding *u)
{
    if (!u->left)
        u->left = (++u->run)->n;
    uint32_t entry = entry_of(u);
    u->left--;
    u->next++;
    return entry;
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
    int shared = alike ? find_shared(u, table, entry_of(u)) : -1; /* no run so long has control space */
    if (shared >= 0) {
        u->left -= BLOCK;
        u->next += BLOCK;
        return (uint16_t)shared;
    }
    uint32_t *block = table->blocks + table->n_blocks * BLOCK;
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = unfolding_next(u);
    uint16_t number = (uint16_t)table->n_blocks++;
    if (alike && u->n_shared < MOST_SHARED)
        u->shared[u->n_shared++] = number;
    return number;
}

bert_status character_table_create(character_table *table, const character_rules *rules, bert_err *err)
{
    const character_runs *runs = &CHARACTER_RUNS[rules->lower][rules->strip];
    unfolding u = { .rules = rules, .run = runs->runs, .left = runs->runs[0].n };
    *table = (character_table){ .expansions = CHARACTER_EXPANSIONS };
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
        { 0x1715, 0x1715, 9 },     { 0x1734, 0x1734, 9 },   { 0x1B44, 0x1B44, 9 },     { 0x1BAA, 0x1BAA, 9 },
        { 0x1BF2, 0x1BF3, 9 },     { 0x302E, 0x302F, 224 }, { 0xA953, 0xA953, 9 },     { 0xA9C0, 0xA9C0, 9 },
        { 0x111C0, 0x111C0, 9 },   { 0x11235, 0x11235, 9 }, { 0x1134D, 0x1134D, 9 },   { 0x116B6, 0x116B6, 9 },
        { 0x1193D, 0x1193D, 9 },   { 0x16FF0, 0x16FF1, 6 }, { 0x1D165, 0x1D166, 216 }, { 0x1D16D, 0x1D16D, 226 },
        { 0x1D16E, 0x1D172, 216 },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return ranges[i].class;
    return 0;
}

/* Rarely asked. */
bool character_is_word(uint32_t cp)
{
    size_t i = 0;
    while (i < N_CHARACTER_WORD_RUNS && cp >= CHARACTER_WORD_RUNS[i])
        cp -= CHARACTER_WORD_RUNS[i++];
    return i % 2;
}

bool character_is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0D) || cp == 0x20 || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}
