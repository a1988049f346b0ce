/* Vocabulary entries by their bytes: a double array (Aoe, "An Efficient Digital Search Algorithm by Using a
 * Double-Array Structure", 1989). The child of node s by byte b is node base[s] + b, if that node's `parent` is s. Node
 * 0 is the root. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIE_ROOT = 0 };

typedef struct trie_node {
    int32_t base, parent; /* parent -1: the place is free */
    int32_t id;           /* of the entry that ends here, or -1 */
} trie_node;

/* All zero is an empty trie, which must not be searched. */
typedef struct trie {
    const trie_node *nodes; /* (size): every base is at most size - 256, so that a step needs no check */
    size_t size;            /* a multiple of 64 */
    trie_node *own;         /* nodes, unless they are somebody else's */
} trie;

/* A trie that was built before; all zero: there is none. */
typedef struct ready_trie {
    const trie_node *nodes; /* (size) */
    size_t size;
} ready_trie;

typedef struct trie_key {
    const unsigned char *bytes;
    uint32_t size;
    int32_t id;
} trie_key;

/* keys: (n), below 2^31, their order changes; of equal keys the one with the greatest id counts, empty ones are left
 * out. false: out of memory. */
bool trie_build(trie *t, trie_key *keys, size_t n);
/* Takes nodes in place. false, and t is empty: a step could leave them, or an id is not below n_ids; what they find
 * else is theirs to answer for. */
bool trie_use(trie *t, ready_trie ready, size_t n_ids);
void trie_free(trie *t);

/* The child of node by byte, or -1. */
static inline int32_t trie_step(const trie *t, int32_t node, unsigned char byte)
{
    int32_t child = t->nodes[node].base + byte;
    return t->nodes[child].parent == node ? child : -1;
}

/* The node that is reached from node by n bytes, or -1. */
static inline int32_t trie_walk(const trie *t, int32_t node, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n && node >= 0; i++)
        node = trie_step(t, node, bytes[i]);
    return node;
}
