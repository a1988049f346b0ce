/* Checksums against published values. */
#include "base/checksum.h"
#include "base/checksum.h"

#include "base/scratch.h"

/* RFC 3720, B.4. */
static void crc32c_matches_its_published_values(void **state)
{
    (void)state;
    unsigned char zeros[32] = { 0 }, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof ones);
    for (unsigned char i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = 31 - i;
    }
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(crc32c(0, down, 32), 0x113fdb5c);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

/* Bit by bit, as the polynomial says. */
static uint32_t plain_crc32c(const unsigned char *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t bit = (crc ^ (p[i / 8] >> i % 8)) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void crc32c_goes_on_from_any_length_and_address(void **state)
{
    (void)state;
    unsigned char bytes[80];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n <= 64; n++) {
            uint32_t whole = plain_crc32c(bytes + from, n);
            assert_int_equal(crc32c(0, bytes + from, n), whole);
            assert_int_equal(crc32c(crc32c(0, bytes + from, n / 3), bytes + from + n / 3, n - n / 3), whole);
        }
}

static void the_masked_form_is_turned_and_moved(void **state)
{
    (void)state;
    assert_int_equal(crc32c_mask(0), 0xa282ead8);
    assert_int_equal(crc32c_mask(0x00008000), 0xa282ead9);
    assert_int_equal(crc32c_mask(0x00000001), 0xa284ead8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_matches_its_published_values),
        cmocka_unit_test(crc32c_goes_on_from_any_length_and_address),
        cmocka_unit_test(the_masked_form_is_turned_and_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
