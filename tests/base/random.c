/* Random numbers: the published values of Philox, and that draws are what they say. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* The known answers that come with Random123, philox4x32 of 10 rounds. */
static void philox_matches_its_published_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { ~0u, ~0u, ~0u, ~0u }, { ~0u, ~0u }, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        philox4x32(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void a_stream_is_philox_of_its_seed_stream_and_index(void **state)
{
    (void)state;
    random_stream r = { .seed = 0x1122334455667788, .stream = 0x99aabbccddeeff00, .index = ((uint64_t)1 << 34) - 2 };
    const uint32_t key[2] = { 0x55667788, 0x11223344 };
    for (int i = 0; i < 4; i++) {
        uint64_t block = (((uint64_t)1 << 34) - 2 + (uint64_t)i) / 4;
        const uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), 0xddeeff00, 0x99aabbcc };
        uint32_t out[4];
        philox4x32(out, counter, key);
        assert_int_equal(random_u32(&r), out[(i + 2) % 4]);
    }
}

enum { DRAWS = 60000 };

/* Each of n results comes up a share of 1 / n, within five deviations. */
static void whole_numbers_below_n_are_even(void **state)
{
    (void)state;
    random_stream r = { 1, 2, 0 };
    int count[6] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        uint32_t v = random_below(&r, 6);
        assert_true(v < 6);
        count[v]++;
    }
    for (int i = 0; i < 6; i++)
        assert_true(abs(count[i] - DRAWS / 6) < 5 * 91); /* sqrt(60000 * 1/6 * 5/6) */
    assert_int_equal(random_below(&r, 1), 0);
    for (int i = 0; i < 1000; i++) /* nearly half of all draws must be rejected here */
        assert_true(random_below(&r, 0x80000001u) < 0x80000001u);
}

static void uniform_and_normal_have_their_moments(void **state)
{
    (void)state;
    random_stream r = { 3, 4, 0 };
    double sum = 0, square = 0, low = 0;
    for (int i = 0; i < DRAWS; i++) {
        float u = random_uniform(&r, -2, 4);
        assert_true(u >= -2 && u < 4);
        sum += u;
    }
    assert_true(fabs(sum / DRAWS - 1) < 5 * sqrt(3.0 / DRAWS)); /* variance 36 / 12 */
    sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        float v = random_normal(&r);
        assert_true(isfinite(v));
        sum += v;
        square += (double)v * v;
        low += v < -1;
    }
    assert_true(fabs(sum / DRAWS) < 5 / sqrt(DRAWS));
    assert_true(fabs(square / DRAWS - 1) < 5 * sqrt(2.0 / DRAWS));
    assert_true(fabs(low / DRAWS - 0.158655) < 5 * sqrt(0.158655 * 0.841345 / DRAWS));
}

static void a_shuffle_is_a_permutation_that_the_seed_fixes(void **state)
{
    (void)state;
    uint32_t a[100], b[100];
    bool seen[100] = { false };
    for (uint32_t i = 0; i < 100; i++)
        a[i] = b[i] = i;
    random_shuffle(&(random_stream){ 7, RANDOM_SHUFFLE, 0 }, a, 100);
    random_shuffle(&(random_stream){ 7, RANDOM_SHUFFLE, 0 }, b, 100);
    assert_memory_equal(a, b, sizeof a);
    int moved = 0;
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(a[i] < 100 && !seen[a[i]]);
        seen[a[i]] = true;
        moved += a[i] != i;
    }
    assert_true(moved > 80);
    random_shuffle(&(random_stream){ 8, RANDOM_SHUFFLE, 0 }, b, 100);
    assert_memory_not_equal(a, b, sizeof a);
    random_shuffle(&(random_stream){ 8, 0, 0 }, a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_matches_its_published_values),
        cmocka_unit_test(a_stream_is_philox_of_its_seed_stream_and_index),
        cmocka_unit_test(whole_numbers_below_n_are_even),
        cmocka_unit_test(uniform_and_normal_have_their_moments),
        cmocka_unit_test(a_shuffle_is_a_permutation_that_the_seed_fixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
