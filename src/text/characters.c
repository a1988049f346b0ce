/* The table is made block by block from utf8proc. Blocks that are all alike (nothing to do, Chinese, Hangul) are kept once; an
 * unassigned or private code point has nothing to do: it is a letter that becomes itself. */
#include "text/characters.h"

#include "text/unicode_14.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128, CODE_POINTS = 0x110000, LONGEST_DECOMPOSITION = 32, MOST_SHARED = 8, NO_BLOCK = 0xFFFF };

static bool is_chinese(uint32_t cp)
{
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B820 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

static bool is_hangul_syllable(uint32_t cp)
{
    return cp >= 0xAC00 && cp <= 0xD7A3;
}

static bool is_punctuation(uint32_t cp)
{
    if ((cp >= 33 && cp <= 47) || (cp >= 58 && cp <= 64) || (cp >= 91 && cp <= 96) || (cp >= 123 && cp <= 126))
        return true;
    utf8proc_category_t category = unicode_14_category(cp);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/* Line and paragraph separators are no space to the original's cleaning, but to the split() that follows it. */
static uint32_t cleaning_flags(uint32_t cp)
{
    if (cp == '\t' || cp == '\n' || cp == '\r')
        return CHARACTER_SPACE;
    switch (unicode_14_category(cp)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
        return CHARACTER_DROP;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return CHARACTER_SPACE;
    default:
        return cp == 0xFFFD ? CHARACTER_DROP : 0;
    }
}

static bool is_nonstarter(uint32_t cp)
{
    return unicode_14_category(cp) != UTF8PROC_CATEGORY_CN && utf8proc_get_property((utf8proc_int32_t)cp)->combining_class != 0;
}

/* Flags of a character that no rule changes any more. */
static uint32_t final_flags(uint32_t cp)
{
    return (is_punctuation(cp) ? CHARACTER_PUNCTUATION : 0) | (unicode_14_category(cp) == UTF8PROC_CATEGORY_MN ? CHARACTER_MARK : 0) |
           (is_nonstarter(cp) ? CHARACTER_NONSTARTER : 0);
}

/* Lower-cases as Python's str.lower (the final sigma apart), then decomposes canonically. Returns the number of characters. */
static size_t lower_and_decompose(uint32_t cp, utf8proc_int32_t out[LONGEST_DECOMPOSITION])
{
    utf8proc_int32_t lower = utf8proc_tolower((utf8proc_int32_t)cp);
    utf8proc_ssize_t n = utf8proc_decompose_char(lower, out, LONGEST_DECOMPOSITION - 1, UTF8PROC_DECOMPOSE, NULL);
    if (cp == 0x130) /* the one letter whose full lower case is two: i and a dot above */
        out[n++] = 0x307;
    return (size_t)n;
}

/* True where all but the first are marks that are stripped and could not hinder others from being reordered. */
static bool becomes_its_first(const utf8proc_int32_t *parts, size_t n)
{
    if (n > 1 && is_nonstarter((uint32_t)parts[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (unicode_14_category((uint32_t)parts[i]) != UTF8PROC_CATEGORY_MN || !is_nonstarter((uint32_t)parts[i]))
            return false;
    return true;
}

/* Makes room for `more` items of 4 bytes. */
static bool grow(uint32_t **items, size_t n, size_t more, size_t *capacity)
{
    if (n + more <= *capacity)
        return true;
    size_t larger = 2 * (n + more);
    uint32_t *moved = realloc(*items, larger * sizeof *moved);
    if (!moved)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

/* Appends parts to the expansions; returns their place, 0 when memory is out (place 0 is never given). */
static uint32_t add_expansion(character_table *table, const utf8proc_int32_t *parts, size_t n)
{
    if (!grow(&table->expansions, table->n_expansions, n + 2, &table->expansions_capacity))
        return 0;
    if (!table->n_expansions)
        table->expansions[table->n_expansions++] = 0;
    size_t place = table->n_expansions;
    table->expansions[place] = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        table->expansions[place + 1 + i] = (uint32_t)parts[i];
    table->n_expansions += n + 1;
    return (uint32_t)place;
}

/* The entry of a character under lower-casing; false: out of memory. */
static bool uncased_entry(character_table *table, uint32_t cp, uint32_t *entry)
{
    uint32_t flags = (unicode_14_cased(cp) ? CHARACTER_CASED : 0) | (unicode_14_case_ignorable(cp) ? CHARACTER_CASE_IGNORABLE : 0);
    *entry = flags | CHARACTER_HANGUL;
    if (is_hangul_syllable(cp))
        return true;
    utf8proc_int32_t parts[LONGEST_DECOMPOSITION];
    size_t n = lower_and_decompose(cp, parts);
    uint32_t first = (uint32_t)parts[0];
    if (becomes_its_first(parts, n)) {
        *entry = flags | final_flags(first) | (first == cp ? 0 : first);
        return true;
    }
    uint32_t place = add_expansion(table, parts, n);
    *entry = flags | CHARACTER_EXPANDS | place;
    return place != 0;
}

static bool make_entry(character_table *table, uint32_t cp, bool assigned, bool do_lower_case, uint32_t *entry)
{
    *entry = 0;
    if (assigned) {
        uint32_t cleaning = cleaning_flags(cp);
        if (cleaning) {
            *entry = cleaning;
            return true;
        }
        if (!do_lower_case)
            *entry = is_punctuation(cp) ? CHARACTER_PUNCTUATION : 0;
        else if (!uncased_entry(table, cp, entry))
            return false;
    }
    if (is_chinese(cp))
        *entry |= CHARACTER_CHINESE;
    return true;
}

/* Adds a block, or finds its equal among those whose entries are all alike. Returns its number, NO_BLOCK when memory is out. */
static uint16_t add_block(character_table *table, const uint32_t block[BLOCK], bool alike, uint16_t shared[MOST_SHARED], size_t *n_shared)
{
    for (size_t i = 0; alike && i < *n_shared; i++)
        if (!memcmp(table->blocks + (size_t)shared[i] * BLOCK, block, BLOCK * sizeof *block))
            return shared[i];
    if (!grow(&table->blocks, table->n_blocks * BLOCK, BLOCK, &table->blocks_capacity))
        return NO_BLOCK;
    memcpy(table->blocks + table->n_blocks * BLOCK, block, BLOCK * sizeof *block);
    uint16_t number = (uint16_t)table->n_blocks++;
    if (alike && *n_shared < MOST_SHARED)
        shared[(*n_shared)++] = number;
    return number;
}

static bool fill(character_table *table, bool do_lower_case)
{
    uint16_t shared[MOST_SHARED];
    size_t n_shared = 0, n_ranges, range = 0;
    const unicode_range *ranges = unicode_14_assigned(&n_ranges);
    for (uint32_t first = 0; first < CODE_POINTS; first += BLOCK) {
        uint32_t block[BLOCK];
        bool alike = true;
        for (uint32_t i = 0; i < BLOCK; i++) {
            uint32_t cp = first + i;
            while (range < n_ranges && ranges[range].last < cp)
                range++;
            bool assigned = range < n_ranges && ranges[range].first <= cp;
            if (!make_entry(table, cp, assigned, do_lower_case, &block[i]))
                return false;
            alike = alike && block[i] == block[0];
        }
        uint16_t number = add_block(table, block, alike, shared, &n_shared);
        if (number == NO_BLOCK)
            return false;
        table->index[first / BLOCK] = number;
    }
    return true;
}

bert_status character_table_create(character_table *table, bool do_lower_case, bert_err *err)
{
    const char *version = utf8proc_unicode_version();
    if (atoi(version) < 14)
        return fail(err, BERT_ERR_UNSUPPORTED, "utf8proc %s knows Unicode %s, the tokeniser needs 14.0.0 or newer", utf8proc_version(), version);
    table->index = calloc(CODE_POINTS / BLOCK, sizeof *table->index);
    if (!table->index || !fill(table, do_lower_case)) {
        character_table_free(table);
        return fail_memory(err, "the tokeniser's table of characters");
    }
    return BERT_OK;
}

void character_table_free(character_table *table)
{
    free(table->index);
    free(table->blocks);
    free(table->expansions);
    *table = (character_table){ 0 };
}
