/* PyTorch files: those that torch.save wrote (files/README.md), and zips and pickles made here that lie. */
#include "formats/torch_file.h"

#include "base/scratch.h"

#include <minizip/zip.h>

#define FILES "tests/formats/files/"

static void assert_tensor(const tensor_set *set, const char *name, const char *type, const char *shape,
                          const float *values)
{
    float found[16];
    char text[TENSOR_SHAPE_TEXT];
    const tensor *t = tensors_find(set, name);
    assert_non_null(t);
    assert_string_equal(dtype_name(t->type), type);
    assert_string_equal(tensor_shape_text(t, text), shape);
    assert_works(tensor_to_f32(t, found, err));
    for (size_t i = 0; i < t->n; i++)
        assert_true(found[i] == values[i]);
}

static void what_torch_saves_is_read(void **state)
{
    (void)state;
    static const char *const files[] = { FILES "torch.bin", FILES "torch-protocol4.bin", FILES "torch-deflated.bin" };
    for (int i = 0; i < 3; i++) {
        tensor_set set;
        assert_works(torch_file_open(&set, files[i], err));
        assert_int_equal(set.n, 15);
        assert_tensor(&set, "dense.weight", "F32", "[2, 3]", (float[]){ 0, 1, 2, 3, 4, 5 });
        assert_tensor(&set, "tied", "F32", "[2, 3]", (float[]){ 0, 1, 2, 3, 4, 5 });
        assert_tensor(&set, "dense.bias", "F32", "[2]", (float[]){ 0.5, -1.5 });
        assert_tensor(&set, "position_ids", "I64", "[1, 4]", (float[]){ 0, 1, 2, 3 });
        assert_tensor(&set, "half", "F16", "[3]", (float[]){ 1, -2.5, 65504 });
        assert_tensor(&set, "bfloat", "BF16", "[3]", (float[]){ 1, -2.5, 3 });
        assert_tensor(&set, "double", "F64", "[1]", (float[]){ (float)(1.0 / 3) });
        assert_tensor(&set, "bytes", "U8", "[2, 2]", (float[]){ 1, 2, 3, 255 });
        assert_tensor(&set, "scalar", "I32", "[]", (float[]){ 7 });
        assert_tensor(&set, "empty", "F32", "[0, 5]", NULL);
        assert_tensor(&set, "view", "F32", "[4]", (float[]){ 4, 5, 6, 7 });
        assert_tensor(&set, "transposed", "F32", "[4, 3]", (float[]){ 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 });
        assert_tensor(&set, "every_other", "F32", "[6]", (float[]){ 1, 3, 5, 7, 9, 11 });
        assert_tensor(&set, "parameter", "F32", "[1]", (float[]){ 9 });
        assert_int_equal(tensors_find(&set, "flags")->type, DTYPE_BOOL);
        assert_memory_equal(tensors_find(&set, "flags")->data, "\1\0", 2);
        assert_string_equal(set.items[0].file, files[i]);
        tensors_close(&set);
    }
}

static bool is_mapped(const tensor_set *set, const char *name)
{
    const unsigned char *p = tensors_find(set, name)->data;
    return p >= set->files[0].data && p < set->files[0].data + set->files[0].size;
}

static void what_is_stored_as_it_is_read_is_not_copied(void **state)
{
    (void)state;
    tensor_set set;
    assert_works(torch_file_open(&set, FILES "torch.bin", err));
    assert_true(is_mapped(&set, "dense.weight"));
    assert_true(is_mapped(&set, "view"));
    assert_false(is_mapped(&set, "transposed"));
    tensors_close(&set);
}

static void what_is_no_torch_file_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    static const char neither[] =
        "m: is no PyTorch file: it begins neither as a zip does nor with torch.save's magic number";
    assert_fails(torch_file_open(&set, scratch_text("m", "a text"), err), BERT_ERR_FORMAT, neither);
    assert_fails(torch_file_open(&set, scratch_text("m", "\x80\2}."), err), BERT_ERR_FORMAT, neither);
    assert_fails(torch_file_open(&set, scratch_text("m", ""), err), BERT_ERR_FORMAT, "m: is empty");
    assert_fails(torch_file_open(&set, scratch_text("m", "PK\3\4 and no more"), err), BERT_ERR_FORMAT,
                 "m: damaged zip file: it has no directory; cut short?");
    assert_fails(torch_file_open(&set, scratch("none"), err), BERT_ERR_IO,
                 "none: cannot open: No such file or directory");
}

/* The last three bytes are not missed: they belong to the size of a comment. */
static void a_file_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    file_mapping m;
    tensor_set set;
    assert_works(file_map(&m, FILES "torch-deflated.bin", err));
    for (size_t n = 0; n < m.size - 3; n++)
        assert_int_equal(torch_file_open(&set, scratch_file("m", m.data, n), NULL), BERT_ERR_FORMAT);
    file_unmap(&m);
}

static void a_changed_byte_anywhere_does_no_harm(void **state)
{
    (void)state;
    static const char *const files[] = { FILES "torch.bin", FILES "torch-deflated.bin" };
    for (int i = 0; i < 2; i++) {
        file_mapping m;
        tensor_set set;
        assert_works(file_map(&m, files[i], err));
        unsigned char *bytes = malloc(m.size);
        assert_non_null(bytes);
        memcpy(bytes, m.data, m.size);
        for (size_t k = 0; k < m.size; k++) {
            bytes[k] ^= 0x81;
            if (!torch_file_open(&set, scratch_file("m", bytes, m.size), NULL))
                tensors_close(&set);
            bytes[k] ^= 0x81;
        }
        free(bytes);
        file_unmap(&m);
    }
}

/* ---- zips made here ---- */

typedef struct part {
    const char *name;
    const void *bytes;
    size_t n;
} part;

/* Writes SCRATCH/m; method: 0 stored, 8 deflated. */
static const char *zip_of(const part *parts, size_t n, int method)
{
    const char *path = scratch("m");
    zipFile z = zipOpen64(path, APPEND_STATUS_CREATE);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++) {
        zip_fileinfo info = { 0 };
        assert_int_equal(
            zipOpenNewFileInZip64(z, parts[i].name, &info, NULL, 0, NULL, 0, NULL, method, method ? 9 : 0, 0), ZIP_OK);
        assert_int_equal(zipWriteInFileInZip(z, parts[i].bytes, (unsigned)parts[i].n), ZIP_OK);
        assert_int_equal(zipCloseFileInZip(z), ZIP_OK);
    }
    assert_int_equal(zipClose(z, NULL), ZIP_OK);
    return path;
}

static const float FOUR[4] = { 1, 2, 3, 4 };

/* A pickle in a zip, with a storage "0" of four floats. */
static const char *zip_of_pickle(const char *pickle, size_t n)
{
    const part parts[] = { { "a/data.pkl", pickle, n }, { "a/data/0", FOUR, sizeof FOUR } };
    return zip_of(parts, 2, 0);
}

/* Pickles in pieces: a persistent id of storage "0" with n elements; a tensor of it; a dict of one entry. n and the
 * like are opcodes. */
#define STORAGE_OF(type, n)              \
    "(X\7\0\0\0storage" type "X\1\0\0\0" \
    "0X\3\0\0\0cpu" n "tQ"
#define FLOATS STORAGE_OF("ctorch\nFloatStorage\n", "K\4")
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n("
#define TENSOR(storage, offset, size, stride) REBUILD storage offset size stride "\x89NtR"
#define DICT(entry) "\x80\2}X\1\0\0\0x" entry "s."
#define PICKLE(text) text, sizeof(text) - 1

static void a_pickle_made_by_hand_is_read(void **state)
{
    (void)state;
    tensor_set set;
    assert_works(torch_file_open(&set, zip_of_pickle(PICKLE(DICT(TENSOR(FLOATS, "K\1", "K\3\x85", "K\1\x85")))), err));
    assert_tensor(&set, "x", "F32", "[3]", (float[]){ 2, 3, 4 });
    tensors_close(&set);
    /* a storage without a type is bytes; a side of one has any stride; STACK_GLOBAL and the memo of protocol 4 */
    assert_works(torch_file_open(
        &set,
        zip_of_pickle(PICKLE(DICT(TENSOR(STORAGE_OF("\x8c\rtorch.storage\x8c\x0eUntypedStorage\x93", "K\x10"), "K\0",
                                         "K\1K\x10\x86", "J\xff\xff\xff\x7fK\1\x86") "\x94"))),
        err));
    assert_int_equal(set.items[0].type, DTYPE_U8);
    assert_memory_equal(set.items[0].data, FOUR, sizeof FOUR);
    tensors_close(&set);
}

/* A dict in a zip that is read whole; x is [1, 1, 1, 1, 1] or what is said. */
static const tensor *only_tensor(tensor_set *set, const char *pickle, size_t n)
{
    assert_works(torch_file_open(set, zip_of_pickle(pickle, n), err));
    assert_int_equal(set->n, 1);
    return &set->items[0];
}

/* torch.zeros(1).expand(5): one element under a stride of 0. */
static void an_expanded_tensor_repeats_its_element(void **state)
{
    (void)state;
    tensor_set set;
    only_tensor(&set, PICKLE(DICT(TENSOR(FLOATS, "K\2", "K\5\x85", "K\0\x85"))));
    assert_tensor(&set, "x", "F32", "[5]", (float[]){ 3, 3, 3, 3, 3 });
    tensors_close(&set);
    only_tensor(&set, PICKLE(DICT(TENSOR(FLOATS, "K\2", "K\2K\2\x86", "K\0K\1\x86"))));
    assert_tensor(&set, "x", "F32", "[2, 2]", (float[]){ 3, 4, 3, 4 });
    tensors_close(&set);
}

#define DIMENSIONS_9(one) "(" one one one one one one one one one "t"
#define IGNORED "ctorch\nSize\n(K\1tR"

/* Complex, quantised, float8, too many dimensions: listed, without elements. What else training saves is passed
 * over. */
static void what_is_no_plain_tensor_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *pickle;
        size_t n;
    } CASES[] = {
        { PICKLE(DICT(TENSOR(STORAGE_OF("ctorch\nComplexFloatStorage\n", "K\2"), "K\0", "K\2\x85", "K\1\x85"))) },
        { PICKLE(DICT("ctorch._utils\n_rebuild_qtensor\n(" STORAGE_OF(
            "ctorch\nQInt8Storage\n", "K\x10") "K\0K\4\x85K\1\x85(ctorch\nper_tensor_affine\n"
                                               "G\0\0\0\0\0\0\0\0K\0t\x89NtR")) },
        { PICKLE(DICT("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE_OF(
            "ctorch.storage\nUntypedStorage\n", "K\x10") "K\0K\4\x85K\1\x85\x89Nctorch\nfloat8_e4m3fn\ntR")) },
        { PICKLE(DICT(TENSOR(FLOATS, "K\0", DIMENSIONS_9("K\1"), DIMENSIONS_9("K\1")))) },
    };
    tensor_set set;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const tensor *t = only_tensor(&set, CASES[i].pickle, CASES[i].n);
        assert_int_equal(t->type, DTYPE_OTHER);
        assert_null(t->data);
        tensors_close(&set);
    }
    only_tensor(
        &set,
        PICKLE("\x80\2}(X\1\0\0\0x" TENSOR(
            FLOATS, "K\0", "K\4\x85",
            "K\1\x85") "X\1\0\0\0y" IGNORED
                       "X\1\0\0\0z]K\1aX\1\0\0\0acargparse\nNamespace\n)\x81}X\1\0\0\0bK\1sbX\1\0\0\0b\x8f(K\1\x90u."));
    assert_tensor(&set, "x", "F32", "[4]", FOUR);
    tensors_close(&set);
}

/* {"epoch": 3, "state_dict": {...}, "optimizer": {...}} */
static void the_state_dict_within_a_checkpoint_is_taken(void **state)
{
    (void)state;
#define INNER "}X\1\0\0\0x" TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85") "s"
    tensor_set set;
    only_tensor(&set,
                PICKLE("\x80\2}(X\5\0\0\0epochK\3X\n\0\0\0state_dict" INNER "X\t\0\0\0optimizer}K\1" INNER "su."));
    assert_tensor(&set, "x", "F32", "[4]", FOUR);
    tensors_close(&set);
    only_tensor(&set, PICKLE("\x80\2}X\5\0\0\0model}X\6\0\0\0module" INNER "ss."));
    tensors_close(&set);
}

/* ---- the container of before version 1.6 ---- */

#define LEGACY(object, keys)                                                                            \
    "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}X\r\0\0\0little_endian\x88s." object \
    "\x80\2](" keys "e."
#define COUNT(n) n "\0\0\0\0\0\0\0"
#define FOUR_FLOATS "\0\0\x80?\0\0\0@\0\0@@\0\0\x80@"
#define VIEW(n, first, seen) n "(X\1\0\0\0v" first seen "t"
#define SOUND_LEGACY LEGACY(DICT(TENSOR(FLOATS, "K\1", "K\3\x85", "K\1\x85")), "X\1\0\0\0000") COUNT("\4") FOUR_FLOATS

static void the_container_of_before_zip_is_read(void **state)
{
    (void)state;
    tensor_set set;
    assert_works(torch_file_open(&set, FILES "torch-old.bin", err));
    assert_tensor(&set, "w", "F32", "[2]", (float[]){ 1, 2 });
    assert_string_equal(set.items[0].file, FILES "torch-old.bin");
    tensors_close(&set);
    assert_works(torch_file_open(&set, scratch_file("m", PICKLE(SOUND_LEGACY)), err));
    assert_tensor(&set, "x", "F32", "[3]", (float[]){ 2, 3, 4 });
    tensors_close(&set);
    /* a view: its elements begin with the second of the storage */
    assert_works(torch_file_open(
        &set,
        scratch_file("m", PICKLE(LEGACY(DICT(TENSOR(STORAGE_OF("ctorch\nFloatStorage\n", VIEW("K\4", "K\1", "K\3")),
                                                    "K\1", "K\2\x85", "K\1\x85")),
                                        "X\1\0\0\0000") COUNT("\4") FOUR_FLOATS)),
        err));
    assert_tensor(&set, "x", "F32", "[2]", (float[]){ 3, 4 });
    tensors_close(&set);
}

static const struct {
    const char *bytes;
    size_t n;
    bert_status code;
    const char *message;
} LEGACY_LIES[] = {
    { PICKLE("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe8\3."), BERT_ERR_UNSUPPORTED,
      "m: pickle: not torch.save's protocol 1001" },
    { PICKLE("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}X\r\0\0\0little_endian\x89s."),
      BERT_ERR_UNSUPPORTED, "m: pickle: not written on a little-endian machine" },
    { PICKLE(LEGACY("cos\nsystem\n.", "")), BERT_ERR_FORMAT,
      "m: the pickle asks for `os.system`; only tensors are read" },
    { PICKLE(LEGACY("K\1.", "")), BERT_ERR_FORMAT, "m: the pickle is no dict of tensors" },
    { PICKLE(LEGACY("}.", "K\1")), BERT_ERR_FORMAT, "m: pickle: a storage's key is no text" },
    { PICKLE(LEGACY("}.", "X\1\0\0\0000") COUNT("\4")), BERT_ERR_FORMAT, "m: byte 59: storage 0 belongs to no tensor" },
    { PICKLE(LEGACY(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85")), "X\1\0\0\0000")), BERT_ERR_FORMAT,
      "m: byte 165: cut short before storage 0" },
    { PICKLE(LEGACY(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85")), "X\1\0\0\0000") COUNT("\5") FOUR_FLOATS),
      BERT_ERR_FORMAT, "m: byte 165: storage 0 of 5 elements, 4 expected and 16 bytes left" },
    { PICKLE(LEGACY(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85")), "X\1\0\0\0000") COUNT("\4") "abc"),
      BERT_ERR_FORMAT, "m: byte 165: storage 0 of 4 elements, 4 expected and 3 bytes left" },
    { PICKLE(LEGACY(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85")), "X\1\0\0\0001") COUNT("\4") FOUR_FLOATS),
      BERT_ERR_FORMAT, "m: byte 165: storage 1 belongs to no tensor" },
    { PICKLE(LEGACY(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85")), "")), BERT_ERR_FORMAT,
      "m: storage 0 is absent" },
    { PICKLE(SOUND_LEGACY "x"), BERT_ERR_FORMAT, "m: byte 189: 1 bytes behind the last storage" },
    { PICKLE(LEGACY(
          DICT(TENSOR(STORAGE_OF("ctorch\nFloatStorage\n", VIEW("K\4", "K\2", "K\3")), "K\0", "K\1\x85", "K\1\x85")),
          "")),
      BERT_ERR_FORMAT, "m: pickle: byte 150: a persistent id that is no storage" },
    { PICKLE(LEGACY(
          DICT(TENSOR(STORAGE_OF("ctorch\nFloatStorage\n", VIEW("K\4", "K\1", "K\2")), "K\1", "K\2\x85", "K\1\x85")),
          "")),
      BERT_ERR_FORMAT, "m: pickle: byte 162: a tensor reaches beyond its storage" },
};

static void a_legacy_file_that_lies_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    for (size_t i = 0; i < sizeof LEGACY_LIES / sizeof *LEGACY_LIES; i++)
        assert_fails(torch_file_open(&set, scratch_file("m", LEGACY_LIES[i].bytes, LEGACY_LIES[i].n), err),
                     LEGACY_LIES[i].code, LEGACY_LIES[i].message);
}

/* Cut short anywhere it is refused, and a changed byte does no harm. */
static void a_damaged_legacy_file_does_no_harm(void **state)
{
    (void)state;
    char bytes[] = SOUND_LEGACY;
    tensor_set set;
    size_t size = sizeof bytes - 1;
    for (size_t n = 0; n < size; n++)
        assert_int_equal(torch_file_open(&set, scratch_file("m", bytes, n), NULL), BERT_ERR_FORMAT);
    for (size_t i = 0; i < size; i++)
        for (int change = 1; change < 256; change += 23) {
            bytes[i] ^= (char)change;
            if (!torch_file_open(&set, scratch_file("m", bytes, size), NULL))
                tensors_close(&set);
            bytes[i] ^= (char)change;
        }
}

static const struct {
    const char *pickle;
    size_t n;
    bert_status code;
    const char *message;
} HOSTILE[] = {
    /* code */
    { PICKLE("\x80\2cos\nsystem\nX\2\0\0\0ls\x85R."), BERT_ERR_FORMAT,
      "m: the pickle asks for `os.system`; only tensors are read" },
    { PICKLE("\x80\4\x8c\5posix\x8c\6system\x93."), BERT_ERR_FORMAT,
      "m: the pickle asks for `posix.system`; only tensors are read" },
    { PICKLE("(X\2\0\0\0lsios\nsystem\n."), BERT_ERR_FORMAT,
      "m: the pickle asks for `os.system`; only tensors are read" },
    { PICKLE("\x80\2}(icollections\nOrderedDict\n."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 4: makes an instance of what is no class" },
    { PICKLE("\x80\2ctorch.storage\n_load_from_bytes\n."), BERT_ERR_FORMAT,
      "m: the pickle asks for `torch.storage._load_from_bytes`; only tensors are read" },
    { PICKLE("\x80\2ctorch.hub\nload\n."), BERT_ERR_FORMAT,
      "m: the pickle asks for `torch.hub.load`; only tensors are read" },
    { PICKLE("\x80\2ctorch\nFloatStorage\n)R."), BERT_ERR_FORMAT, "m: data.pkl: byte 23: calls what is no function" },
    { PICKLE("\x80\2K\1)R."), BERT_ERR_FORMAT, "m: data.pkl: byte 5: calls what is no function" },
    { PICKLE("\x80\2ccollections\nOrderedDict\nK\1R."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 29: calls what is no function" },
    { PICKLE("\x80\2ccollections\nOrderedDict\nK\1\x85R."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 30: OrderedDict with arguments" },
    { PICKLE("\x80\2ctorch._utils\n_rebuild_parameter\n)R."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 36: a parameter that is no tensor" },
    { PICKLE("\x80\2)\x81."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: calls what is no function" },
    { PICKLE("\x80\2(X\6\0\0\0moduleNNNtQ."), BERT_ERR_UNSUPPORTED,
      "m: data.pkl: holds a whole module; save what its state_dict() gives" },
    { PICKLE("0."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: takes away what is not there" },
    { PICKLE("N1."), BERT_ERR_FORMAT, "m: data.pkl: byte 1: no mark" },
    { PICKLE("\x80\2\x82\1."), BERT_ERR_UNSUPPORTED,
      "m: data.pkl: byte 2: opcode 0x82 is none that a state dict needs" },
    { PICKLE("\x80\6}."), BERT_ERR_UNSUPPORTED, "m: data.pkl: pickle protocol 6, at most 5 is read" },
    /* a machine gone wrong */
    { PICKLE(""), BERT_ERR_FORMAT, "m: data.pkl: byte 0: ends without STOP" },
    { PICKLE("\x80\2}"), BERT_ERR_FORMAT, "m: data.pkl: byte 3: ends without STOP" },
    { PICKLE("\x80"), BERT_ERR_FORMAT, "m: data.pkl: byte 0: cut short" },
    { PICKLE("X\377\377\377\377a"), BERT_ERR_FORMAT, "m: data.pkl: byte 0: cut short" },
    { PICKLE("\x8d\377\377\377\377\377\377\377\377a"), BERT_ERR_FORMAT, "m: data.pkl: byte 0: cut short" },
    { PICKLE("\x8a\t123456789."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: a number of more than 64 bits" },
    { PICKLE("cos\nsystem"), BERT_ERR_FORMAT, "m: data.pkl: byte 0: a global without a name" },
    { PICKLE("NN\x93."), BERT_ERR_FORMAT, "m: data.pkl: byte 2: a global without a name" },
    { PICKLE("."), BERT_ERR_FORMAT, "m: the pickle is no dict of tensors" },
    { PICKLE("K\1."), BERT_ERR_FORMAT, "m: the pickle is no dict of tensors" },
    { PICKLE("]."), BERT_ERR_FORMAT, "m: the pickle is no dict of tensors" },
    { PICKLE("q\0."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: nothing to remember" },
    { PICKLE("(q\0."), BERT_ERR_FORMAT, "m: data.pkl: byte 1: nothing to remember" },
    { PICKLE("}r\377\377\377\377."), BERT_ERR_FORMAT, "m: data.pkl: byte 1: a memo larger than the pickle" },
    { PICKLE("h\0."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: recalls what was never remembered" },
    { PICKLE("}q\2h\1."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: recalls what was never remembered" },
    { PICKLE("j\377\377\377\377."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: recalls what was never remembered" },
    { PICKLE("\x85."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: a tuple of more than there is" },
    { PICKLE("(N\x86."), BERT_ERR_FORMAT, "m: data.pkl: byte 2: a tuple of more than there is" },
    { PICKLE("NNt."), BERT_ERR_FORMAT, "m: data.pkl: byte 2: no mark" },
    { PICKLE("NNNs."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: sets an item of what is no dict" },
    { PICKLE("s."), BERT_ERR_FORMAT, "m: data.pkl: byte 0: sets an item of what is no dict" },
    { PICKLE("}(Ns."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: sets an item of what is no dict" },
    { PICKLE("}(Nu."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: sets items of what is no dict" },
    { PICKLE("(NNu."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: sets items of what is no dict" },
    { PICKLE("}u."), BERT_ERR_FORMAT, "m: data.pkl: byte 1: sets items of what is no dict" },
    { PICKLE("}Na."), BERT_ERR_FORMAT, "m: data.pkl: byte 2: appends to what is no list" },
    { PICKLE("}(Ne."), BERT_ERR_FORMAT, "m: data.pkl: byte 3: appends to what is no list" },
    { PICKLE("}Nb."), BERT_ERR_FORMAT, "m: data.pkl: byte 2: sets the state of what is no dict" },
    { PICKLE("NQ."), BERT_ERR_FORMAT, "m: data.pkl: byte 1: a persistent id that is no storage" },
    { PICKLE(STORAGE_OF("N", "K\4") "."), BERT_ERR_FORMAT, "m: data.pkl: byte 31: a persistent id that is no storage" },
    { PICKLE(STORAGE_OF("ccollections\nOrderedDict\n", "K\4") "."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 55: a persistent id that is no storage" },
    { PICKLE(STORAGE_OF("ctorch\nFloatStorage\n", "J\377\377\377\377") "."), BERT_ERR_FORMAT,
      "m: data.pkl: byte 53: a persistent id that is no storage" },
    /* tensors that are none */
    { PICKLE(DICT(TENSOR("N", "K\0", "K\4\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 55: a tensor's arguments are not storage, offset, size and stride" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1K\1\x86"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 107: a tensor's arguments are not storage, offset, size and stride" },
    { PICKLE(DICT(TENSOR(FLOATS, "J\377\377\377\377", "K\4\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 108: a tensor's arguments are not storage, offset, size and stride" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "N\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 104: a tensor's size or stride is no list of sizes" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "J\377\377\377\377\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 108: a tensor's size or stride is no list of sizes" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "\x8a\10\377\377\377\377\377\377\377\177K\4\x86", "K\0K\0\x86"))),
      BERT_ERR_FORMAT, "m: data.pkl: byte 117: a tensor's size or stride is no list of sizes" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "K\5\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 105: a tensor reaches beyond its storage" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\1", "K\4\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 105: a tensor reaches beyond its storage" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\0", "K\2\x85", "\x8a\10\377\377\377\377\377\377\377\177\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 113: a tensor reaches beyond its storage" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\1", "K\2\x85", "\x8a\10\377\377\377\377\377\377\377\177\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 113: a tensor reaches beyond its storage" },
    { PICKLE(DICT(TENSOR(FLOATS, "K\5", "K\0\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: data.pkl: byte 105: a tensor reaches beyond its storage" },
    /* storages that are not what they should be */
    { PICKLE(DICT(TENSOR(STORAGE_OF("ctorch\nFloatStorage\n", "K\5"), "K\0", "K\4\x85", "K\1\x85"))), BERT_ERR_FORMAT,
      "m: storage a/data/0: 16 bytes, 5 elements of F32 expected" },
    { PICKLE(DICT(TENSOR(STORAGE_OF("ctorch\nFloatStorage\n", "\x8a\10\377\377\377\377\377\377\377\177"), "K\0",
                         "K\4\x85", "K\1\x85"))),
      BERT_ERR_FORMAT, "m: storage a/data/0: 16 bytes, 9223372036854775807 elements of F32 expected" },
    { PICKLE("}X\3\0\0\0a\0b" TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85") "s."), BERT_ERR_FORMAT,
      "m: a NUL within the name a" },
    { PICKLE("}(X\1\0\0\0x" TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85") "q\0X\1\0\0\0xh\0u."), BERT_ERR_FORMAT,
      "m: tensor x stands twice" },
};

static void a_pickle_that_wants_more_than_tensors_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        assert_fails(torch_file_open(&set, zip_of_pickle(HOSTILE[i].pickle, HOSTILE[i].n), err), HOSTILE[i].code,
                     HOSTILE[i].message);
        assert_null(set.items);
    }
}

/* Every byte of a sound pickle changed in several ways, under a right CRC. */
static void a_changed_byte_of_the_pickle_does_no_harm(void **state)
{
    (void)state;
    char pickle[] = DICT(TENSOR(FLOATS, "K\1", "K\2K\1\x86", "K\2K\1\x86") "q\0"), *p = pickle;
    tensor_set set;
    for (size_t i = 0; i < sizeof pickle - 1; i++)
        for (int change = 1; change < 256; change += 23) {
            p[i] ^= (char)change;
            if (!torch_file_open(&set, zip_of_pickle(pickle, sizeof pickle - 1), NULL))
                tensors_close(&set);
            p[i] ^= (char)change;
        }
    assert_works(torch_file_open(&set, zip_of_pickle(pickle, sizeof pickle - 1), err));
    tensors_close(&set);
}

static const char SOUND[] = DICT(TENSOR(FLOATS, "K\0", "K\4\x85", "K\1\x85"));

static void a_zip_that_is_not_torchs_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    const part none[] = { { "a/b/data.pkl", "x", 1 } }, two[] = { { "a/data.pkl", "x", 1 }, { "b/data.pkl", "x", 1 } };
    const part twice[] = { { "a/data.pkl", "x", 1 }, { "a/data.pkl", "x", 1 } };
    const part no_storage[] = { { "a/data.pkl", SOUND, sizeof SOUND - 1 } };
    const part big[] = { { "a/data.pkl", SOUND, sizeof SOUND - 1 },
                         { "a/byteorder", "big", 3 },
                         { "a/data/0", FOUR, 16 } };
    const part little[] = { { "a/data.pkl", SOUND, sizeof SOUND - 1 },
                            { "a/byteorder", "little", 6 },
                            { "a/data/0", FOUR, 16 } };
    assert_fails(torch_file_open(&set, zip_of(none, 1, 0), err), BERT_ERR_FORMAT,
                 "m: a zip without NAME/data.pkl, not one that torch.save wrote");
    assert_fails(torch_file_open(&set, zip_of(two, 2, 0), err), BERT_ERR_FORMAT,
                 "m: holds two pickles, b/data.pkl and a/data.pkl");
    assert_fails(torch_file_open(&set, zip_of(twice, 2, 0), err), BERT_ERR_FORMAT, "m: entry a/data.pkl stands twice");
    assert_fails(torch_file_open(&set, zip_of(no_storage, 1, 0), err), BERT_ERR_FORMAT,
                 "m: storage a/data/0 is absent");
    assert_fails(torch_file_open(&set, zip_of(big, 3, 0), err), BERT_ERR_UNSUPPORTED,
                 "m: byte order \"big\", expected \"little\"");
    assert_works(torch_file_open(&set, zip_of(little, 3, 8), err));
    tensors_close(&set);
}

/* Reads SCRATCH/m whole, to be changed and written again; freed by the caller. */
static unsigned char *whole_file(size_t *n)
{
    file_mapping m;
    assert_works(file_map(&m, scratch("m"), err));
    unsigned char *bytes = malloc(m.size);
    assert_non_null(bytes);
    memcpy(bytes, m.data, *n = m.size);
    file_unmap(&m);
    return bytes;
}

static void put_le32(unsigned char *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static void a_zip_that_lies_is_refused(void **state)
{
    (void)state;
    enum { FLAGS = 8, METHOD = 10, PACKED = 20, SIZE = 24 }; /* offsets in an entry of the directory */
    tensor_set set;
    size_t n;
    char message[256];
    zip_of_pickle(SOUND, sizeof SOUND - 1);
    unsigned char *bytes = whole_file(&n), *data = memmem(bytes, n, FOUR, sizeof FOUR),
                  *entry = memmem(bytes, n, "PK\1\2", 4);
    assert_non_null(data);
    assert_non_null(entry);

    data[3] ^= 1;
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_FORMAT,
                 "m: entry a/data/0: CRC-32 is wrong");
    data[3] ^= 1;

    uint32_t size = sizeof SOUND - 1;
    put_le32(entry + SIZE, 0x7fffffff); /* would take 2 GB to unpack */
    snprintf(message, sizeof message, "m: entry a/data.pkl of 2147483647 bytes, packed %u, in a file of %zu", size, n);
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_FORMAT, message);
    entry[METHOD] = 8;
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_FORMAT, message);
    put_le32(entry + SIZE, size);
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_FORMAT,
                 "m: entry a/data.pkl: damaged");
    entry[METHOD] = 12;
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_UNSUPPORTED,
                 "m: entry a/data.pkl is encrypted or packed by method 12, expected plain or deflated");
    entry[METHOD] = 0;
    entry[FLAGS] |= 1;
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_UNSUPPORTED,
                 "m: entry a/data.pkl is encrypted or packed by method 0, expected plain or deflated");
    entry[FLAGS] ^= 1;

    put_le32(entry + PACKED, (uint32_t)n); /* as large as the file: the other entry must overlap it */
    put_le32(entry + SIZE, (uint32_t)n);
    assert_fails(torch_file_open(&set, scratch_file("m", bytes, n), err), BERT_ERR_FORMAT,
                 "m: damaged zip file: entries overlap");
    free(bytes);
}

/* A deflated entry whose bytes are not deflate's. */
static void a_damaged_stream_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    size_t n;
    const part parts[] = { { "a/data.pkl", SOUND, sizeof SOUND - 1 }, { "a/data/0", FOUR, sizeof FOUR } };
    zip_of(parts, 2, 8);
    unsigned char *bytes = whole_file(&n), *name = memmem(bytes, n, "a/data.pkl", 10);
    name[10] = 0x07; /* a block of the type that there is not */
    bert_err damaged = { 0 };
    assert_int_equal(torch_file_open(&set, scratch_file("m", bytes, n), &damaged), BERT_ERR_FORMAT);
    assert_non_null(strstr(damaged.message, "m: entry a/data.pkl: damaged at byte 0 of "));
    free(bytes);
}

/* One storage, seen transposed under many names: memory may not grow without end. What finds no room has no
 * elements. */
static void copies_have_a_limit(void **state)
{
    (void)state;
    static float zeros[1024 * 1024];
    static const char from[] = REBUILD STORAGE_OF("ctorch\nFloatStorage\n",
                                                  "J\0\0\x10\0") "K\0M\0\4M\0\4\x86K\1M\0\4\x86\x89NtRs";
    char pickle[4096];
    tensor_set set;
    for (int most = 8; most <= 16; most += 8) {
        size_t n = 0;
        pickle[n++] = '}';
        for (int i = 0; i < most; i++) {
            memcpy(pickle + n, "X\1\0\0\0a", 6);
            pickle[n + 5] = (char)('a' + i);
            memcpy(pickle + n + 6, from, sizeof from - 1);
            n += 6 + sizeof from - 1;
        }
        pickle[n++] = '.';
        const part parts[] = { { "a/data.pkl", pickle, n }, { "a/data/0", zeros, sizeof zeros } };
        zip_of(parts, 2, 0);
        assert_works(torch_file_open(&set, scratch("m"), err));
        assert_int_equal(set.n, most);
        size_t there = 0;
        for (size_t i = 0; i < set.n; i++)
            there += set.items[i].data != NULL;
        assert_int_equal(there, 8);
        tensors_close(&set);
    }
}

static void shards_are_one_set(void **state)
{
    (void)state;
    tensor_set set;
    zip_of_pickle(SOUND, sizeof SOUND - 1);
    assert_works(file_copy(FILES "torch.bin", scratch("torch.bin"), err));
    scratch_text("index", "{\"weight_map\":{\"x\":\"m\",\"view\":\"torch.bin\"}}");
    assert_works(torch_file_open_sharded(&set, scratch("index"), err));
    assert_int_equal(set.n, 16);
    assert_tensor(&set, "x", "F32", "[4]", FOUR);
    assert_tensor(&set, "view", "F32", "[4]", (float[]){ 4, 5, 6, 7 });
    tensors_close(&set);
}

#define IN_SCRATCH(test) in_a_folder(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_torch_saves_is_read),
        cmocka_unit_test(what_is_stored_as_it_is_read_is_not_copied),
        IN_SCRATCH(what_is_no_torch_file_is_refused),
        IN_SCRATCH(a_file_cut_short_anywhere_is_refused),
        IN_SCRATCH(a_changed_byte_anywhere_does_no_harm),
        IN_SCRATCH(a_pickle_made_by_hand_is_read),
        IN_SCRATCH(an_expanded_tensor_repeats_its_element),
        IN_SCRATCH(what_is_no_plain_tensor_is_passed_over),
        IN_SCRATCH(the_state_dict_within_a_checkpoint_is_taken),
        IN_SCRATCH(the_container_of_before_zip_is_read),
        IN_SCRATCH(a_legacy_file_that_lies_is_refused),
        IN_SCRATCH(a_damaged_legacy_file_does_no_harm),
        IN_SCRATCH(a_pickle_that_wants_more_than_tensors_is_refused),
        IN_SCRATCH(a_changed_byte_of_the_pickle_does_no_harm),
        IN_SCRATCH(a_zip_that_is_not_torchs_is_refused),
        IN_SCRATCH(a_zip_that_lies_is_refused),
        IN_SCRATCH(a_damaged_stream_is_refused),
        IN_SCRATCH(copies_have_a_limit),
        IN_SCRATCH(shards_are_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
