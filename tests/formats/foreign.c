/* What is no checkpoint for libbert is known by the names of its tensors, by names and bytes of files; what the command
 * says is in tests/cli/foreign.sh. */
#include "formats/foreign.h"

#include "base/scratch.h"
#include "formats/bundle_writer.h"
#include "formats/tf_bundle.h"

static void assert_named(bert_status status, const bert_err *err, const char *words)
{
    assert_int_equal(status, BERT_ERR_UNSUPPORTED);
    if (!strstr(err->message, words))
        fail_msg("\"%s\" lacks \"%s\"", err->message, words);
}

static void tensors_of_others_are_known_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message; /* NULL: not known */
    } CASES[] = {
        { "base_model.model.encoder.layer.0.query.lora_A.weight", "f: is adapters (PEFT)" },
        { "_CHECKPOINTABLE_OBJECT_GRAPH", "f: is an object checkpoint of TensorFlow 2" },
        { "model/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE", "f: is an object checkpoint of TensorFlow 2" },
        { "tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0",
          "f: is weights under TensorFlow's names" },
        { "bert/encoder/layer_._0/attention/self/query/kernel:0", "f: is weights under TensorFlow's names" },
        { "encoder.layer.0.attention.self.query.kernel", "f: is weights under Flax's names" },
        { "bert.encoder.layer.11.attention.self.query.kernel", "f: is weights under Flax's names" },
        { "encoder.layers.0.mixer.Wqkv.weight", "f: is a model whose query, key and value are one tensor" },
        { "deberta.embeddings.word_embeddings.weight", "f: is a DeBERTa" },
        { "bert.embeddings.word_embeddings.weight", NULL },
        { "bert/encoder/layer_0/attention/self/query/kernel", NULL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        tensor t = { .name = CASES[i].name, .file = "f" };
        bert_err found = { 0 };
        bert_status s = foreign_check_tensors(&(tensor_set){ .items = &t, .n = 1 }, "f", &found);
        if (CASES[i].message)
            assert_named(s, &found, CASES[i].message);
        else
            assert_int_equal(s, BERT_OK);
    }
}

/* What tf.train.Checkpoint writes: a bundle like those of TensorFlow 1, with the graph of objects as a string. */
static void an_object_checkpoint_is_a_bundle_that_is_known_by_its_keys(void **state)
{
    (void)state;
    static const char DATA[12] = { 0 };
    table_writer t = { .per_block = 2 };
    tensor_set set;
    bert_err found;
    enum { DT_FLOAT = 1, DT_STRING = 7 };
    table_add_header(&t, 1, 0, 0);
    table_add_entry(&t, "_CHECKPOINTABLE_OBJECT_GRAPH",
                    &(entry){ .dtype = DT_STRING, .offset = 4, .size = 8, .crc = crc32c_mask(crc32c(0, DATA, 8)) });
    table_add_entry(
        &t, "encoder/layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE",
        &(entry){ .dtype = DT_FLOAT, .rank = 1, .shape = { 1 }, .size = 4, .crc = crc32c_mask(crc32c(0, DATA, 4)) });
    table_end(&t);
    scratch_file("ckpt-1.index", t.file.data, t.file.size);
    scratch_file("ckpt-1.data-00000-of-00001", DATA, sizeof DATA);
    table_free(&t);
    assert_works(tf_bundle_open(&set, scratch("ckpt-1"), true, err));
    assert_named(foreign_check_tensors(&set, "ckpt-1", &found), &found,
                 "ckpt-1: is an object checkpoint of TensorFlow 2");
    tensors_close(&set);
}

/* The file of a folder that the message names is the first of the table, whatever the order in which the folder lists
 * them. */
static void a_folder_is_known_by_names_and_bytes_of_its_files(void **state)
{
    (void)state;
    bert_err found;
    static const char V1[] = "\0\0\0\0\x57\xfb\x80\x8b\x24\x75\x47\xdb";
    assert_works(foreign_check_folder(scratch("."), err));
    assert_works(folder_create(scratch("inner.h5"), err)); /* a folder is no file of weights */
    scratch_text("vocab.txt", "[PAD]\n");
    scratch_text("empty", "");
    assert_works(foreign_check_folder(scratch("."), err));
    scratch_file("bert_model.ckpt", V1, sizeof V1 - 1);
    assert_named(foreign_check_folder(scratch("."), &found), &found,
                 "its bert_model.ckpt is a TensorFlow checkpoint of the first");
    scratch_text("weights.hdf5", "\x89HDF\r\n\x1a\n...");
    assert_named(foreign_check_folder(scratch("."), &found), &found, "its weights.hdf5 is Keras weights (HDF5)");
    scratch_text("model.weights.h5", "\x89HDF\r\n\x1a\n...");
    assert_named(foreign_check_folder(scratch("."), &found), &found, "its model.weights.h5 is weights of Keras 3");
    assert_named(foreign_check_file(scratch("model.weights.h5"), &found), &found,
                 "model.weights.h5: is weights of Keras 3");
    scratch_text("tf_model.h5", "version https://git-lfs.github.com/spec/v1\n");
    assert_named(foreign_check_folder(scratch("."), &found), &found, "its tf_model.h5 is a Git LFS pointer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_of_others_are_known_by_their_names),
        in_a_folder(an_object_checkpoint_is_a_bundle_that_is_known_by_its_keys),
        in_a_folder(a_folder_is_known_by_names_and_bytes_of_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
