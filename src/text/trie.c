/* Building: nodes breadth first, each as a range of the sorted keys that share its prefix. */
#include "text/trie.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 256, MOST_TRIES = 1024 };

/* The keys [first, last) share their first `depth` bytes, which lead to `node`. */
typedef struct branch {
    int32_t node;
    size_t first, last, depth;
} branch;

typedef struct builder {
    trie *t;
    const trie_key *keys;
    branch *queue; /* (queue_capacity) a first-in first-out list: taken at head, added at tail */
    size_t head, tail, queue_capacity;
    size_t free_from; /* no place below is free, or they are the first 256, which are left so that a base is at least 1 */
    size_t top;       /* no place from here on is taken */
} builder;

static int compare_keys(const void *a, const void *b)
{
    const trie_key *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);
    if (order)
        return order;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Sorts; drops empty keys and all but the last of equal ones. Returns how many are left. */
static size_t sort_and_unify(trie_key *keys, size_t n)
{
    qsort(keys, n, sizeof *keys, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool same_as_next = i + 1 < n && keys[i].size == keys[i + 1].size && !memcmp(keys[i].bytes, keys[i + 1].bytes, keys[i].size);
        if (keys[i].size && !same_as_next)
            keys[kept++] = keys[i];
    }
    return kept;
}

static bool reserve_nodes(trie *t, size_t size)
{
    if (size <= t->size)
        return true;
    size_t larger = size + size / 2;
    trie_node *moved = larger < INT32_MAX ? realloc(t->nodes, larger * sizeof *moved) : NULL;
    if (!moved)
        return false;
    for (size_t i = t->size; i < larger; i++)
        moved[i] = (trie_node){ .base = 0, .parent = -1, .id = -1 };
    t->nodes = moved;
    t->size = larger;
    return true;
}

static bool queue_add(builder *b, branch next)
{
    if (b->tail == b->queue_capacity) {
        if (b->head > b->tail / 2) { /* what was taken makes room */
            memmove(b->queue, b->queue + b->head, (b->tail - b->head) * sizeof *b->queue);
            b->tail -= b->head;
            b->head = 0;
        } else {
            size_t larger = 2 * b->queue_capacity + 64;
            branch *moved = realloc(b->queue, larger * sizeof *moved);
            if (!moved)
                return false;
            b->queue = moved;
            b->queue_capacity = larger;
        }
    }
    b->queue[b->tail++] = next;
    return true;
}

/* The smallest base at which all n bytes find a free place; after many tries, one behind everything. 0: out of memory. */
static size_t find_base(builder *b, const unsigned char *bytes, size_t n)
{
    trie *t = b->t;
    while (b->free_from < t->size && t->nodes[b->free_from].parent >= 0)
        b->free_from++;
    size_t base = b->free_from - bytes[0];
    for (size_t tries = 0; tries < MOST_TRIES; tries++, base++) {
        if (!reserve_nodes(t, base + 2 * BYTES))
            return 0;
        size_t fits = 0;
        while (fits < n && t->nodes[base + bytes[fits]].parent < 0)
            fits++;
        if (fits == n)
            return base;
    }
    base = b->top;
    return reserve_nodes(t, base + 2 * BYTES) ? base : 0;
}

/* Places the children of one branch and queues them. */
static bool place_children(builder *b, branch at)
{
    unsigned char bytes[BYTES];
    size_t starts[BYTES + 1], n = 0;
    if (b->keys[at.first].size == at.depth) /* sorted: the key that ends here stands first */
        b->t->nodes[at.node].id = b->keys[at.first++].id;
    for (size_t i = at.first; i < at.last; i++) {
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
    b->t->nodes[at.node].base = (int32_t)base;
    if (b->top < base + bytes[n - 1] + 1)
        b->top = base + bytes[n - 1] + 1;
    for (size_t c = 0; c < n; c++) {
        int32_t child = (int32_t)(base + bytes[c]);
        b->t->nodes[child].parent = at.node;
        if (!queue_add(b, (branch){ child, starts[c], starts[c + 1], at.depth + 1 }))
            return false;
    }
    return true;
}

bool trie_build(trie *t, trie_key *keys, size_t n)
{
    builder b = { .t = t, .keys = keys, .free_from = BYTES, .top = BYTES };
    n = sort_and_unify(keys, n);
    bool fine = reserve_nodes(t, 2 * BYTES);
    if (fine)
        t->nodes[0] = (trie_node){ .base = 1, .parent = 0, .id = -1 }; /* taken; no base is 0, so it is nobody's child */
    if (fine && n)
        fine = queue_add(&b, (branch){ 0, 0, n, 0 });
    while (fine && b.head < b.tail)
        fine = place_children(&b, b.queue[b.head++]);
    free(b.queue);
    if (!fine)
        trie_free(t);
    return fine;
}

void trie_free(trie *t)
{
    free(t->nodes);
    *t = (trie){ 0 };
}
