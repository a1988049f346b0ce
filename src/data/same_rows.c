/* An open hash table over a data set's rows. */
#include "data/same_rows.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a; the size is hashed with the bytes, so that "ab", "c" and "a", "bc" differ. */
static uint64_t mix_text(uint64_t h, bert_text text)
{
    for (size_t i = 0; i < text.size; i++)
        h = (h ^ (unsigned char)text.data[i]) * 0x100000001b3u;
    return (h ^ text.size) * 0x100000001b3u;
}

static uint64_t hash_row(const bert_dataset *d, size_t i)
{
    uint64_t h = mix_text(mix_text(0xcbf29ce484222325u, d->texts[i]), dataset_pair(d, i));
    return h ^ h >> 32; /* the low bits of a product know nothing of the high ones */
}

static bool equal(bert_text a, bert_text b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static bool rows_equal(const bert_dataset *a, size_t i, const bert_dataset *b, size_t k)
{
    return equal(a->texts[i], b->texts[k]) && equal(dataset_pair(a, i), dataset_pair(b, k));
}

/* The slot of a row with these texts, or the free one where it would be put. */
static size_t find_slot(const same_rows *s, const bert_dataset *d, size_t i)
{
    size_t slot = hash_row(d, i) & (s->slots - 1);
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
