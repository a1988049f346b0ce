/* An open hash table over rows. */
#include "rows/same_tokens.h"

#include "base/words.h"
#include "data/word_set.h"

static bert_text row_tokens(const token_rows *t, size_t row)
{
    return (bert_text){ (const char *)(t->ids + t->start[row]), token_rows_length(t, row) * sizeof *t->ids };
}

static bool rows_have_same_tokens(const token_rows *t, size_t a, size_t b)
{
    return t->second[a] == t->second[b] && text_equal(row_tokens(t, a), row_tokens(t, b));
}

uint32_t *same_tokens_find(const token_rows *t, size_t first, size_t n, arena *a)
{
    size_t slots = 16;
    while (slots < 2 * n)
        slots *= 2;
    uint32_t *same = arena_array(a, n, sizeof *same), *table = arena_array(a, slots, sizeof *table);
    if (!same || !table)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t slot = word_hash((size_t)table, row_tokens(t, first + i)) & (slots - 1);
        while (table[slot] && !rows_have_same_tokens(t, first + table[slot] - 1, first + i))
            slot = (slot + 1) & (slots - 1);
        if (!table[slot])
            table[slot] = (uint32_t)i + 1;
        same[i] = table[slot] - 1;
    }
    return same;
}

bool same_tokens_split(token_rows *out, const token_rows *t, size_t first, size_t n, arena *a)
{
    size_t *start = arena_array(a, 2 * n + 1, sizeof *start);
    uint32_t *second = arena_array(a, 2 * n, sizeof *second);
    if (!start || !second)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t at = t->start[first + i], length = t->second[first + i];
        start[2 * i] = at;
        start[2 * i + 1] = at + length;
        second[2 * i] = (uint32_t)length;
        second[2 * i + 1] = (uint32_t)(token_rows_length(t, first + i) - length);
    }
    start[2 * n] = t->start[first + n];
    *out = (token_rows){ .form = ROW_TOGETHER, .n = 2 * n, .start = start, .second = second, .ids = t->ids };
    return true;
}
