/* The table of characters: every entry is what the rules give. The rules stand here, over utf8proc's data, and nowhere else; what the library
 * holds of them was written by
 *
 *     test_text_characters --write src/text/character_runs.c */
#include "text/character_runs.h"
#include "text/characters.h"

#include "unicode_14.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CODE_POINTS = 0x110000, LONGEST_DECOMPOSITION = 32, MOST_EXPANSIONS = 4096 };

/* What the rules give. */
typedef struct rules_table {
    uint32_t entries[CODE_POINTS];
    uint32_t expansions[MOST_EXPANSIONS];
    size_t n_expansions;
} rules_table;

/* ---- the rules: BasicTokenizer in google-research/bert tokenization.py --------------------------------------------------------- */

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

static unsigned combining_class(uint32_t cp)
{
    bool assigned = unicode_14_category(cp) != UTF8PROC_CATEGORY_CN;
    return assigned ? (unsigned)utf8proc_get_property((utf8proc_int32_t)cp)->combining_class : 0;
}

/* Flags of a character that no rule changes any more. */
static uint32_t final_flags(uint32_t cp)
{
    return (is_punctuation(cp) ? CHARACTER_PUNCTUATION : 0) | (unicode_14_category(cp) == UTF8PROC_CATEGORY_MN ? CHARACTER_MARK : 0) |
           (combining_class(cp) ? CHARACTER_NONSTARTER : 0);
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
    if (n > 1 && combining_class((uint32_t)parts[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (unicode_14_category((uint32_t)parts[i]) != UTF8PROC_CATEGORY_MN || !combining_class((uint32_t)parts[i]))
            return false;
    return true;
}

/* Appends parts to the expansions; returns their place (place 0 is never given). */
static uint32_t add_expansion(rules_table *table, const utf8proc_int32_t *parts, size_t n)
{
    size_t place = table->n_expansions ? table->n_expansions : 1;
    assert_true(place + 1 + n <= MOST_EXPANSIONS);
    table->expansions[place] = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        table->expansions[place + 1 + i] = (uint32_t)parts[i];
    table->n_expansions = place + 1 + n;
    return (uint32_t)place;
}

/* The entry of a character under lower-casing. */
static uint32_t uncased_entry(rules_table *table, uint32_t cp)
{
    uint32_t flags = (unicode_14_cased(cp) ? CHARACTER_CASED : 0) | (unicode_14_case_ignorable(cp) ? CHARACTER_CASE_IGNORABLE : 0);
    if (is_hangul_syllable(cp))
        return flags | CHARACTER_HANGUL;
    utf8proc_int32_t parts[LONGEST_DECOMPOSITION];
    size_t n = lower_and_decompose(cp, parts);
    uint32_t first = (uint32_t)parts[0];
    if (becomes_its_first(parts, n))
        return flags | final_flags(first) | (first == cp ? 0 : first);
    return flags | CHARACTER_EXPANDS | add_expansion(table, parts, n);
}

static uint32_t make_entry(rules_table *table, uint32_t cp, bool do_lower_case)
{
    uint32_t chinese = is_chinese(cp) ? CHARACTER_CHINESE : 0;
    if (!contains(ASSIGNED, COUNT(ASSIGNED), cp))
        return chinese; /* a letter that nothing is known about */
    if (cleaning_flags(cp))
        return cleaning_flags(cp);
    if (do_lower_case)
        return chinese | uncased_entry(table, cp);
    return chinese | (is_punctuation(cp) ? CHARACTER_PUNCTUATION : 0);
}

static rules_table *rules_of(bool do_lower_case)
{
    rules_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++)
        table->entries[cp] = make_entry(table, cp, do_lower_case);
    return table;
}

/* ---- tests --------------------------------------------------------------------------------------------------------------------- */

static void skip_older_data(void)
{
    if (atoi(utf8proc_unicode_version()) >= 14)
        return;
    print_message("skipped: utf8proc %s knows Unicode %s, these rules are of 14.0.0\n", utf8proc_version(), utf8proc_unicode_version());
    skip();
}

static void check_table(bool do_lower_case)
{
    bert_err err;
    character_table table = { 0 };
    rules_table *rules = rules_of(do_lower_case);
    assert_int_equal(character_table_create(&table, do_lower_case, &err), BERT_OK);
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++) {
        uint32_t entry = character_entry(&table, cp);
        if (entry != rules->entries[cp])
            fail_msg("U+%04X: the table has 0x%X, the rules give 0x%X", cp, entry, rules->entries[cp]);
        if (entry & CHARACTER_EXPANDS) {
            size_t place = entry & CHARACTER_BECOMES, n = rules->expansions[place];
            assert_memory_equal(table.expansions + place, rules->expansions + place, (1 + n) * sizeof *rules->expansions);
        }
    }
    character_table_free(&table);
    free(rules);
}

static void every_code_point_of_the_uncased_table_is_as_the_rules_say(void **state)
{
    (void)state;
    skip_older_data();
    check_table(true);
}

static void every_code_point_of_the_cased_table_is_as_the_rules_say(void **state)
{
    (void)state;
    skip_older_data();
    check_table(false);
}

/* Those that are stripped are never put in order. */
static void every_combining_class_of_what_is_not_stripped_is_unicodes(void **state)
{
    (void)state;
    skip_older_data();
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++) {
        unsigned expected = unicode_14_category(cp) == UTF8PROC_CATEGORY_MN ? 0 : combining_class(cp);
        if (character_combining_class(cp) != expected)
            fail_msg("U+%04X: class %u instead of %u", cp, character_combining_class(cp), expected);
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------- */

enum { LINE_WIDTH = 145 };

/* Adds an item to lines of a limited width. */
static void put(FILE *out, size_t *column, const char *item)
{
    size_t n = strlen(item);
    if (*column + 1 + n > LINE_WIDTH)
        *column = 0;
    *column += (size_t)fprintf(out, "%s%s", *column ? " " : "\n    ", item) - (*column ? 0 : 1);
}

static void write_runs(FILE *out, const rules_table *rules, const char *name)
{
    size_t column = 0;
    fprintf(out, "\nstatic const character_run %s[] = {", name);
    for (uint32_t cp = 0, first = 0; cp < CODE_POINTS; first = cp) {
        char item[48];
        while (cp < CODE_POINTS && rules->entries[cp] == rules->entries[first])
            cp++;
        snprintf(item, sizeof item, "{ %u, %#x },", cp - first, rules->entries[first]);
        put(out, &column, item);
    }
    fprintf(out, "\n};\n");
}

static void write_expansions(FILE *out, const rules_table *rules)
{
    size_t column = 0;
    fprintf(out, "\nstatic const uint32_t EXPANSIONS[] = {");
    for (size_t i = 0; i < rules->n_expansions; i++) {
        char item[24];
        snprintf(item, sizeof item, "%#x,", rules->expansions[i]);
        put(out, &column, item);
    }
    fprintf(out, "\n};\n");
}

static int write_file(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return 1;
    }
    rules_table *cased = rules_of(false), *uncased = rules_of(true);
    fprintf(out, "/* Written by test_text_characters --write (tests/text/characters.c), from the rules that stand there. */\n"
                 "#include \"text/character_runs.h\"\n\n/* clang-format off */");
    write_runs(out, cased, "CASED");
    write_runs(out, uncased, "UNCASED");
    write_expansions(out, uncased);
    fprintf(out, "/* clang-format on */\n\n"
                 "const character_runs CHARACTER_RUNS_CASED = { CASED, sizeof CASED / sizeof *CASED, 0 };\n"
                 "const character_runs CHARACTER_RUNS_UNCASED = { UNCASED, sizeof UNCASED / sizeof *UNCASED, EXPANSIONS };\n");
    free(cased);
    free(uncased);
    return fclose(out) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write"))
        return write_file(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_of_the_uncased_table_is_as_the_rules_say),
        cmocka_unit_test(every_code_point_of_the_cased_table_is_as_the_rules_say),
        cmocka_unit_test(every_combining_class_of_what_is_not_stripped_is_unicodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
