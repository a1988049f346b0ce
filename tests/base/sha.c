/* SHA-256 and SHA-1 against published values, and against each other's ways; mapped files. */
#include "base/checksum.h"
#include "base/sha.h"

#include "base/scratch.h"

#include <sys/resource.h>

static const char LONG[] =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

/* The examples of FIPS 180-4 and of NIST's pages of it; of an empty text; `times` times the text. */
static const struct {
    const char *text;
    size_t times;
    const char *sha256, *sha1;
} PUBLISHED[] = {
    { "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    { LONG, 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
      "a49b2446a02c645bf419f995b67091253a04a259" },
    { "aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
};

static void published_values_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PUBLISHED / sizeof *PUBLISHED; i++)
        for (int one = 0; one < 2; one++) {
            unsigned char digest[SHA256_SIZE];
            char hex[SHA256_HEX];
            sha h;
            one ? sha1_begin(&h) : sha256_begin(&h);
            for (size_t k = 0; k < PUBLISHED[i].times; k++)
                sha_add(&h, PUBLISHED[i].text, strlen(PUBLISHED[i].text));
            sha_end(&h, digest);
            sha_hex(digest, one ? SHA1_SIZE : SHA256_SIZE, hex);
            assert_string_equal(hex, one ? PUBLISHED[i].sha1 : PUBLISHED[i].sha256);
        }
}

/* Plain C and the processor's instructions, bytes at once and in three pieces: the same digest for every length. */
static void every_way_gives_the_same(void **state)
{
    (void)state;
    unsigned char bytes[400], expected[SHA256_SIZE], digest[SHA256_SIZE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i + i * 31);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        sha h;
        sha256_begin(&h);
        h.rounds = sha256_plain;
        sha_add(&h, bytes, n);
        sha_end(&h, expected);
        for (size_t cut = 0; cut <= n; cut += 7) {
            sha256_begin(&h);
            sha_add(&h, bytes, cut);
            sha_add(&h, NULL, 0);
            sha_add(&h, bytes + cut, (n - cut) / 2);
            sha_add(&h, bytes + cut + (n - cut) / 2, n - cut - (n - cut) / 2);
            sha_end(&h, digest);
            assert_memory_equal(digest, expected, sizeof digest);
        }
    }
}

/* coreutils' sha256sum gives the same for a file. */
static void a_file_has_the_digest_that_sha256sum_gives(void **state)
{
    (void)state;
    char hex[SHA256_HEX], command[600], other[SHA256_HEX] = "";
    assert_works(sha256_file(scratch_text("abc", "abc"), hex, err));
    assert_string_equal(hex, PUBLISHED[1].sha256);
    assert_works(sha256_file("/proc/self/exe", hex, err));
    snprintf(command, sizeof command, "sha256sum < /proc/%d/exe", (int)getpid());
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(other, sizeof other, f));
    pclose(f);
    assert_string_equal(hex, other);
    assert_fails(sha256_file(scratch("none"), hex, err), BERT_ERR_IO, "none: cannot open: No such file or directory");
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* From any byte on, as the data of a file behind its header. */
static void a_mapped_file_is_summed_without_staying_in_memory(void **state)
{
    (void)state;
    enum { SIZE = (64 << 20) + 5, HEADER = 77 };
    file_mapping file;
    char hex[SHA256_HEX], expected[SHA256_HEX];
    const char *path = scratch_text("large", "of what follows all is zero");
    assert_int_equal(truncate(path, SIZE), 0);
    assert_works(file_map(&file, path, err));
    long before = peak_kilobytes();
    sha256_mapped(&file, HEADER, hex);
    uint32_t crc = crc32c_mapped(0, &file);
    assert_true(peak_kilobytes() - before < 16 << 10);
    assert_int_equal(crc, crc32c(0, file.data, file.size));
    sha256_hex(file.data + HEADER, file.size - HEADER, expected);
    assert_string_equal(hex, expected);
    sha256_mapped(&file, SIZE, hex);
    assert_string_equal(hex, PUBLISHED[0].sha256);
    file_unmap(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values_come_out),
        cmocka_unit_test(every_way_gives_the_same),
        in_a_folder(a_mapped_file_is_summed_without_staying_in_memory),
        in_a_folder(a_file_has_the_digest_that_sha256sum_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
