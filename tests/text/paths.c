/* The fast path and the general path give the same for random texts: the promises of the fuzz target, kept over texts
 * that mix ASCII with what the general path is for. A broken promise prints itself and aborts. */
#include "fuzz/fuzz_tokenize.c"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TEXTS = 40000, MOST_PARTS = 40 };

/* What texts are made of; the first eight are ASCII. */
/* clang-format off */
static const char *const PARTS[] = {
    "a", "the", "unaffable", "B", " ", ".", "'", "1234",
    "\xC3\xA9", "\xCC\x81", "\xCE\xA3", "\xCE\x91", "\xC4\xB0", "\xE2\x80\xA8", "\xC2\xA0", "\xE2\x80\x8B",
    "\xE4\xB8\x80", "\xEA\xB0\x81", "\xE3\x80\xAE", "\xE1\xAD\x84", "\xCD\x8F", "\xF0\x9D\x85\x9F", "\xF0\x9F\x98\x80",
    "\xCD\xBE", "\v", "\xFF", "\xE2\x82", "\xF0\x9F",
};
/* clang-format on */

/* A text of up to MOST_PARTS parts, of which `ascii` in 8 are from the first eight. */
static size_t random_text(random_stream *r, uint32_t ascii, uint8_t *bytes)
{
    size_t size = 0;
    bytes[size++] = (uint8_t)random_below(r, 2); /* uncased or cased */
    for (uint32_t n = random_below(r, MOST_PARTS); n > 0; n--) {
        uint32_t others = sizeof PARTS / sizeof *PARTS - 8;
        const char *part = random_below(r, 8) < ascii ? PARTS[random_below(r, 8)] : PARTS[8 + random_below(r, others)];
        memcpy(bytes + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

static void both_paths_agree_on_random_texts(void **state)
{
    (void)state;
    random_stream r = { .seed = 20190417 };
    uint8_t bytes[1 + 16 * MOST_PARTS];
    for (int i = 0; i < TEXTS; i++)
        assert_int_equal(LLVMFuzzerTestOneInput(bytes, random_text(&r, (uint32_t)i % 9, bytes)), 0);
}

/* That the agreement is not one of two empty results. */
static void random_texts_have_tokens_of_every_kind(void **state)
{
    (void)state;
    random_stream r = { .seed = 1 };
    uint8_t bytes[1 + 16 * MOST_PARTS];
    size_t n_tokens = 0, n_unknown = 0, n_continuing = 0, n_dropped = 0;
    for (int i = 0; i < 1000; i++) {
        size_t size = random_text(&r, 6, bytes);
        bert_tokens t = split(tokenizer(true), (bert_text){ (const char *)bytes + 1, size - 1 },
                              (split_options){ .limit = SIZE_MAX });
        n_tokens += t.n;
        n_dropped += t.dropped;
        for (size_t k = 0; k < t.n; k++) {
            n_unknown += t.ids[k] == 1;
            n_continuing += bert_tokenizer_token(tokenizer(true), t.ids[k], NULL)[0] == '#';
        }
        bert_tokens_free(&t);
    }
    assert_in_range(n_tokens, 5000, 100000);
    assert_in_range(n_unknown, 500, n_tokens - 2000);
    assert_in_range(n_continuing, 200, n_tokens);
    assert_in_range(n_dropped, 200, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_paths_agree_on_random_texts),
        cmocka_unit_test(random_texts_have_tokens_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
