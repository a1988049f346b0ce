/* Partitioned variables of TensorFlow: put together from their parts; parts that lie are refused by file, tensor and
 * slice. */
#include "formats/tf_slice.h"

#include "base/scratch.h"
#include "formats/bundle_writer.h"
#include "formats/tf_bundle.h"

#include <unistd.h>

enum { ROWS = 3, COLS = 4, MOST_PARTS = 4, ALL = -1 };

/* A variable x of shape [3, 4], element (r, c) of which is 10 r + c, and its parts. */
typedef struct variable {
    entry whole; /* what the index says of it; slices as they are listed */
    int n;       /* parts that are there */
    entry parts[MOST_PARTS];
    int64_t slices[MOST_PARTS][2][2];
    bool damaged; /* a byte of the last part is another */
} variable;

/* The bytes of a part as its slice says, at the end of the data; its entry's place, shape and checksum where they are
 * not given. */
static void add_data(buffer *data, entry *e, int64_t slice[2][2])
{
    int64_t rows = slice[0][1] == ALL ? ROWS : slice[0][1], cols = slice[1][1] == ALL ? COLS : slice[1][1];
    size_t from = data->size;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++) {
            float value = (float)(10 * (slice[0][0] + r) + slice[1][0] + c);
            buffer_add(data, &value, sizeof value);
        }
    if (!e->dtype)
        e->dtype = 1;
    if (!e->rank) {
        e->rank = 2;
        e->shape[0] = rows;
        e->shape[1] = cols;
    }
    e->offset = (int64_t)from;
    e->size = (int64_t)(data->size - from);
    e->crc = crc32c_mask(crc32c(0, data->data + from, data->size - from));
}

static bert_status open_variable(variable v, tensor_set *set, bool check_data, bert_err *err)
{
    table_writer t = { .per_block = 2 };
    buffer data = { 0 };
    table_add_header(&t, 1, 0, 0);
    for (int i = 0; i < v.n; i++) {
        add_data(&data, &v.parts[i], v.slices[i]);
        table_add_part(&t, "x", v.slices[i], &v.parts[i]);
    }
    if (v.whole.n_slices)
        table_add_entry(&t, "x", &v.whole);
    if (v.damaged)
        data.data[data.size - 1] ^= 1;
    table_end(&t);
    scratch_file("m.index", t.file.data, t.file.size);
    scratch_file("m.data-00000-of-00001", data.data ? data.data : "", data.size);
    table_free(&t);
    buffer_free(&data);
    return tf_bundle_open(set, scratch("m"), check_data, err);
}

static void assert_joined(variable v)
{
    tensor_set set;
    float out[ROWS * COLS];
    assert_works(open_variable(v, &set, true, err));
    assert_int_equal(set.n, 1);
    assert_int_equal(set.items[0].n, ROWS * COLS);
    assert_works(tensor_to_f32(&set.items[0], out, err));
    for (int i = 0; i < ROWS * COLS; i++)
        assert_true(out[i] == (float)(10 * (i / COLS) + i % COLS));
    tensors_close(&set);
}

#define WHOLE(n, ...)                                                                            \
    {                                                                                            \
        .dtype = 1, .rank = 2, .shape = { ROWS, COLS }, .n_slices = n, .slices = { __VA_ARGS__ } \
    }
#define TOP        \
    {              \
        { 0, 1 },  \
        {          \
            0, ALL \
        }          \
    }
#define BOTTOM     \
    {              \
        { 1, 2 },  \
        {          \
            0, ALL \
        }          \
    }

/* Cut by rows, by columns, into one part with both sides spelt, with a part of no rows; listed in any order. */
static void parts_become_the_whole(void **state)
{
    (void)state;
    assert_joined((variable){ WHOLE(2, TOP, BOTTOM), 2, { { 0 } }, { TOP, BOTTOM }, false });
    assert_joined((variable){ WHOLE(2, BOTTOM, TOP), 2, { { 0 } }, { TOP, BOTTOM }, false });
    assert_joined((variable){ WHOLE(3, { { 0, ALL }, { 0, 1 } }, { { 0, ALL }, { 1, 2 } }, { { 0, ALL }, { 3, 1 } }),
                              3,
                              { { 0 } },
                              { { { 0, ALL }, { 0, 1 } }, { { 0, ALL }, { 1, 2 } }, { { 0, ALL }, { 3, 1 } } },
                              false });
    assert_joined(
        (variable){ WHOLE(1, { { 0, ROWS }, { 0, COLS } }), 1, { { 0 } }, { { { 0, ROWS }, { 0, COLS } } }, false });
    assert_joined((variable){ WHOLE(3, { { 0, 0 }, { 0, ALL } }, TOP, BOTTOM),
                              3,
                              { { 0 } },
                              { { { 0, 0 }, { 0, ALL } }, TOP, BOTTOM },
                              false });
}

static void parts_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        variable v;
        bert_status code;
        const char *message;
    } cases[] = {
        { { WHOLE(2, TOP, BOTTOM), 1, { { 0 } }, { TOP }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [1:3, :] is not there" },
        { { WHOLE(1, TOP), 2, { { 0 } }, { TOP, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x: 1 to 3 of side 0 are in no part" },
        { { WHOLE(1, BOTTOM), 1, { { 0 } }, { BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x: 0 to 1 of side 0 are in no part" },
        { { WHOLE(2, { { 0, 2 }, { 0, ALL } }, BOTTOM), 2, { { 0 } }, { { { 0, 2 }, { 0, ALL } }, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x: 1 to 2 of side 0 are in two parts" },
        { { WHOLE(3, TOP, BOTTOM, TOP), 2, { { 0 } }, { TOP, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x: 0 to 1 of side 0 are in two parts" },
        { { WHOLE(2, TOP, { { 1, 3 }, { 0, ALL } }), 2, { { 0 } }, { TOP, { { 1, 3 }, { 0, ALL } } }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [1:4, :] is no part of shape [3, 4]" },
        { { WHOLE(1, { { -1, 3 }, { 0, ALL } }), 0, { { 0 } }, { TOP }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [-1:2, :] is no part of shape [3, 4]" },
        { { WHOLE(1, { { INT64_MAX, INT64_MAX }, { 0, ALL } }), 0, { { 0 } }, { TOP }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [9223372036854775807:-2, :] is no part of shape [3, 4]" },
        { { WHOLE(2, TOP, { { 0, ALL }, { 0, 1 } }), 0, { { 0 } }, { TOP }, false },
          BERT_ERR_UNSUPPORTED,
          "m.index: tensor x [:, 0:1]: cut on side 0 and on side 1, parts of one side are read" },
        { { WHOLE(2, TOP, BOTTOM), 2, { { 0 }, { .dtype = 3 } }, { TOP, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [1:3, :] is of type I32, the whole of F32" },
        { { WHOLE(2, TOP, BOTTOM), 2, { { 0 }, { .rank = 2, .shape = { 4, 2 } } }, { TOP, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [1:3, :] has shape [4, 2]" },
        { { WHOLE(2, TOP, BOTTOM), 2, { { 0 } }, { TOP, BOTTOM }, true },
          BERT_ERR_FORMAT,
          "m.data-00000-of-00001: tensor x [1:3, :] at byte 16: masked CRC-32C is 0xce6ebe7d, 0xd06f224a is stored" },
        { { { 0 }, 2, { { 0 } }, { TOP, BOTTOM }, false },
          BERT_ERR_FORMAT,
          "m.index: holds a part of tensor x that no tensor lists" },
        { { { .dtype = 1, .n_slices = 1 }, 0, { { 0 } }, { TOP }, false },
          BERT_ERR_FORMAT,
          "m.index: tensor x [] is no part of shape []" },
    };
    tensor_set set;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(open_variable(cases[i].v, &set, true, err), cases[i].code, cases[i].message);
}

/* What is never read is listed as any other tensor of its type. */
static void a_partitioned_variable_of_strings_is_listed(void **state)
{
    (void)state;
    tensor_set set;
    variable v = { WHOLE(2, TOP, BOTTOM), 2, { { .dtype = 7 }, { .dtype = 7 } }, { TOP, BOTTOM }, false };
    v.whole.dtype = 7;
    assert_works(open_variable(v, &set, true, err));
    assert_int_equal(set.items[0].type, DTYPE_OTHER);
    tensors_close(&set);
}

/* As TensorFlow 2.21 writes them for a variable x. */
static void keys_are_those_of_tensorflow(void **state)
{
    (void)state;
    static const struct {
        int64_t start, length;
        const char *key;
        size_t size;
    } cases[] = {
        { 63, 2, "\0x\0\1\1\1\xbf\x82", 8 },
        { 64, 2, "\0x\0\1\1\1\xc0\x40\x82", 9 },
        { 8191, 8192, "\0x\0\1\1\1\xdf\xff\xe0\x20\0", 11 },
        { 999999, 1, "\0x\0\1\1\1\xef\x42\x3f\x81", 10 },
        { 69000000000, 2, "\0x\0\1\1\1\xfc\x10\x10\xb8\x72\0\x82", 13 },
        { 0, ALL, "\0x\0\1\1\1\x80\x7f", 8 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Tf__TensorSliceProto__Extent side = TF__TENSOR_SLICE_PROTO__EXTENT__INIT, *sides[] = { &side };
        Tf__TensorSliceProto slice = TF__TENSOR_SLICE_PROTO__INIT;
        buffer key = { 0 };
        side.start = cases[i].start;
        side.length = cases[i].length;
        if (cases[i].length != ALL)
            side.has_length_case = TF__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH;
        slice.n_extent = 1;
        slice.extent = sides;
        tf_slice_key(&key, "x", &slice);
        assert_int_equal(key.size, cases[i].size);
        assert_memory_equal(key.data, cases[i].key, key.size);
        buffer_free(&key);
    }
}

/* Where only the index is there, as for inspection, the variable is listed and has no numbers. */
static void parts_without_data_are_listed(void **state)
{
    (void)state;
    tensor_set set;
    float out[ROWS * COLS];
    variable v = { WHOLE(2, TOP, BOTTOM), 2, { { 0 } }, { TOP, BOTTOM }, false };
    assert_works(open_variable(v, &set, false, err));
    tensors_close(&set);
    assert_int_equal(unlink(scratch("m.data-00000-of-00001")), 0);
    assert_works(tf_bundle_open(&set, scratch("m"), false, err));
    assert_fails(tensor_to_f32(&set.items[0], out, err), BERT_ERR_FORMAT,
                 "m.index: the elements of tensor x are absent");
    tensors_close(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(parts_become_the_whole),
        in_a_folder(parts_that_lie_are_refused),
        in_a_folder(a_partitioned_variable_of_strings_is_listed),
        in_a_folder(parts_without_data_are_listed),
        cmocka_unit_test(keys_are_those_of_tensorflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
