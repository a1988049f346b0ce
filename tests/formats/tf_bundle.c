/* TensorFlow bundles: sound ones of several blocks and data files, the shared checkpoints, and ones that lie. */
#include "formats/tf_bundle.h"

#include "base/scratch.h"
#include "formats/bundle_writer.h"
#include "base/size.h"
#include "formats/safetensors.h"
#include "formats/sstable.h"

#include <inttypes.h>

static uint32_t masked_crc(const void *bytes, size_t n)
{
    return crc32c_mask(crc32c(0, bytes, n));
}

/* Writes SCRATCH/m.index from what was added and opens the bundle. */
static bert_status open_table(table_writer *t, tensor_set *set, bool check_data, bert_err *err)
{
    table_end(t);
    scratch_file("m.index", t->file.data, t->file.size);
    table_free(t);
    return tf_bundle_open(set, scratch("m"), check_data, err);
}

/* ---- sound bundles ---- */

enum { MANY = 40 };

/* Tensors tensor_00 .. tensor_39 of i + 1 numbers, in turn in three data files, three entries to a block. Returns where
 * the data blocks end. */
static size_t write_sound(table_writer *t)
{
    buffer data[3] = { { 0 } };
    *t = (table_writer){ .per_block = 3 };
    table_add_header(t, 3, 0, 0);
    for (int i = 0; i < MANY; i++) {
        float values[MANY];
        char name[32];
        buffer *d = &data[i % 3];
        for (int k = 0; k <= i; k++)
            values[k] = (float)(100 * i + k);
        entry e = {
            .dtype = 1, .rank = 1, .shape = { i + 1 }, .shard = i % 3, .offset = (int64_t)d->size, .size = 4 * (i + 1)
        };
        e.crc = masked_crc(values, (size_t)e.size);
        buffer_add(d, values, (size_t)e.size);
        snprintf(name, sizeof name, "tensor_%02d", i);
        table_add_entry(t, name, &e);
    }
    table_flush(t);
    size_t blocks_end = t->file.size;
    table_end(t);
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "m.data-%05d-of-00003", i);
        scratch_file(name, data[i].data, data[i].size);
        buffer_free(&data[i]);
    }
    return blocks_end;
}

static void many_blocks_and_data_files_are_one_set(void **state)
{
    (void)state;
    table_writer t;
    tensor_set set;
    write_sound(&t);
    scratch_file("m.index", t.file.data, t.file.size);
    assert_works(tf_bundle_open(&set, scratch("m"), true, err));
    assert_int_equal(set.n, MANY);
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "tensor_%02d", i);
        const tensor *x = tensors_find(&set, name);
        assert_non_null(x);
        assert_int_equal(x->n, i + 1);
        for (int k = 0; k <= i; k++)
            assert_true(((const float *)x->data)[k] == (float)(100 * i + k));
    }
    assert_true(path_ends(tensors_find(&set, "tensor_01")->file, "/m.data-00001-of-00003"));
    tensors_close(&set);
    table_free(&t);
}

static void an_index_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    table_writer t;
    tensor_set set;
    write_sound(&t);
    for (size_t n = 0; n < t.file.size; n++) {
        scratch_file("m.index", t.file.data, n);
        assert_int_equal(tf_bundle_open(&set, scratch("m"), true, NULL), BERT_ERR_FORMAT);
    }
    table_free(&t);
}

/* A changed byte is found by a CRC, but for what is not used: the metaindex block behind the data blocks, and parts of
 * the footer. */
static void a_changed_byte_of_the_index_is_found(void **state)
{
    (void)state;
    enum { METAINDEX = 13 };
    table_writer t;
    tensor_set set;
    size_t blocks_end = write_sound(&t);
    for (size_t i = 0; i < t.file.size; i++) {
        t.file.data[i] ^= 0x55;
        scratch_file("m.index", t.file.data, t.file.size);
        bert_status s = tf_bundle_open(&set, scratch("m"), true, NULL);
        bool used = i < blocks_end || (i >= blocks_end + METAINDEX && i < t.file.size - 48);
        if (used)
            assert_int_equal(s, BERT_ERR_FORMAT);
        if (!s)
            tensors_close(&set);
        t.file.data[i] ^= 0x55;
    }
    table_free(&t);
}

/* The same with the CRC made right again: whatever the entries then say, nothing but an error may come of it. */
static void a_changed_byte_under_a_right_crc_does_no_harm(void **state)
{
    (void)state;
    for (int change = 1; change < 256; change += 37) {
        table_writer t = { .per_block = 100 };
        tensor_set set;
        size_t end;
        table_add_header(&t, 1, 0, 0);
        table_add_entry(&t, "a/b", &(entry){ .dtype = 1, .rank = 2, .shape = { 2, 3 }, .size = 24 });
        table_add_entry(&t, "a/c", &(entry){ .dtype = 9, .rank = 1, .shape = { 1 }, .offset = 24, .size = 8 });
        end = t.block.size + 9;
        table_end(&t);
        scratch_file("m.data-00000-of-00001", (char[32]){ 0 }, 32);
        for (size_t i = 0; i < end; i++) {
            t.file.data[i] ^= (char)change;
            uint32_t crc = masked_crc(t.file.data, end);
            memcpy(t.file.data + end, &crc, 4);
            scratch_file("m.index", t.file.data, t.file.size);
            if (!tf_bundle_open(&set, scratch("m"), false, NULL))
                tensors_close(&set);
            t.file.data[i] ^= (char)change;
        }
        table_free(&t);
    }
}

/* ---- entries that lie ---- */

static const struct {
    entry entry;
    bert_status code;
    const char *message;
} HOSTILE[] = {
    { { .dtype = 1, .rank = 1, .shape = { 2 }, .size = 4 },
      BERT_ERR_FORMAT,
      "m.index: tensor x: 4 bytes, shape [2] of F32 takes 8" },
    { { .dtype = 1, .rank = 1, .shape = { -1 }, .size = 4 },
      BERT_ERR_FORMAT,
      "m.index: tensor x: shape [-1] is no shape or too large" },
    { { .dtype = 1, .rank = 2, .shape = { (int64_t)1 << 32, (int64_t)1 << 32 } },
      BERT_ERR_FORMAT,
      "m.index: tensor x: shape [4294967296, 4294967296] is no shape or too large" },
    { { .dtype = 1, .rank = 1, .shape = { INT64_MAX }, .size = 4 },
      BERT_ERR_FORMAT,
      "m.index: tensor x: shape [9223372036854775807] is no shape or too large" },
    { { .dtype = 1, .no_rank = true, .size = 4 }, BERT_ERR_FORMAT, "m.index: tensor x has no shape" },
    { { .dtype = 1, .size = 4, .shard = 1 }, BERT_ERR_FORMAT, "m.index: tensor x is in data file 1 of 1" },
    { { .dtype = 1, .size = 4, .shard = -1 }, BERT_ERR_FORMAT, "m.index: tensor x is in data file -1 of 1" },
    { { .dtype = 1, .size = -4 }, BERT_ERR_FORMAT, "m.index: tensor x: -4 bytes at byte 0" },
    { { .dtype = 1, .size = 4, .offset = -4 }, BERT_ERR_FORMAT, "m.index: tensor x: 4 bytes at byte -4" },
    { { .dtype = 1, .size = 4, .offset = INT64_MAX },
      BERT_ERR_FORMAT,
      "m.index: tensor x: 4 bytes at byte 9223372036854775807" },
    { { .dtype = 1, .size = 4, .offset = 13 },
      BERT_ERR_FORMAT,
      "m.data-00000-of-00001: tensor x lies at bytes 13 to 17, the file has 16" },
    { { .dtype = 7, .size = 17 },
      BERT_ERR_FORMAT,
      "m.data-00000-of-00001: tensor x lies at bytes 0 to 17, the file has 16" },
    { { .dtype = 1, .size = 4, .crc = 7 },
      BERT_ERR_FORMAT,
      "m.data-00000-of-00001: tensor x at byte 0: masked CRC-32C is 0x67f4f74a, 0x00000007 is stored" },
};

static void an_entry_that_lies_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    scratch_file("m.data-00000-of-00001", "0123456789abcdef", 16);
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        table_writer t = { .per_block = 100 };
        table_add_header(&t, 1, 0, 0);
        table_add_entry(&t, "x", &HOSTILE[i].entry);
        assert_fails(open_table(&t, &set, true, err), HOSTILE[i].code, HOSTILE[i].message);
        assert_null(set.items);
    }
}

static void tensors_that_share_bytes_are_refused(void **state)
{
    (void)state;
    tensor_set set;
    table_writer t = { .per_block = 100 };
    table_add_header(&t, 1, 0, 0);
    table_add_entry(&t, "x", &(entry){ .dtype = 1, .offset = 2, .size = 4 });
    table_add_entry(&t, "y", &(entry){ .dtype = 1, .offset = 4, .size = 4 });
    assert_fails(open_table(&t, &set, false, err), BERT_ERR_FORMAT, "m.index: tensors x and y share bytes 4 to 6");
}

/* And tensors of more dimensions than any weight has. */
static void strings_are_listed(void **state)
{
    (void)state;
    tensor_set set;
    table_writer t = { .per_block = 100 };
    scratch_file("m.data-00000-of-00001", "0123456789abcdef", 16);
    table_add_header(&t, 1, 0, 0);
    table_add_entry(&t, "x", &(entry){ .dtype = 7, .rank = 1, .shape = { 2 }, .size = 9 });
    table_add_entry(&t, "y", &(entry){ .dtype = 1, .rank = 9, .offset = 9, .size = 4 });
    assert_works(open_table(&t, &set, true, err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(set.items[i].type, DTYPE_OTHER);
        assert_null(set.items[i].data);
    }
    tensors_close(&set);
}

static void every_type_of_tensorflow_has_its_size(void **state)
{
    (void)state;
    static const struct {
        int number;
        dtype type;
    } types[] = { { 1, DTYPE_F32 }, { 2, DTYPE_F64 }, { 3, DTYPE_I32 },   { 4, DTYPE_U8 },    { 5, DTYPE_I16 },
                  { 6, DTYPE_I8 },  { 9, DTYPE_I64 }, { 10, DTYPE_BOOL }, { 14, DTYPE_BF16 }, { 19, DTYPE_F16 } };
    tensor_set set;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        table_writer t = { .per_block = 100 };
        table_add_header(&t, 1, 0, 0);
        table_add_entry(&t, "x", &(entry){ .dtype = types[i].number, .size = (int64_t)dtype_size(types[i].type) });
        assert_works(open_table(&t, &set, false, err));
        assert_int_equal(set.items[0].type, types[i].type);
        tensors_close(&set);
    }
}

/* ---- headers that lie ---- */

static void a_header_that_lies_is_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t shards;
        int endianness, min_consumer;
        bert_status code;
        const char *message;
    } cases[] = {
        { 0, 0, 0, BERT_ERR_FORMAT, "m.index: 0 data files, expected 1 to 65536" },
        { -1, 0, 0, BERT_ERR_FORMAT, "m.index: -1 data files, expected 1 to 65536" },
        { INT32_MAX, 0, 0, BERT_ERR_FORMAT, "m.index: 2147483647 data files, expected 1 to 65536" },
        { 1, 1, 0, BERT_ERR_UNSUPPORTED, "m.index: written on a big-endian machine" },
        { 1, 0, 2, BERT_ERR_UNSUPPORTED, "m.index: format version 2, this version reads 1" },
    };
    tensor_set set;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        table_writer t = { .per_block = 100 };
        table_add_header(&t, cases[i].shards, cases[i].endianness, cases[i].min_consumer);
        assert_fails(open_table(&t, &set, true, err), cases[i].code, cases[i].message);
    }
    table_writer empty = { 0 }, none = { .per_block = 100 }, damaged = { .per_block = 100 },
                 entries = { .per_block = 100 };
    assert_fails(open_table(&empty, &set, true, err), BERT_ERR_FORMAT, "m.index: has no header");
    table_add_entry(&none, "x", &(entry){ .dtype = 1, .size = 4 });
    assert_fails(open_table(&none, &set, true, err), BERT_ERR_FORMAT, "m.index: has no header");
    table_add(&damaged, "", 0, "\xff", 1);
    assert_fails(open_table(&damaged, &set, true, err), BERT_ERR_FORMAT, "m.index: the header is damaged");
    table_add_header(&entries, 1, 0, 0);
    table_add(&entries, "x", 1, "\xff", 1);
    assert_fails(open_table(&entries, &set, true, err), BERT_ERR_FORMAT, "m.index: the entry of tensor x is damaged");
}

/* ---- tables that lie ---- */

static void a_block_that_lies_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    char long_key[SSTABLE_MAX_KEY + 1], message[256];
    memset(long_key, 'k', sizeof long_key);

    table_writer packed = { .per_block = 100, .compression = 1 };
    table_add_header(&packed, 1, 0, 0);
    assert_fails(open_table(&packed, &set, true, err), BERT_ERR_UNSUPPORTED,
                 "m.index: block at byte 0 is compressed (Snappy), only plain blocks are read");

    table_writer descending = { .per_block = 100 };
    table_add_header(&descending, 1, 0, 0);
    table_add_entry(&descending, "b", &(entry){ .dtype = 1, .size = 4 });
    table_add_entry(&descending, "a", &(entry){ .dtype = 1, .offset = 4, .size = 4 });
    assert_fails(open_table(&descending, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 0: keys do not ascend");

    table_writer twice = { .per_block = 2 };
    table_add_header(&twice, 1, 0, 0);
    table_add_entry(&twice, "a", &(entry){ .dtype = 1, .size = 4 });
    size_t second = twice.block.size + 13;
    table_add_entry(&twice, "a", &(entry){ .dtype = 1, .offset = 4, .size = 4 });
    snprintf(message, sizeof message, "m.index: block at byte %zu: keys do not ascend", second);
    assert_fails(open_table(&twice, &set, false, err), BERT_ERR_FORMAT, message);

    table_writer nul = { .per_block = 100 };
    table_add_header(&nul, 1, 0, 0);
    table_add(&nul, "a\0b", 3, "", 0);
    assert_fails(open_table(&nul, &set, false, err), BERT_ERR_FORMAT, "m.index: a NUL within the name a");

    table_writer wide = { .per_block = 100 };
    table_add_header(&wide, 1, 0, 0);
    table_add(&wide, long_key, sizeof long_key, "", 0);
    assert_fails(open_table(&wide, &set, false, err), BERT_ERR_UNSUPPORTED,
                 /* that of the index block */
                 "m.index: block at byte 1068: a key of 1025 bytes, at most 1024 are read");

    table_writer varint = { .per_block = 100, .in_block = 1 };
    buffer_add(&varint.block, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
    assert_fails(open_table(&varint, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 0: an entry's sizes are no numbers");

    table_writer huge = { .per_block = 100, .in_block = 1 };
    put_varint(&huge.block, 0);
    put_varint(&huge.block, UINT64_MAX);
    put_varint(&huge.block, 1);
    assert_fails(open_table(&huge, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 0: an entry is larger than the block");

    table_writer shared = { .per_block = 100, .in_block = 1 };
    buffer_add(&shared.block, "\5\0\0", 3);
    assert_fails(open_table(&shared, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 0: an entry is larger than the block");
}

/* The index of the blocks names one that is not there, or one twice. */
static void a_block_in_the_wrong_place_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    table_writer beyond = { .per_block = 100 };
    put_table_entry(&beyond.index, 0, "a", 1, "\x80\x80\x80\x80\x10\x01", 6);
    assert_fails(open_table(&beyond, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block of 1 bytes at byte 4294967296, the file has 84");

    table_writer again = { .per_block = 100 };
    table_add_header(&again, 1, 0, 0);
    table_flush(&again);
    buffer handle = { 0 };
    put_varint(&handle, 0);
    put_varint(&handle, again.file.size - 5);
    put_table_entry(&again.index, 0, "z", 1, handle.data, handle.size);
    buffer_free(&handle);
    assert_fails(open_table(&again, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 0: overlaps the block before");

    table_writer number = { .per_block = 100 };
    put_table_entry(&number.index, 0, "a", 1, "\x80", 1);
    assert_fails(open_table(&number, &set, false, err), BERT_ERR_FORMAT,
                 "m.index: block at byte 13: a block's place is no number");
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    tensor_set set;
    char message[256];
    assert_fails(tf_bundle_open(&set, scratch("none"), true, err), BERT_ERR_IO,
                 "none.index: cannot open: No such file or directory");
    scratch_text("m.index", "short");
    assert_fails(tf_bundle_open(&set, scratch("m"), true, err), BERT_ERR_FORMAT,
                 "m.index: 5 bytes, a checkpoint index has at least 48");
    scratch_text("m.index", "a text that is longer than the footer of a table, which has 48 bytes");
    assert_fails(tf_bundle_open(&set, scratch("m"), true, err), BERT_ERR_FORMAT,
                 "m.index: does not end as a checkpoint index does: damaged, cut short or something else");
    table_writer t = { .per_block = 100 };
    table_add_header(&t, 1, 0, 0);
    size_t size = t.block.size + 9; /* with the restarts and the byte for its compression */
    table_end(&t);
    uint32_t stored = load_le32(t.file.data + size);
    t.file.data[4] ^= 1;
    snprintf(message, sizeof message,
             "m.index: block at byte 0: masked CRC-32C is 0x%08" PRIx32 ", 0x%08" PRIx32 " is stored",
             masked_crc(t.file.data, size), stored);
    scratch_file("m.index", t.file.data, t.file.size);
    assert_fails(tf_bundle_open(&set, scratch("m"), true, err), BERT_ERR_FORMAT, message);
    table_free(&t);
}

static void absent_data_is_an_error_but_for_inspection(void **state)
{
    (void)state;
    tensor_set set;
    table_writer t = { .per_block = 100 };
    table_add_header(&t, 1, 0, 0);
    table_add_entry(&t, "x", &(entry){ .dtype = 1, .size = 4 });
    assert_fails(open_table(&t, &set, true, err), BERT_ERR_IO,
                 "m.data-00000-of-00001: cannot open: No such file or directory");
    assert_works(tf_bundle_open(&set, scratch("m"), false, err));
    assert_int_equal(set.n, 1);
    assert_null(set.items[0].data);
    tensors_close(&set);
}

/* ---- the shared checkpoints ---- */

static void googles_checkpoint_is_read(void **state)
{
    (void)state;
    tensor_set set;
    char text[TENSOR_SHAPE_TEXT];
    const char *index = shared("data/checkpoints/tf-toy/bert_model.ckpt.index");
    char prefix[512];
    snprintf(prefix, sizeof prefix, "%.*s", (int)(strlen(index) - 6), index);
    assert_works(tf_bundle_open(&set, prefix, true, err));
    assert_int_equal(set.n, 139);
    assert_string_equal(tensor_shape_text(tensors_find(&set, "bert/embeddings/LayerNorm/beta/adam_m"), text), "[4]");
    assert_int_equal(tensors_find(&set, "global_step")->type, DTYPE_I64);
    tensors_close(&set);
}

static void an_index_alone_can_be_inspected(void **state)
{
    (void)state;
    tensor_set set;
    char text[TENSOR_SHAPE_TEXT];
    arena a = { 0 };
    char *prefix;
    assert_works(tf_bundle_prefix(&a, shared("data/checkpoints/tf-index-L8-H512"), &prefix, err));
    assert_works(tf_bundle_open(&set, prefix, false, err));
    assert_int_equal(set.n, 142);
    assert_string_equal(tensor_shape_text(tensors_find(&set, "bert/embeddings/word_embeddings"), text), "[30522, 512]");
    tensors_close(&set);
    arena_free(&a);
}

/* TensorFlow's name of a Hugging Face tensor; *transposed where its matrix is stored the other way round. */
static void google_name(const char *name, char out[256], bool *transposed)
{
    static const char *const ends[][2] = {
        { "LayerNorm/weight", "LayerNorm/gamma" },
        { "LayerNorm/bias", "LayerNorm/beta" },
        { "embeddings/weight", "embeddings" },
        { "/weight", "/kernel" },
    };
    char *layer;
    snprintf(out, 256, "bert/%s", name);
    for (char *p = out; *p; p++)
        *p = *p == '.' ? '/' : *p;
    if ((layer = strstr(out, "layer/")))
        layer[5] = '_';
    *transposed = false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (path_ends(out, ends[i][0])) {
            strcpy(out + strlen(out) - strlen(ends[i][0]), ends[i][1]);
            *transposed = i == 3;
            return;
        }
}

/* The same random weights in both formats: every value is equal. */
static void the_bundle_holds_what_the_safetensors_file_holds(void **state)
{
    (void)state;
    tensor_set tf, hf;
    arena a = { 0 };
    char *prefix, name[256];
    assert_works(tf_bundle_prefix(&a, shared("golden/rand-toy/tf"), &prefix, err));
    assert_works(tf_bundle_open(&tf, prefix, true, err));
    assert_works(safetensors_open(&hf, shared("golden/rand-toy/hf/model.safetensors"), NULL, err));
    assert_int_equal(tf.n, hf.n);
    for (size_t i = 0; i < hf.n; i++) {
        bool transposed;
        const tensor *y = &hf.items[i];
        google_name(y->name, name, &transposed);
        const tensor *x = tensors_find(&tf, name);
        assert_non_null(x);
        assert_int_equal(x->n, y->n);
        float *from = arena_array(&a, x->n, sizeof *from), *to = arena_array(&a, y->n, sizeof *to);
        assert_works(tensor_to_f32(x, from, err));
        assert_works(tensor_to_f32(y, to, err));
        size_t cols = transposed ? (size_t)y->shape[1] : 1;
        for (size_t k = 0; k < y->n; k++)
            assert_true(to[k] == from[transposed ? k % cols * (y->n / cols) + k / cols : k]);
    }
    tensors_close(&tf);
    tensors_close(&hf);
    arena_free(&a);
}

/* ---- which checkpoint a folder holds ---- */

static void the_state_file_names_the_checkpoint(void **state)
{
    (void)state;
    static const struct {
        const char *text, *prefix; /* within the scratch folder */
    } cases[] = {
        { "model_checkpoint_path: \"a\"\nall_model_checkpoint_paths: \"b\"\n", "a" },
        { "all_model_checkpoint_paths: \"a\"\n  model_checkpoint_path:   \"b\"", "b" },
        { "model_checkpoint_path: \"/another/machine/b\"\n", "b" },
        { "model_checkpoint_path: \"q\\\"\\\\\"\n", "q\"\\" },
        { "model_checkpoint_path: \"\\303\\251\"\n", "\xc3\xa9" },
    };
    arena a = { 0 };
    char *prefix;
    scratch_text("a.index", "");
    scratch_text("b.index", "");
    scratch_text("q\"\\.index", "");
    scratch_text("\xc3\xa9.index", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_text("checkpoint", cases[i].text);
        assert_works(tf_bundle_prefix(&a, scratch_folder, &prefix, err));
        assert_string_equal(prefix, scratch(cases[i].prefix));
    }
    char absolute[256];
    snprintf(absolute, sizeof absolute, "model_checkpoint_path: \"%s\"\n", scratch("a"));
    scratch_text("checkpoint", absolute);
    assert_works(tf_bundle_prefix(&a, scratch_folder, &prefix, err));
    assert_string_equal(prefix, scratch("a"));
    arena_free(&a);
}

static void a_state_file_that_names_nothing_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path: \"\"\n", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path: \"a\nb\"", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path: \"a\\", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path: a\n", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path", "checkpoint: names no model_checkpoint_path" },
        { "model_checkpoint_path: \"x/gone\"\n", "checkpoint: names the checkpoint x/gone, there is no gone.index" },
    };
    arena a = { 0 };
    char *prefix;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_text("checkpoint", cases[i].text);
        assert_fails(tf_bundle_prefix(&a, scratch_folder, &prefix, err), BERT_ERR_FORMAT, cases[i].message);
    }
    arena_free(&a);
}

static void the_only_index_of_a_folder_is_its_checkpoint(void **state)
{
    (void)state;
    arena a = { 0 };
    char *prefix;
    bert_err found = { 0 };
    assert_int_equal(tf_bundle_prefix(&a, scratch_folder, &prefix, &found), BERT_ERR_FORMAT);
    assert_true(path_ends(found.message, ": holds no TensorFlow checkpoint (NAME.index)"));
    scratch_text("model.ckpt-10.index", "");
    scratch_text("model.safetensors.index.json", "");
    assert_works(tf_bundle_prefix(&a, scratch_folder, &prefix, err));
    assert_string_equal(prefix, scratch("model.ckpt-10"));
    scratch_text("b.index", "");
    assert_int_equal(tf_bundle_prefix(&a, scratch_folder, &prefix, &found), BERT_ERR_FORMAT);
    assert_non_null(strstr(found.message, ": holds 2 checkpoints ("));
    assert_true(path_ends(found.message, ") and no `checkpoint` file that names one"));
    assert_fails(tf_bundle_prefix(&a, scratch("none"), &prefix, err), BERT_ERR_IO,
                 "none: cannot open the folder: No such file or directory");
    arena_free(&a);
}

#define IN_SCRATCH(test) in_a_folder(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(many_blocks_and_data_files_are_one_set),
        IN_SCRATCH(an_index_cut_short_anywhere_is_refused),
        IN_SCRATCH(a_changed_byte_of_the_index_is_found),
        IN_SCRATCH(a_changed_byte_under_a_right_crc_does_no_harm),
        IN_SCRATCH(an_entry_that_lies_is_refused),
        IN_SCRATCH(tensors_that_share_bytes_are_refused),
        IN_SCRATCH(strings_are_listed),
        IN_SCRATCH(every_type_of_tensorflow_has_its_size),
        IN_SCRATCH(a_header_that_lies_is_refused),
        IN_SCRATCH(a_block_that_lies_is_refused),
        IN_SCRATCH(a_block_in_the_wrong_place_is_refused),
        IN_SCRATCH(what_is_no_table_is_refused),
        IN_SCRATCH(absent_data_is_an_error_but_for_inspection),
        cmocka_unit_test(googles_checkpoint_is_read),
        cmocka_unit_test(an_index_alone_can_be_inspected),
        cmocka_unit_test(the_bundle_holds_what_the_safetensors_file_holds),
        IN_SCRATCH(the_state_file_names_the_checkpoint),
        IN_SCRATCH(a_state_file_that_names_nothing_is_refused),
        IN_SCRATCH(the_only_index_of_a_folder_is_its_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
