/* The table of characters: every entry is what the rules give. The rules stand here, over utf8proc's data, and nowhere
 * else; what the library holds of them was written by
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

/* What the rules give; the tables' expansions stand in one list. */
typedef struct rules_table {
    uint32_t entries[CODE_POINTS];
} rules_table;

static uint32_t expansions[MOST_EXPANSIONS];
static size_t n_expansions;

/* ---- the rules: BasicTokenizer in google-research/bert tokenization.py ------------------------------------------- */

static bool is_chinese(uint32_t cp)
{
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B820 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

/* Where Hugging Face's `tokenizers` differs: private use is cleaned away, and its Chinese begin 256 characters later in
 * extension E. */
static bool is_otherwise(uint32_t cp)
{
    return (cp >= 0xE000 && cp <= 0xF8FF) || (cp >= 0xF0000 && cp <= 0xFFFFD) || (cp >= 0x100000 && cp <= 0x10FFFD) ||
           (cp >= 0x2B820 && cp <= 0x2B91F);
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
    return (is_punctuation(cp) ? CHARACTER_PUNCTUATION : 0) |
           (unicode_14_category(cp) == UTF8PROC_CATEGORY_MN ? CHARACTER_MARK : 0) |
           (combining_class(cp) ? CHARACTER_NONSTARTER : 0);
}

/* For the final sigma. */
static uint32_t case_flags(uint32_t cp)
{
    return (unicode_14_cased(cp) ? CHARACTER_CASED : 0) |
           (unicode_14_case_ignorable(cp) ? CHARACTER_CASE_IGNORABLE : 0);
}

/* Lower-cases as Python's str.lower (the final sigma apart), decomposes canonically, as asked for. Returns the number
 * of characters. */
static size_t lower_and_decompose(uint32_t cp, bool lower, bool strip, utf8proc_int32_t out[LONGEST_DECOMPOSITION])
{
    utf8proc_int32_t first = lower ? utf8proc_tolower((utf8proc_int32_t)cp) : (utf8proc_int32_t)cp;
    utf8proc_ssize_t n = 1;
    out[0] = first;
    if (strip)
        n = utf8proc_decompose_char(first, out, LONGEST_DECOMPOSITION - 1, UTF8PROC_DECOMPOSE, NULL);
    if (cp == 0x130 && lower) /* the one letter whose full lower case is two: i and a dot above */
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

/* Appends parts to the expansions, unless they stand there; returns their place (place 0 is never given). */
static uint32_t add_expansion(const utf8proc_int32_t *parts, size_t n)
{
    for (size_t at = 1; at < n_expansions; at += 1 + expansions[at])
        if (expansions[at] == n && !memcmp(expansions + at + 1, parts, n * sizeof *parts))
            return (uint32_t)at;
    size_t place = n_expansions ? n_expansions : 1;
    assert_true(place + 1 + n <= MOST_EXPANSIONS);
    expansions[place] = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        expansions[place + 1 + i] = (uint32_t)parts[i];
    n_expansions = place + 1 + n;
    return (uint32_t)place;
}

/* The entry of a character that is lower-cased, or stripped, or both. */
static uint32_t changed_entry(uint32_t cp, bool lower, bool strip)
{
    uint32_t flags = lower ? case_flags(cp) : 0;
    if (strip && is_hangul_syllable(cp))
        return flags | CHARACTER_HANGUL;
    utf8proc_int32_t parts[LONGEST_DECOMPOSITION];
    size_t n = lower_and_decompose(cp, lower, strip, parts);
    uint32_t first = (uint32_t)parts[0];
    if (n > 1 && !(strip && becomes_its_first(parts, n)))
        return flags | CHARACTER_EXPANDS | add_expansion(parts, n);
    flags |= strip ? final_flags(first) : is_punctuation(first) ? CHARACTER_PUNCTUATION : 0;
    return flags | (first == cp ? 0 : first);
}

static uint32_t make_entry(uint32_t cp, bool lower, bool strip)
{
    uint32_t flags = (is_chinese(cp) ? CHARACTER_CHINESE : 0) | (is_otherwise(cp) ? CHARACTER_OTHERWISE : 0);
    if (!contains(ASSIGNED, COUNT(ASSIGNED), cp))
        return flags; /* a letter that nothing is known about */
    if (cleaning_flags(cp))
        return cleaning_flags(cp);
    return flags | changed_entry(cp, lower, strip);
}

static rules_table *rules_of(bool lower, bool strip)
{
    rules_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++)
        table->entries[cp] = make_entry(cp, lower, strip);
    return table;
}

/* \w of a regular expression: letters, marks, decimal digits, connecting punctuation, the two joiners, and letters in
 * circles and squares. */
static bool is_word_character(uint32_t cp)
{
    if (cp == 0x200C || cp == 0x200D || (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) ||
        (cp >= 0x1F150 && cp <= 0x1F169) || (cp >= 0x1F170 && cp <= 0x1F189))
        return true;
    switch (unicode_14_category(cp)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return false;
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void skip_older_data(void)
{
    if (atoi(utf8proc_unicode_version()) >= 14)
        return;
    print_message("skipped: utf8proc %s knows Unicode %s, these rules are of 14.0.0\n", utf8proc_version(),
                  utf8proc_unicode_version());
    skip();
}

/* An entry as a tokeniser with these rules has it. */
static uint32_t entry_under(uint32_t entry, uint32_t cp, const character_rules *rules)
{
    bool space = cp == 0x0B || cp == 0x0C || cp == 0x85; /* white space that cleaning takes for a control character */
    if (!rules->clean_text && (entry & CHARACTER_DROP))
        return space ? CHARACTER_SPACE : 0;
    if (rules->huggingface && (entry & CHARACTER_OTHERWISE)) {
        if (!(entry & CHARACTER_CHINESE) && rules->clean_text)
            return CHARACTER_DROP;
        entry &= ~(uint32_t)CHARACTER_CHINESE;
    }
    return entry & ~(CHARACTER_OTHERWISE | (rules->chinese ? 0 : CHARACTER_CHINESE));
}

static void check_table(const rules_table *rules, const character_rules *how)
{
    bert_err err;
    character_table table = { 0 };
    assert_int_equal(character_table_create(&table, how, &err), BERT_OK);
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++) {
        uint32_t entry = character_entry(&table, cp), expected = entry_under(rules->entries[cp], cp, how);
        if (entry != expected)
            fail_msg("U+%04X: the table has 0x%X, the rules give 0x%X", cp, entry, expected);
        if (entry & CHARACTER_EXPANDS) {
            size_t place = entry & CHARACTER_BECOMES, n = expansions[place];
            assert_memory_equal(table.expansions + place, expansions + place, (1 + n) * sizeof *expansions);
        }
    }
    character_table_free(&table);
}

/* The expansions' places are those of the tables in this order. */
static void every_code_point_of_every_table_is_as_the_rules_say(void **state)
{
    (void)state;
    skip_older_data();
    for (int lower = 0; lower < 2; lower++)
        for (int strip = 0; strip < 2; strip++) {
            rules_table *rules = rules_of(lower, strip);
            for (int k = 0; k < 8; k++)
                check_table(rules, &(character_rules){ lower, strip, .chinese = k & 1, .clean_text = k & 2,
                                                       .huggingface = k & 4 });
            free(rules);
        }
}

static void every_word_character_is_unicodes(void **state)
{
    (void)state;
    skip_older_data();
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++)
        if (character_is_word(cp) != is_word_character(cp))
            fail_msg("U+%04X: %s word character", cp, is_word_character(cp) ? "a" : "no");
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

/* ---- writing ----------------------------------------------------------------------------------------------------- */

enum { LINE_WIDTH = 120 };

/* Adds an item to lines of a limited width. */
static void put(FILE *out, size_t *column, const char *item)
{
    size_t n = strlen(item);
    if (*column + 1 + n > LINE_WIDTH)
        *column = 0;
    *column += (size_t)fprintf(out, "%s%s", *column ? " " : "\n    ", item) - (*column ? 0 : 1);
}

/* All that an entry may say of cp, whatever the rules. */
static uint32_t all_flags(uint32_t cp)
{
    uint32_t entry = make_entry(cp, false, false), word = is_word_character(cp) ? CHARACTER_WORD : 0;
    if (!contains(ASSIGNED, COUNT(ASSIGNED), cp) || cleaning_flags(cp))
        return entry | word;
    return entry | word | final_flags(cp) | case_flags(cp) | (is_hangul_syllable(cp) ? CHARACTER_HANGUL : 0);
}

static void write_numbers(FILE *out, const char *declaration, const uint32_t *numbers, size_t n)
{
    size_t column = 0;
    fprintf(out, "\n%s[] = {", declaration);
    for (size_t i = 0; i < n; i++) {
        char item[24];
        snprintf(item, sizeof item, "%#x,", numbers[i]);
        put(out, &column, item);
    }
    fprintf(out, "\n};\n");
}

static void write_runs(FILE *out)
{
    static uint32_t runs[4096];
    size_t n = 0;
    for (uint32_t cp = 0, first = 0; cp < CODE_POINTS; first = cp) {
        while (cp < CODE_POINTS && all_flags(cp) == all_flags(first))
            cp++;
        assert_true(n < COUNT(runs));
        runs[n++] = all_flags(first) | (cp - first);
    }
    write_numbers(out, "const uint32_t CHARACTER_RUNS", runs, n);
}

/* What an entry's character becomes, or the place of its expansion; 0: itself. */
static uint32_t change(const rules_table *rules, uint32_t cp)
{
    return cp < CODE_POINTS ? rules->entries[cp] & (CHARACTER_BECOMES | CHARACTER_EXPANDS) : 0;
}

static void write_decomposed(FILE *out)
{
    static uint32_t numbers[4096];
    rules_table *rules = rules_of(false, true);
    size_t n = 0;
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++) {
        size_t first = n;
        while (change(rules, cp)) {
            assert_true(n + 3 < COUNT(numbers));
            if (n == first) {
                numbers[n++] = cp;
                numbers[n++] = 0;
            }
            numbers[first + 1]++;
            numbers[n++] = change(rules, cp++);
        }
    }
    numbers[n++] = 0;
    write_numbers(out, "const uint32_t CHARACTER_DECOMPOSED", numbers, n);
    free(rules);
}

/* How many characters from cp on, each `step` behind another and nothing that changes between them, become what is in
 * the same distance. */
static uint32_t count_shifted(const rules_table *rules, uint32_t cp, uint32_t step)
{
    uint32_t to = change(rules, cp), n = 1;
    while (!(to & CHARACTER_EXPANDS) && change(rules, cp + n * step) == to + n * step &&
           (step == 1 || !change(rules, cp + n * step - 1)))
        n++;
    return n;
}

static void write_lowered(FILE *out)
{
    rules_table *rules = rules_of(true, false);
    size_t column = 0;
    fprintf(out, "\nconst character_shift CHARACTER_LOWERED[] = {");
    for (uint32_t cp = 0; cp < CODE_POINTS; cp++) {
        if (!change(rules, cp))
            continue;
        uint32_t alone = count_shifted(rules, cp, 1), apart = count_shifted(rules, cp, 2);
        uint32_t step = apart > alone ? 2 : 1, n = apart > alone ? apart : alone;
        char item[48];
        snprintf(item, sizeof item, "{ %#x, %u, %u, %#x },", cp, n, step, change(rules, cp));
        put(out, &column, item);
        cp += (n - 1) * step;
    }
    put(out, &column, "{ 0, 0, 0, 0 },");
    fprintf(out, "\n};\n");
    free(rules);
}

static int write_file(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return 1;
    }
    fprintf(
        out,
        "/* Written by test_text_characters --write (tests/text/characters.c), from the rules that stand there. */\n"
        "#include \"text/character_runs.h\"\n\n/* clang-format off */");
    write_runs(out);
    write_decomposed(out);
    write_lowered(out);
    write_numbers(out, "const uint32_t CHARACTER_EXPANSIONS", expansions, n_expansions);
    return fclose(out) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write"))
        return write_file(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_of_every_table_is_as_the_rules_say),
        cmocka_unit_test(every_word_character_is_unicodes),
        cmocka_unit_test(every_combining_class_of_what_is_not_stripped_is_unicodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
