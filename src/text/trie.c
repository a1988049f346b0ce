/* Building: nodes depth first, each as a range of the keys that share its prefix. A range is put in order by its next
 * byte alone, as far as that is needed. Places are searched 64 at a time in a list of bits. */
#include "text/trie.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 256, WORD_BITS = 64, MOST_WORDS = 16, FEW_KEYS = 24 };

/* The keys [first, last) share their first `depth` bytes, which lead to `node`. */
typedef struct branch {
    int32_t node;
    uint32_t first, last, depth;
} branch;

typedef struct trie_builder {
    trie_node *nodes; /* (size) */
    size_t size;
    trie_key *keys;
    branch *waiting; /* (n_waiting) the last one is next */
    size_t n_waiting;
    uint64_t *free; /* a bit for each place of the trie, and a word more: 1 where it is free */
    /* no place below is free, or they are the first 256, which are left so that a base is at least 1 */
    size_t free_from;
    size_t top; /* no place from here on is taken */
} trie_builder;

/* Drops empty keys. Returns how many are left. */
static size_t drop_empty(trie_key *keys, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (keys[i].size)
            keys[kept++] = keys[i];
    return kept;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Makes room for so many places. */
static bool reserve_nodes(trie_builder *b, size_t size)
{
    if (size <= b->size)
        return true;
    size_t larger = (size + size / 2 + WORD_BITS - 1) / WORD_BITS * WORD_BITS, words = larger / WORD_BITS + 1;
    trie_node *moved = larger < INT32_MAX ? realloc(b->nodes, larger * sizeof *moved) : NULL;
    if (!moved)
        return false;
    b->nodes = moved;
    uint64_t *bits = realloc(b->free, words * sizeof *bits);
    if (!bits)
        return false;
    b->free = bits;
    for (size_t i = b->size; i < larger; i++)
        moved[i] = (trie_node){ .base = 0, .parent = -1, .id = -1 };
    memset(bits + b->size / WORD_BITS, 0xFF, (words - b->size / WORD_BITS) * sizeof *bits);
    b->size = larger;
    return true;
}

static void trie_take(trie_builder *b, size_t place, int32_t parent)
{
    b->nodes[place].parent = parent;
    b->top = place < b->top ? b->top : place + 1;
    b->free[place / WORD_BITS] &= ~((uint64_t)1 << place % WORD_BITS);
}

/* Whether the places from `place` on are free, one bit each. */
static uint64_t free_bits(const trie_builder *b, size_t place)
{
    const uint64_t *word = b->free + place / WORD_BITS;
    size_t shift = place % WORD_BITS;
    return shift ? word[0] >> shift | word[1] << (WORD_BITS - shift) : word[0];
}

/* The first free place from free_from on. */
static size_t first_free(const trie_builder *b)
{
    size_t place = b->free_from;
    while (place < b->size && !free_bits(b, place))
        place += WORD_BITS;
    return place < b->size ? place + (size_t)__builtin_ctzll(free_bits(b, place)) : b->size;
}

/* The smallest base at which all n bytes find a free place; after many tries, one behind everything. 0: out of
 * memory. */
static size_t find_base(trie_builder *b, const unsigned char *bytes, size_t n)
{
    b->free_from = first_free(b);
    size_t base = b->free_from - bytes[0];
    for (size_t word = 0; word < MOST_WORDS; word++, base += WORD_BITS) {
        if (!reserve_nodes(b, base + WORD_BITS + 2 * BYTES))
            return 0;
        uint64_t fits = UINT64_MAX;
        for (size_t i = 0; fits && i < n; i++)
            fits &= free_bits(b, base + bytes[i]);
        if (fits)
            return base + (size_t)__builtin_ctzll(fits);
    }
    base = b->top;
    return reserve_nodes(b, base + 2 * BYTES) ? base : 0;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* The next byte of a key, from 1; 0 where it ends here. */
static inline unsigned next_byte(const trie_key *key, size_t depth)
{
    return key->size == depth ? 0 : 1 + (unsigned)key->bytes[depth];
}

/* By insertion. */
static void order_few(trie_key *keys, size_t n, size_t depth)
{
    for (size_t i = 1; i < n; i++) {
        trie_key key = keys[i];
        unsigned byte = next_byte(&key, depth);
        size_t k = i;
        for (; k && next_byte(&keys[k - 1], depth) > byte; k--)
            keys[k] = keys[k - 1];
        keys[k] = key;
    }
}

/* By counting, in place: each key is swapped to where its byte's keys go. */
static void order_many(trie_key *keys, size_t n, size_t depth)
{
    size_t counts[BYTES + 1] = { 0 }, next[BYTES + 1], end[BYTES + 1], sum = 0;
    for (size_t i = 0; i < n; i++)
        counts[next_byte(&keys[i], depth)]++;
    for (size_t byte = 0; byte <= BYTES; byte++) {
        next[byte] = sum;
        end[byte] = sum += counts[byte];
    }
    for (size_t byte = 0; byte <= BYTES; byte++)
        while (next[byte] < end[byte]) {
            trie_key *here = &keys[next[byte]];
            unsigned at = next_byte(here, depth);
            trie_key *there = &keys[next[at]++];
            if (at != byte) {
                trie_key key = *here;
                *here = *there;
                *there = key;
            }
        }
}

/* Puts a branch's keys in order; those that end here, which stand first then, give its node the greatest id. */
static void order_keys(trie_builder *b, branch *at)
{
    trie_key *keys = b->keys + at->first;
    size_t n = at->last - at->first;
    if (n <= FEW_KEYS)
        order_few(keys, n, at->depth);
    else
        order_many(keys, n, at->depth);
    trie_node *node = &b->nodes[at->node];
    for (; at->first < at->last && b->keys[at->first].size == at->depth; at->first++)
        if (b->keys[at->first].id > node->id)
            node->id = b->keys[at->first].id;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool add_branch(trie_builder *b, branch next)
{
    bool fine = true;
    b->waiting = array_grown(b->waiting, b->n_waiting, sizeof next, &fine);
    if (fine)
        b->waiting[b->n_waiting++] = next;
    return fine;
}

/* Places the rest of a key that shares it with no other. */
static bool place_rest(trie_builder *b, branch at)
{
    const trie_key *key = &b->keys[at.first];
    for (; at.depth < key->size; at.depth++) {
        size_t base = find_base(b, key->bytes + at.depth, 1), child = base + key->bytes[at.depth];
        if (!base)
            return false;
        b->nodes[at.node].base = (int32_t)base;
        trie_take(b, child, at.node);
        at.node = (int32_t)child;
    }
    b->nodes[at.node].id = key->id;
    return true;
}

/* Places the children of one branch; they wait for theirs. */
static bool place_children(trie_builder *b, branch at)
{
    if (at.last - at.first == 1)
        return place_rest(b, at);
    unsigned char bytes[BYTES];
    uint32_t starts[BYTES + 1], n = 0;
    order_keys(b, &at);
    for (uint32_t i = at.first; i < at.last; i++) {
        unsigned char byte = b->keys[i].bytes[at.depth];
        if (!n || byte != bytes[n - 1]) {
            bytes[n] = byte;
            starts[n++] = i;
        }
    }
    if (!n)
        return true;
    starts[n] = at.last;
    size_t base = find_base(b, bytes, n);
    if (!base)
        return false;
    b->nodes[at.node].base = (int32_t)base;
    for (uint32_t c = n; c-- > 0;) {
        int32_t child = (int32_t)(base + bytes[c]);
        trie_take(b, (size_t)child, at.node);
        if (!add_branch(b, (branch){ child, starts[c], starts[c + 1], at.depth + 1 }))
            return false;
    }
    return true;
}

/* The nodes without the places behind the last, but for those that its base may lead to. */
static void finish_nodes(trie *t, trie_builder *b)
{
    size_t size = (b->top + BYTES + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
    trie_node *fitting = realloc(b->nodes, size * sizeof *fitting);
    t->nodes = t->own = fitting ? fitting : b->nodes;
    t->size = size;
}

bool trie_build(trie *t, trie_key *keys, size_t n)
{
    trie_builder b = { .keys = keys, .free_from = BYTES, .top = BYTES };
    n = drop_empty(keys, n);
    bool fine = reserve_nodes(&b, 2 * BYTES);
    if (fine) {
        b.nodes[0].base = 1;
        trie_take(&b, 0, 0); /* no base is 0, so it is nobody's child */
    }
    if (fine && n)
        fine = add_branch(&b, (branch){ 0, 0, (uint32_t)n, 0 });
    while (fine && b.n_waiting)
        fine = place_children(&b, b.waiting[--b.n_waiting]);
    free(b.waiting);
    free(b.free);
    if (fine)
        finish_nodes(t, &b);
    else
        free(b.nodes);
    return fine;
}

bool trie_use(trie *t, ready_trie ready, size_t n_ids)
{
    const trie_node *nodes = ready.nodes;
    size_t size = ready.size;
    bool wrong = size < 2 * BYTES || size > INT32_MAX || n_ids > INT32_MAX || size % WORD_BITS;
    uint32_t last = (uint32_t)(size - BYTES);
    for (size_t i = 0; !wrong && i < size; i += WORD_BITS)
        for (size_t k = i; k < i + WORD_BITS; k++)
            wrong |= ((uint32_t)nodes[k].base > last) | (nodes[k].id < -1) | (nodes[k].id >= (int32_t)n_ids);
    *t = wrong ? (trie){ 0 } : (trie){ .nodes = nodes, .size = size };
    return !wrong;
}

void trie_free(trie *t)
{
    free(t->own);
    *t = (trie){ 0 };
}
