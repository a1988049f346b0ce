/* Sets of tensors, and elements of every type as float32. */
#include "formats/tensors.h"

#include "base/scratch.h"

#include <math.h>

/* A half by its definition: (-1)^s 2^(e - 15) (1 + f / 1024); without the 1 and with 2^-14 where e is 0. */
static double half_value(unsigned bits)
{
    int sign = bits & 0x8000 ? -1 : 1, e = bits >> 10 & 31, f = bits & 0x3ff;
    if (e == 31)
        return f ? NAN : sign * INFINITY;
    return sign * (e ? ldexp(1 + f / 1024.0, e - 15) : ldexp(f / 1024.0, -14));
}

static void every_half_is_exact(void **state)
{
    (void)state;
    static uint16_t halves[65536];
    static float out[65536];
    for (unsigned i = 0; i < 65536; i++)
        halves[i] = (uint16_t)i;
    assert_works(
        tensor_to_f32(&(tensor){ .name = "h", .file = "f", .type = DTYPE_F16, .n = 65536, .data = halves }, out, err));
    for (unsigned i = 0; i < 65536; i++) {
        double expected = half_value(i);
        if (isnan(expected))
            assert_true(isnan(out[i]));
        else
            assert_true(out[i] == expected);
        assert_int_equal(!!signbit(out[i]), i >> 15);
    }
}

static void every_bfloat16_is_the_upper_half_of_a_float32(void **state)
{
    (void)state;
    static uint16_t b[65536];
    static uint32_t out[65536];
    for (unsigned i = 0; i < 65536; i++)
        b[i] = (uint16_t)i;
    assert_works(tensor_to_f32(&(tensor){ .name = "b", .file = "f", .type = DTYPE_BF16, .n = 65536, .data = b },
                               (float *)(void *)out, err));
    for (unsigned i = 0; i < 65536; i++)
        assert_int_equal(out[i], i << 16);
}

/* One element behind a byte, so that nothing is aligned. */
static float one(dtype type, const void *element)
{
    unsigned char bytes[16];
    float out = NAN;
    memcpy(bytes + 1, element, dtype_size(type));
    assert_works(
        tensor_to_f32(&(tensor){ .name = "x", .file = "f", .type = type, .n = 1, .data = bytes + 1 }, &out, err));
    return out;
}

static void every_number_is_read_at_any_address(void **state)
{
    (void)state;
    assert_true(one(DTYPE_F32, &(float){ 1.25f }) == 1.25f);
    assert_true(one(DTYPE_F64, &(double){ 1.0 / 3 }) == (float)(1.0 / 3));
    assert_true(one(DTYPE_F64, &(double){ 1e300 }) == INFINITY);
    assert_true(one(DTYPE_F64, &(double){ 1 + 0x1p-24 + 0x1p-40 }) == 1 + 0x1p-23f); /* rounded to the nearest */
    assert_true(one(DTYPE_I64, &(int64_t){ -5000000000 }) == -5e9f);
    assert_true(one(DTYPE_I32, &(int32_t){ -7 }) == -7);
    assert_true(one(DTYPE_I16, &(int16_t){ -300 }) == -300);
    assert_true(one(DTYPE_I8, &(int8_t){ -128 }) == -128);
    assert_true(one(DTYPE_U8, &(uint8_t){ 255 }) == 255);
    assert_true(one(DTYPE_F16, &(uint16_t){ 0x3c01 }) == 1 + 0x1p-10f);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    float out;
    tensor t = { .name = "flags", .file = "m.bin", .type = DTYPE_BOOL, .n = 1, .data = &out };
    assert_fails(tensor_to_f32(&t, &out, err), BERT_ERR_FORMAT,
                 "m.bin: tensor flags is of type BOOL, expected numbers");
    t.type = DTYPE_OTHER;
    assert_fails(tensor_to_f32(&t, &out, err), BERT_ERR_UNSUPPORTED,
                 "m.bin: tensor flags is of a type that is not read (quantised, float8, complex, strings)");
    t.type = DTYPE_F32;
    t.data = NULL;
    assert_fails(tensor_to_f32(&t, &out, err), BERT_ERR_FORMAT, "m.bin: the elements of tensor flags are absent");
}

static void types_have_names_and_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = { 4, 2, 2, 8, 8, 4, 2, 1, 1, 1, 0 };
    for (int t = 0; t <= DTYPE_OTHER; t++) {
        assert_int_equal(dtype_size((dtype)t), sizes[t]);
        assert_int_equal(dtype_find(dtype_name((dtype)t)), t);
    }
    assert_int_equal(dtype_find("BF16"), DTYPE_BF16);
    assert_int_equal(dtype_find("F8_E4M3"), DTYPE_OTHER);
}

static void a_shape_is_written_out_and_counted(void **state)
{
    (void)state;
    char text[TENSOR_SHAPE_TEXT];
    size_t bytes;
    tensor t = { .type = DTYPE_F32, .rank = 2, .shape = { 30522, 384 } };
    assert_string_equal(tensor_shape_text(&t, text), "[30522, 384]");
    assert_true(tensor_count(&t, &bytes));
    assert_int_equal(t.n, 30522 * 384);
    assert_int_equal(bytes, 30522 * 384 * 4);
    t.rank = 0;
    assert_string_equal(tensor_shape_text(&t, text), "[]");
    assert_true(tensor_count(&t, &bytes));
    assert_int_equal(t.n, 1);
    t.rank = TENSOR_MAX_RANK;
    for (int i = 0; i < TENSOR_MAX_RANK; i++)
        t.shape[i] = INT64_MIN;
    assert_int_equal(strlen(tensor_shape_text(&t, text)), 8 * 20 + 7 * 2 + 2);
    assert_false(tensor_count(&t, &bytes));
    t = (tensor){ .type = DTYPE_F32, .rank = 2, .shape = { INT64_MAX, 3 } };
    assert_false(tensor_count(&t, &bytes));
    t = (tensor){ .type = DTYPE_F32, .rank = 1, .shape = { INT64_MAX } }; /* the elements fit, the bytes do not */
    assert_false(tensor_count(&t, &bytes));
}

static void a_set_finds_by_name_and_refuses_doubles(void **state)
{
    (void)state;
    static const char *const names[] = { "delta", "alpha", "echo", "charlie", "bravo" };
    tensor_set set = { 0 };
    assert_null(tensors_find(&set, "alpha"));
    for (int i = 0; i < 5; i++)
        assert_works(tensors_add(&set, &(tensor){ .name = names[i], .rank = i }, err));
    assert_works(tensors_seal(&set, "x", err));
    for (int i = 0; i < 5; i++)
        assert_int_equal(tensors_find(&set, names[i])->rank, i);
    assert_null(tensors_find(&set, "foxtrot"));
    assert_works(tensors_add(&set, &(tensor){ .name = "bravo" }, err));
    assert_fails(tensors_seal(&set, "m.bin", err), BERT_ERR_FORMAT, "m.bin: tensor bravo stands twice");
    tensors_close(&set);
    tensors_close(&set); /* closed already: nothing happens */
}

static void tensors_that_share_bytes_are_found(void **state)
{
    (void)state;
    tensor_range apart[] = { { 1, 0, 8, "a" }, { 0, 8, 12, "b" }, { 0, 0, 8, "c" }, { 0, 8, 8, "empty" } };
    assert_works(tensor_ranges_check(apart, 4, "x", err));
    assert_string_equal(apart[0].name, "c");
    assert_string_equal(apart[3].name, "a");
    tensor_range mixed[] = { { 0, 8, 12, "b" }, { 0, 0, 9, "a" } };
    assert_fails(tensor_ranges_check(mixed, 2, "x", err), BERT_ERR_FORMAT, "x: tensors a and b share bytes 8 to 9");
    tensor_range same[] = { { 0, 4, 8, "a" }, { 0, 4, 8, "a2" } };
    bert_err err = { 0 };
    assert_int_equal(tensor_ranges_check(same, 2, "x", &err), BERT_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_is_exact),
        cmocka_unit_test(every_bfloat16_is_the_upper_half_of_a_float32),
        cmocka_unit_test(every_number_is_read_at_any_address),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(types_have_names_and_sizes),
        cmocka_unit_test(a_shape_is_written_out_and_counted),
        cmocka_unit_test(a_set_finds_by_name_and_refuses_doubles),
        cmocka_unit_test(tensors_that_share_bytes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
