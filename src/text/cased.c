/* Letters and capitals by the tables of lower-casing. */
#include "text/cased.h"

#include "base/utf8.h"
#include "text/characters.h"

#include <string.h>

static void look_at(const char *line, size_t n, const character_table *table, bool *letter, bool *capital)
{
    uint32_t cp;
    *letter = *capital = false;
    for (size_t i = 0, length; i < n; i += length ? length : 1) {
        length = utf8_decode((const unsigned char *)line + i, n - i, &cp);
        uint32_t entry = length ? character_entry(table, cp) : 0;
        *letter |= (entry & CHARACTER_CASED) != 0;
        *capital |= (entry & CHARACTER_CASED) && (entry & (CHARACTER_BECOMES | CHARACTER_EXPANDS));
    }
}

bert_status cased_lines_count(cased_lines *lines, const char *vocabulary, size_t size, bert_err *err)
{
    character_table table;
    const character_rules rules = { .lower = true };
    *lines = (cased_lines){ 0 };
    bert_status s = character_table_create(&table, &rules, err);
    for (size_t i = 0; !s && i < size;) {
        const char *line = vocabulary + i, *end = memchr(line, '\n', size - i);
        size_t n = end ? (size_t)(end - line) : size - i,
               mark = !i && n >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3) ? 3 : 0;
        bool letter = false, capital = false;
        if (n > mark && line[mark] != '[')
            look_at(line, n, &table, &letter, &capital);
        lines->letters += letter;
        lines->capitals += capital;
        i += n + 1;
    }
    character_table_free(&table);
    return s;
}
