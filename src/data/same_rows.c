/* An open hash table over a data set's rows. */
#include "data/same_rows.h"

#include "base/words.h"
#include "data/word_set.h"

#include <stdlib.h>

static size_t hash_row(const same_rows *s, const bert_dataset *d, size_t i)
{
    return word_hash(word_hash((size_t)s->table, d->texts[i]), dataset_pair(d, i));
}

static bool rows_equal(const bert_dataset *a, size_t i, const bert_dataset *b, size_t k)
{
    return text_equal(a->texts[i], b->texts[k]) && text_equal(dataset_pair(a, i), dataset_pair(b, k));
}

/* The slot of a row with these texts, or the free one where it would be put. */
static size_t find_slot(const same_rows *s, const bert_dataset *d, size_t i)
{
    size_t slot = hash_row(s, d, i) & (s->slots - 1);
    while (s->table[slot] && !rows_equal(s->d, s->table[slot] - 1, d, i))
        slot = (slot + 1) & (s->slots - 1);
    return slot;
}

bert_status same_rows_create(same_rows *s, const bert_dataset *d, bert_err *err)
{
    *s = (same_rows){ .d = d, .slots = 16 };
    while (s->slots < 2 * d->n) /* no overflow: rows are below 2^32 */
        s->slots *= 2;
    s->first = malloc(d->n * sizeof *s->first);
    s->table = calloc(s->slots, sizeof *s->table);
    if (!s->first || !s->table) {
        same_rows_free(s);
        return fail_memory(err, "the table of equal rows");
    }
    for (size_t i = 0; i < d->n; i++) {
        uint32_t *slot = &s->table[find_slot(s, d, i)];
        if (!*slot)
            *slot = (uint32_t)i + 1;
        s->first[i] = *slot - 1;
    }
    return BERT_OK;
}

void same_rows_free(same_rows *s)
{
    free(s->first);
    free(s->table);
    *s = (same_rows){ 0 };
}

int64_t same_rows_find(const same_rows *s, const bert_dataset *other, size_t i)
{
    return (int64_t)s->table[find_slot(s, other, i)] - 1;
}
