/* The trie, against a list that is searched from end to end. */
#include "text/trie.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONGEST = 12 };

/* Keys and the bytes that they point to. */
typedef struct sample {
    trie_key *keys; /* (n) as they were given to the trie, whose own copy changes its order */
    unsigned char *bytes;
    size_t n;
} sample;

/* n keys of up to `longest` bytes from an alphabet of `letters`: short ones come up again and again, some are empty. */
static sample random_keys(random_stream *r, size_t n, uint32_t letters, uint32_t longest)
{
    sample s = { calloc(n, sizeof *s.keys), malloc(n * LONGEST), n };
    assert_true(s.keys && s.bytes && longest <= LONGEST);
    for (size_t i = 0; i < n; i++) {
        unsigned char *at = s.bytes + i * LONGEST;
        uint32_t size = random_below(r, longest + 1);
        for (uint32_t k = 0; k < size; k++)
            at[k] = (unsigned char)(random_below(r, letters) * (256 / letters));
        s.keys[i] = (trie_key){ at, size, (int32_t)i };
    }
    return s;
}

static void free_keys(sample *s)
{
    free(s->keys);
    free(s->bytes);
}

static trie trie_of(const sample *s)
{
    trie t = { 0 };
    trie_key *keys = malloc((s->n + 1) * sizeof *keys);
    assert_non_null(keys);
    memcpy(keys, s->keys, s->n * sizeof *keys);
    assert_true(trie_build(&t, keys, s->n));
    free(keys);
    return t;
}

static int32_t id_of(const trie *t, const unsigned char *bytes, size_t size)
{
    int32_t node = trie_walk(t, 0, bytes, size);
    return node < 0 ? -1 : t->nodes[node].id;
}

/* The greatest id of the keys that are equal to this one; an empty one is none. */
static int32_t expected_id(const sample *s, const unsigned char *bytes, size_t size)
{
    for (size_t i = s->n; size && i-- > 0;)
        if (s->keys[i].size == size && !memcmp(s->keys[i].bytes, bytes, size))
            return s->keys[i].id;
    return -1;
}

/* Every key is found, and what is none is not: random bytes, keys cut and keys with a byte more. */
static void check_against_list(const sample *s, random_stream *r)
{
    trie t = trie_of(s);
    for (size_t i = 0; i < s->n; i++) {
        unsigned char bytes[LONGEST + 1];
        const trie_key *key = &s->keys[random_below(r, (uint32_t)s->n)];
        memcpy(bytes, key->bytes, key->size);
        bytes[key->size] = (unsigned char)random_below(r, 256);
        size_t size = key->size + 1 - random_below(r, 3) % (key->size + 2);
        assert_int_equal(id_of(&t, key->bytes, key->size), expected_id(s, key->bytes, key->size));
        assert_int_equal(id_of(&t, bytes, size), expected_id(s, bytes, size));
    }
    for (size_t i = 0; i < t.size; i++) /* a step from any node stays inside */
        assert_true(t.nodes[i].base >= 0 && (size_t)t.nodes[i].base + 256 <= t.size);
    trie_free(&t);
}

static void keys_of_any_alphabet_are_found_and_nothing_else(void **state)
{
    (void)state;
    static const uint32_t LETTERS[] = { 1, 2, 26, 128, 256 }, N[] = { 1, 2, 24, 25, 26, 300, 2000 };
    random_stream r = { 12, 94, 0 };
    for (size_t l = 0; l < sizeof LETTERS / sizeof *LETTERS; l++)
        for (size_t n = 0; n < sizeof N / sizeof *N; n++) {
            sample s = random_keys(&r, N[n], LETTERS[l], n % 2 ? 3 : LONGEST);
            check_against_list(&s, &r);
            free_keys(&s);
        }
}

/* Nodes with all 256 children leave no room between each other; those with few then search long. */
static void full_nodes_and_sparse_ones_find_their_places(void **state)
{
    (void)state;
    enum { N = 256 * 256 };
    unsigned char *bytes = malloc(3 * N);
    trie_key *keys = malloc(N * sizeof *keys);
    trie t = { 0 };
    assert_true(bytes && keys);
    for (int32_t i = 0; i < N; i++) {
        unsigned char *at = bytes + 3 * i, first = (unsigned char)(i >> 8), second = (unsigned char)i;
        at[0] = first;
        at[1] = first % 3 ? second : (unsigned char)(second & 0xE0); /* every third has 8 children, each with 32 */
        at[2] = second;
        keys[i] = (trie_key){ at, first % 3 ? 2 : 3, i };
    }
    assert_true(trie_build(&t, keys, N));
    for (int32_t i = 0; i < N; i++)
        assert_int_equal(id_of(&t, bytes + 3 * i, (i >> 8) % 3 ? 2 : 3), i);
    trie_free(&t);
    free(keys);
    free(bytes);
}

/* What a file holds of a trie: the same answers in place; any numbers are refused, or no step leaves the nodes. */
static void nodes_in_place_are_checked(void **state)
{
    (void)state;
    enum { N = 300 };
    random_stream r = { 12, 96, 0 };
    sample s = random_keys(&r, N, 26, LONGEST);
    trie built = trie_of(&s), used;
    trie_node *nodes = malloc(built.size * sizeof *nodes);
    assert_non_null(nodes);
    memcpy(nodes, built.nodes, built.size * sizeof *nodes);
    assert_true(trie_use(&used, (ready_trie){ nodes, built.size }, N));
    for (size_t i = 0; i < N; i++)
        assert_int_equal(id_of(&used, s.keys[i].bytes, s.keys[i].size),
                         id_of(&built, s.keys[i].bytes, s.keys[i].size));
    trie_free(&used); /* they stay */
    assert_false(trie_use(&used, (ready_trie){ nodes, built.size - 1 }, N));
    assert_false(trie_use(&used, (ready_trie){ nodes, 448 }, N));
    assert_false(trie_use(&used, (ready_trie){ nodes, 0 }, N));
    assert_null(used.nodes);
    const int32_t last = (int32_t)built.size - 256, WRONG[][3] = { { last + 1, 0, -1 }, { -1, 0, -1 },
                                                                   { INT32_MIN, 0, -1 }, { INT32_MAX, 0, -1 },
                                                                   { 1, 0, -2 }, { 1, 0, N } },
                  RIGHT[][3] = { { last, 0, -1 }, { 0, INT32_MAX, N - 1 }, { 1, INT32_MIN, 0 } };
    for (size_t at = 0; at < built.size; at++) {
        for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
            nodes[at] = (trie_node){ WRONG[i][0], WRONG[i][1], WRONG[i][2] };
            assert_false(trie_use(&used, (ready_trie){ nodes, built.size }, N));
        }
        for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++) {
            nodes[at] = (trie_node){ RIGHT[i][0], RIGHT[i][1], RIGHT[i][2] };
            assert_true(trie_use(&used, (ready_trie){ nodes, built.size }, N));
            for (size_t k = 0; k < N; k++)
                assert_true(id_of(&used, s.keys[k].bytes, s.keys[k].size) < N);
        }
        nodes[at] = built.nodes[at];
    }
    free(nodes);
    trie_free(&built);
    free_keys(&s);
}

static void no_keys_and_empty_ones_make_a_trie_that_holds_nothing(void **state)
{
    (void)state;
    trie_key empty = { (const unsigned char *)"", 0, 0 };
    for (size_t n = 0; n < 2; n++) {
        trie t = { 0 };
        assert_true(trie_build(&t, &empty, n));
        for (int byte = 0; byte < 256; byte++)
            assert_int_equal(trie_step(&t, 0, (unsigned char)byte), -1);
        assert_int_equal(t.nodes[0].id, -1);
        trie_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_any_alphabet_are_found_and_nothing_else),
        cmocka_unit_test(full_nodes_and_sparse_ones_find_their_places),
        cmocka_unit_test(nodes_in_place_are_checked),
        cmocka_unit_test(no_keys_and_empty_ones_make_a_trie_that_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
