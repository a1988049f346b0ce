/* The table is unfolded from runs, block by block. Blocks that are all alike (nothing to do, Chinese, Hangul) are kept
 * once; an unassigned or private code point has nothing to do: it is a letter that becomes itself. Then what decomposes
 * takes the entry of what it becomes, and what is lower-cased that of its small letter, which is decomposed by then. */
#include "text/characters.h"

#include "text/character_runs.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128, CODE_POINTS = 0x110000, N_BLOCKS = CODE_POINTS / BLOCK, MOST_SHARED = 8 };

/* A walk through the runs, and the blocks so far whose entries are all alike. */
typedef struct unfolding {
    const character_rules *rules;
    const uint32_t *run;
    uint32_t left;    /* code points of the run that have no entry yet */
    uint32_t without; /* flags that these rules know nothing of */
    uint32_t next;    /* code point */
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
    uint32_t entry = *u->run;
    if ((entry & CHARACTER_OTHERWISE) && r->huggingface)
        entry = entry & CHARACTER_CHINESE ? entry & ~(uint32_t)CHARACTER_CHINESE : CHARACTER_DROP;
    if ((entry & CHARACTER_DROP) && !r->clean_text)
        entry = is_control_space(u->next) ? CHARACTER_SPACE : 0;
    return entry & ~u->without;
}

static uint32_t unfolding_next(unfolding *u)
{
    if (!u->left)
        u->left = *++u->run & CHARACTER_BECOMES;
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

/* The entry of cp, in a block that no other characters share. */
static uint32_t *own_entry(const unfolding *u, character_table *table, uint32_t cp)
{
    uint16_t *number = &table->index[cp / BLOCK];
    for (size_t i = 0; i < u->n_shared; i++)
        if (u->shared[i] == *number) {
            memcpy(table->blocks + table->n_blocks * BLOCK, table->blocks + (size_t)*number * BLOCK,
                   BLOCK * sizeof *table->blocks);
            *number = (uint16_t)table->n_blocks++;
            break;
        }
    return &table->blocks[(size_t)*number * BLOCK + cp % BLOCK];
}

/* cp is treated as what it becomes, or expands; how it counts for the final sigma, and that it is Chinese, stay. */
static void become(const unfolding *u, character_table *table, uint32_t cp, uint32_t to)
{
    static const uint32_t OWN = CHARACTER_CASED | CHARACTER_CASE_IGNORABLE | CHARACTER_CHINESE;
    uint32_t *entry = own_entry(u, table, cp), other = to & CHARACTER_EXPANDS ? 0 : character_entry(table, to);
    *entry = (*entry & OWN) | (other & ~OWN) | (other & CHARACTER_BECOMES ? 0 : to);
}

static void decompose(const unfolding *u, character_table *table)
{
    for (const uint32_t *p = CHARACTER_DECOMPOSED; *p;) {
        uint32_t cp = *p++;
        for (uint32_t n = *p++; n; n--)
            become(u, table, cp++, *p++);
    }
}

static void lower_case(const unfolding *u, character_table *table)
{
    for (const character_shift *s = CHARACTER_LOWERED; s->n; s++)
        for (uint32_t i = 0; i < s->n; i++) {
            uint32_t to = s->to + i * s->step;
            if (u->rules->strip && (to & CHARACTER_EXPANDS)) /* into a letter and a mark */
                to = table->expansions[(to & CHARACTER_BECOMES) + 1];
            become(u, table, s->first + i * s->step, to);
        }
}

bert_status character_table_create(character_table *table, const character_rules *rules, bert_err *err)
{
    unfolding u = { .rules = rules, .run = CHARACTER_RUNS, .left = CHARACTER_RUNS[0] & CHARACTER_BECOMES };
    u.without = CHARACTER_BECOMES | CHARACTER_OTHERWISE | CHARACTER_WORD | (rules->chinese ? 0 : CHARACTER_CHINESE) |
                (rules->strip ? 0 : CHARACTER_MARK | CHARACTER_NONSTARTER | CHARACTER_HANGUL) |
                (rules->lower ? 0 : CHARACTER_CASED | CHARACTER_CASE_IGNORABLE);
    *table = (character_table){ .expansions = CHARACTER_EXPANSIONS };
    table->index = malloc(N_BLOCKS * sizeof *table->index);
    table->blocks = malloc((size_t)CODE_POINTS * sizeof *table->blocks); /* pages that are not written cost nothing */
    if (!table->index || !table->blocks) {
        character_table_free(table);
        return fail_memory(err, "the tokeniser's table of characters");
    }
    for (size_t i = 0; i < N_BLOCKS; i++)
        table->index[i] = next_block(&u, table);
    if (rules->strip)
        decompose(&u, table);
    if (rules->lower)
        lower_case(&u, table);
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
    const uint32_t *run = CHARACTER_RUNS;
    while (cp >= (*run & CHARACTER_BECOMES))
        cp -= *run++ & CHARACTER_BECOMES;
    return *run & CHARACTER_WORD;
}

bool character_is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0D) || cp == 0x20 || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}
