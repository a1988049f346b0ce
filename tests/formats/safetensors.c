/* safetensors: what is written is read back, real files, and headers that lie. */
#include "formats/safetensors.h"

#include "base/scratch.h"

/* A file of the header and `data` zeros. */
static const char *file_of(const char *header, size_t data)
{
    static unsigned char bytes[4096];
    uint64_t size = strlen(header);
    assert_true(8 + size + data <= sizeof bytes);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &size, 8);
    memcpy(bytes + 8, header, size);
    return scratch_file("m", bytes, 8 + size + data);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    const float weight[6] = { 1, 2, 3, 4, 5, 6 };
    const int64_t ids[2] = { -1, 7 };
    const unsigned char flag = 1;
    const tensor items[] = {
        { .name = "w\"eight", .type = DTYPE_F32, .rank = 2, .shape = { 2, 3 }, .n = 6, .data = weight },
        { .name = "flag", .type = DTYPE_BOOL, .n = 1, .data = &flag },
        { .name = "ids", .type = DTYPE_I64, .rank = 1, .shape = { 2 }, .n = 2, .data = ids },
        { .name = "empty", .type = DTYPE_F16, .rank = 2, .shape = { 0, 5 } },
    };
    json_t *metadata = json_pack("{s:s}", "format", "pt"), *read;
    tensor_set set;
    assert_works(safetensors_write(scratch("m"), items, 4, metadata, err));
    assert_works(safetensors_open(&set, scratch("m"), &read, err));
    assert_true(json_equal(metadata, read));
    assert_int_equal(set.n, 4);
    for (int i = 0; i < 4; i++) {
        const tensor *t = tensors_find(&set, items[i].name);
        assert_non_null(t);
        assert_int_equal(t->type, items[i].type);
        assert_int_equal(t->rank, items[i].rank);
        assert_memory_equal(t->shape, items[i].shape, sizeof t->shape);
        assert_int_equal(t->n, items[i].n);
        assert_string_equal(t->file, scratch("m"));
        if (t->n)
            assert_memory_equal(t->data, items[i].data, t->n * dtype_size(t->type));
    }
    /* the data begins there, in a mapped file */
    assert_int_equal((uintptr_t)tensors_find(&set, "w\"eight")->data % 64, 0);
    json_decref(read);
    json_decref(metadata);
    tensors_close(&set);
}

static void a_file_without_tensors_is_sound(void **state)
{
    (void)state;
    tensor_set set;
    json_t *metadata;
    assert_works(safetensors_write(scratch("m"), NULL, 0, NULL, err));
    assert_works(safetensors_open(&set, scratch("m"), &metadata, err));
    assert_int_equal(set.n, 0);
    assert_int_equal(json_object_size(metadata), 0);
    json_decref(metadata);
    tensors_close(&set);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    const float x = 1;
    tensor t[2] = { { .name = "x", .type = DTYPE_F32, .n = 1, .data = &x },
                    { .name = "x", .type = DTYPE_F32, .n = 1, .data = &x } };
    assert_fails(safetensors_write(scratch("m"), t, 2, NULL, err), BERT_ERR_ARGUMENT, "m: the name x is taken");
    t[0].name = "__metadata__";
    assert_fails(safetensors_write(scratch("m"), t, 1, NULL, err), BERT_ERR_ARGUMENT,
                 "m: the name __metadata__ is taken");
    t[0].name = "\xff";
    assert_fails(safetensors_write(scratch("m"), t, 1, NULL, err), BERT_ERR_ARGUMENT,
                 "m: tensor \xff: the name is not UTF-8");
    t[1].data = NULL;
    assert_fails(safetensors_write(scratch("m"), t + 1, 1, NULL, err), BERT_ERR_ARGUMENT,
                 "m: tensor x has no elements that can be written");
    t[1].data = &x;
    t[1].n = 2;
    assert_fails(safetensors_write(scratch("m"), t + 1, 1, NULL, err), BERT_ERR_ARGUMENT,
                 "m: tensor x: its shape is not that of 2 elements");
    t[1].type = DTYPE_OTHER;
    assert_fails(safetensors_write(scratch("m"), t + 1, 1, NULL, err), BERT_ERR_ARGUMENT,
                 "m: tensor x has no elements that can be written");
    assert_fails(safetensors_write(scratch("none/m"), NULL, 0, NULL, err), BERT_ERR_IO,
                 "none/m: cannot write: No such file or directory");
    assert_int_equal(scratch_entries(), 0);
}

/* A type that only newer programs know is listed, not read. */
static void an_unknown_type_is_listed(void **state)
{
    (void)state;
    tensor_set set;
    float out;
    assert_works(safetensors_open(
        &set, file_of("{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3), NULL, err));
    const tensor *t = tensors_find(&set, "x");
    assert_int_equal(t->type, DTYPE_OTHER);
    assert_int_equal(t->n, 3);
    assert_null(t->data);
    assert_fails(tensor_to_f32(t, &out, err), BERT_ERR_UNSUPPORTED,
                 "m: tensor x is of a type that is not read (quantised, float8, complex, strings)");
    tensors_close(&set);
}

/* So is a tensor of more dimensions than any weight has; metadata of null are none. */
static void many_dimensions_and_no_metadata_are_fine(void **state)
{
    (void)state;
    tensor_set set;
    json_t *metadata;
    char text[TENSOR_SHAPE_TEXT];
    const char *path = file_of(
        "{\"__metadata__\":null,\"x\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4);
    assert_works(safetensors_open(&set, path, &metadata, err));
    assert_int_equal(json_object_size(metadata), 0);
    const tensor *t = tensors_find(&set, "x");
    assert_int_equal(t->type, DTYPE_OTHER);
    assert_null(t->data);
    assert_string_equal(tensor_shape_text(t, text), "[of 9 dimensions]");
    json_decref(metadata);
    tensors_close(&set);
}

#define X "{\"x\":{\"dtype\":\"F32\",\"shape\":"

static const struct {
    const char *header;
    size_t data;
    bert_status code;
    const char *message;
} HOSTILE[] = {
    { "nonsense", 0, BERT_ERR_FORMAT, "m: header: line 1, column 8: '[' or '{' expected near 'nonsense'" },
    { "", 0, BERT_ERR_FORMAT, "m: header: is empty, expected a JSON object" },
    { "[]", 0, BERT_ERR_FORMAT, "m: header: is an array, expected a JSON object" },
    { "{\"x\":1}", 0, BERT_ERR_FORMAT, "m: tensor x has no dtype" },
    { "{\"x\":{\"dtype\":4}}", 0, BERT_ERR_FORMAT, "m: tensor x has no dtype" },
    { "{\"x\":{\"dtype\":\"F32\"}}", 0, BERT_ERR_FORMAT, "m: tensor x: shape is no list" },
    { X "[1],\"data_offsets\":[0,4]},\"x\":{}}", 4, BERT_ERR_FORMAT,
      "m: header: line 1, column 57: duplicate object key near '\"x\"'" },
    { X "[1],\"data_offsets\":[0,4]}, \"\xff\":{}}", 4, BERT_ERR_FORMAT,
      "m: header: line 1, column 56: unable to decode byte 0xff near '\"'" },
    { X "[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,5]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets 0 to 5, the file has 4 bytes of data" },
    { X "[-1],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: side 0 of its shape is no whole number from 0" },
    { X "[1,1.5],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: side 1 of its shape is no whole number from 0" },
    { X "[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: shape [4294967296, 4294967296] is too large" },
    { X "[4611686018427387904],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: shape [4611686018427387904] is too large" },
    { X "[9223372036854775808],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: side 0 of its shape is no whole number from 0" },
    { X "[2],\"data_offsets\":[0,4]}}", 4, BERT_ERR_FORMAT, "m: tensor x: 4 bytes of data, shape [2] of F32 takes 8" },
    { X "[1]}}", 4, BERT_ERR_FORMAT, "m: tensor x: data_offsets is no pair of whole numbers" },
    { X "[1],\"data_offsets\":[0]}}", 4, BERT_ERR_FORMAT, "m: tensor x: data_offsets is no pair of whole numbers" },
    { X "[1],\"data_offsets\":[0,4,8]}}", 4, BERT_ERR_FORMAT, "m: tensor x: data_offsets is no pair of whole numbers" },
    { X "[1],\"data_offsets\":[0,\"4\"]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets is no pair of whole numbers" },
    { X "[1],\"data_offsets\":[4,0]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets 4 to 0, the file has 4 bytes of data" },
    { X "[1],\"data_offsets\":[-4,0]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets -4 to 0, the file has 4 bytes of data" },
    { X "[1],\"data_offsets\":[0,4]}}", 3, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets 0 to 4, the file has 3 bytes of data" },
    { X "[1],\"data_offsets\":[9223372036854775803,9223372036854775807]}}", 4, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets 9223372036854775803 to 9223372036854775807, the file has 4 bytes of data" },
    { X "[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}", 5,
      BERT_ERR_FORMAT, "m: tensors x and y share bytes 3 to 4" },
    { X "[1],\"data_offsets\":[4,8]}}", 8, BERT_ERR_FORMAT, "m: bytes 0 to 4 of the data belong to no tensor" },
    { X "[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[5,6]}}", 6,
      BERT_ERR_FORMAT, "m: bytes 4 to 5 of the data belong to no tensor" },
    { X "[1],\"data_offsets\":[0,4]}}", 6, BERT_ERR_FORMAT, "m: bytes 4 to 6 of the data belong to no tensor" },
    { "{\"__metadata__\":1}", 0, BERT_ERR_FORMAT, "m: __metadata__ is no object" },
    { "{\"__metadata__\":{\"a\":1}}", 0, BERT_ERR_FORMAT, "m: __metadata__: a is no string" },
    { "{\"x\":{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,9]}}", 8, BERT_ERR_FORMAT,
      "m: tensor x: data_offsets 0 to 9, the file has 8 bytes of data" },
};

static void a_header_that_lies_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    json_t *metadata;
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        assert_fails(safetensors_open(&set, file_of(HOSTILE[i].header, HOSTILE[i].data), &metadata, err),
                     HOSTILE[i].code, HOSTILE[i].message);
        assert_int_equal(set.n, 0);
        assert_null(set.items);
        assert_null(metadata);
    }
}

static void a_header_beyond_the_file_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    assert_fails(safetensors_open(&set, scratch_file("m", "\2\0\0\0\0\0\0", 7), NULL, err), BERT_ERR_FORMAT,
                 "m: 7 bytes, a safetensors file has at least 8");
    assert_fails(safetensors_open(&set, scratch_file("m", "\3\0\0\0\0\0\0\0{}", 10), NULL, err), BERT_ERR_FORMAT,
                 "m: header of 3 bytes at byte 0, the file has 10 and a header at most 100000000");
    assert_fails(safetensors_open(&set, scratch_file("m", "\377\377\377\377\377\377\377\377{}", 10), NULL, err),
                 BERT_ERR_FORMAT,
                 "m: header of 18446744073709551615 bytes at byte 0, the file has 10 and a header at most 100000000");
    const uint64_t size = 100000001;
    const char *path = scratch_file("m", &size, 8);
    assert_int_equal(truncate(path, (off_t)(8 + size)), 0);
    assert_fails(safetensors_open(&set, path, NULL, err), BERT_ERR_FORMAT,
                 "m: header of 100000001 bytes at byte 0, the file has 100000009 and a header at most 100000000");
    assert_fails(safetensors_open(&set, scratch("none"), NULL, err), BERT_ERR_IO,
                 "none: cannot open: No such file or directory");
}

/* However short a file is cut, it is an error and nothing else. */
static void a_file_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    const float x[3] = { 1, 2, 3 };
    file_mapping m;
    tensor_set set;
    assert_works(safetensors_write(
        scratch("whole"), &(tensor){ .name = "x", .type = DTYPE_F32, .rank = 1, .shape = { 3 }, .n = 3, .data = x }, 1,
        NULL, err));
    assert_works(file_map(&m, scratch("whole"), err));
    for (size_t n = 0; n < m.size; n++)
        assert_int_equal(safetensors_open(&set, scratch_file("m", m.data, n), NULL, NULL), BERT_ERR_FORMAT);
    assert_works(safetensors_open(&set, scratch_file("m", m.data, m.size), NULL, err));
    tensors_close(&set);
    file_unmap(&m);
}

/* ---- shards ---- */

static void write_one(const char *file, const char *name, float value)
{
    assert_works(safetensors_write(scratch(file), &(tensor){ .name = name, .type = DTYPE_F32, .n = 1, .data = &value },
                                   1, NULL, err));
}

static void shards_are_one_set(void **state)
{
    (void)state;
    tensor_set set;
    write_one("1.safetensors", "b", 1);
    write_one("2.safetensors", "a", 2);
    assert_works(safetensors_open_sharded(
        &set,
        scratch_text("index", "{\"metadata\":{},\"weight_map\":{\"b\":\"1.safetensors\",\"a\":\"2.safetensors\"}}"),
        err));
    assert_int_equal(set.n, 2);
    assert_true(*(const float *)tensors_find(&set, "a")->data == 2);
    assert_true(*(const float *)tensors_find(&set, "b")->data == 1);
    assert_string_equal(tensors_find(&set, "a")->file, scratch("2.safetensors"));
    tensors_close(&set);
}

static void an_index_that_lies_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *index;
        bert_status code;
        const char *message;
    } cases[] = {
        { "{}", BERT_ERR_FORMAT, "index: weight_map is missing" },
        { "{\"weight_map\":[]}", BERT_ERR_FORMAT, "index: weight_map is an array, expected an object" },
        { "{\"weight_map\":{\"a\":1}}", BERT_ERR_FORMAT,
          "index: tensor a is in \"(no string)\", expected the name of a file in the same folder" },
        { "{\"weight_map\":{\"a\":\"../1\"}}", BERT_ERR_FORMAT,
          "index: tensor a is in \"../1\", expected the name of a file in the same folder" },
        { "{\"weight_map\":{\"a\":\"\"}}", BERT_ERR_FORMAT,
          "index: tensor a is in \"\", expected the name of a file in the same folder" },
        { "{\"weight_map\":{\"a\":\"..\"}}", BERT_ERR_IO, "..: is a folder, expected a file" },
        { "{\"weight_map\":{\"a\":\"3\"}}", BERT_ERR_IO, "3: cannot open: No such file or directory" },
        { "{\"weight_map\":{\"a\":\"1\",\"c\":\"1\"}}", BERT_ERR_FORMAT, NULL },
        { "{\"weight_map\":{\"a\":\"1\",\"b\":\"1\"}}", BERT_ERR_FORMAT, NULL },
        { "{\"weight_map\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"copy\"}}", BERT_ERR_FORMAT,
          "index: tensor a stands twice" },
    };
    tensor_set set;
    char message[256];
    write_one("1", "a", 1);
    write_one("2", "b", 1);
    write_one("copy", "a", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(message, sizeof message, "index: tensor %s should be in %s, which does not hold it",
                 strstr(cases[i].index, "\"c\"") ? "c" : "b", scratch("1"));
        assert_fails(safetensors_open_sharded(&set, scratch_text("index", cases[i].index), err), cases[i].code,
                     cases[i].message ? cases[i].message : message);
    }
}

static void a_real_file_is_read(void **state)
{
    (void)state;
    tensor_set set;
    char text[TENSOR_SHAPE_TEXT];
    const char *path = shared("golden/rand-toy/hf/model.safetensors");
    assert_works(safetensors_open(&set, path, NULL, err));
    assert_int_equal(set.n, 55);
    assert_string_equal(tensor_shape_text(tensors_find(&set, "embeddings.word_embeddings.weight"), text), "[15, 12]");
    tensors_close(&set);
}

#define IN_SCRATCH(test) in_a_folder(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_written_is_read_back),
        IN_SCRATCH(a_file_without_tensors_is_sound),
        IN_SCRATCH(what_cannot_be_written_is_refused),
        IN_SCRATCH(an_unknown_type_is_listed),
        IN_SCRATCH(many_dimensions_and_no_metadata_are_fine),
        IN_SCRATCH(a_header_that_lies_is_refused),
        IN_SCRATCH(a_header_beyond_the_file_is_refused),
        IN_SCRATCH(a_file_cut_short_anywhere_is_refused),
        IN_SCRATCH(shards_are_one_set),
        IN_SCRATCH(an_index_that_lies_is_refused),
        cmocka_unit_test(a_real_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
