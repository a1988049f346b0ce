/* The table of what is no checkpoint for libbert. */
#include "formats/foreign.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SAVE_WITH_TORCH(how) "load it with transformers 4 (from_pretrained(..., " how ")) and save_pretrained it"
#define SAVE_FROM_TF SAVE_WITH_TORCH("from_tf=True")
#define UNPACK "unpack it and import the folder"
#define IMPORT_ORIGIN "import the folder that it was made from"
#define ADAPTERS "adapters (PEFT) for another model's weights"
#define MERGE "merge them (merge_and_unload) and save_pretrained the whole model"
#define OBJECTS "an object checkpoint of TensorFlow 2"
#define SAVE_WITH_NAMES \
    "its names are those of Python objects; save the model as a Hugging Face folder or under TensorFlow 1's names"
#define WEB_PAGE "a web page in place of the file"

static const struct {
    const char *begins; /* the file, blanks before it and the case of letters aside */
    const char *ends;   /* the file: eight bytes */
    const char *name;   /* the end of the file's name */
    const char *tensor; /* a part of a tensor's name */
    const char *what, *todo;
} FOREIGN[] = {
    { .begins = "version https://git-lfs.github.com/spec/",
      .what = "a Git LFS pointer in place of the file",
      .todo = "fetch the file: git lfs pull" },
    { .begins = "<!doctype html", .what = WEB_PAGE, .todo = "download the file itself" },
    { .begins = "<html", .what = WEB_PAGE, .todo = "download the file itself" },
    { .begins = "{\"error\"",
      .what = "a server's error message in place of the file",
      .todo = "read it and download again" },
    { .name = ".weights.h5",
      .what = "weights of Keras 3, as KerasHub saves them",
      .todo = "transformers does not read them and KerasHub exports no BERT: import the checkpoint that they were "
              "converted from, or write them under transformers' names" },
    { .begins = "\x89HDF\r\n\x1a\n", .name = ".h5", .what = "Keras weights (HDF5)", .todo = SAVE_FROM_TF },
    { .name = ".keras",
      .what = "a Keras model",
      .todo = "save a checkpoint that libbert reads with the program that made it" },
    { .name = ".msgpack", .what = "Flax weights", .todo = SAVE_WITH_TORCH("from_flax=True") },
    { .begins = "GGUF", .name = ".gguf", .what = "a model of llama.cpp (GGUF)", .todo = IMPORT_ORIGIN },
    { .name = ".onnx", .what = "an ONNX model", .todo = IMPORT_ORIGIN },
    { .name = "openvino_model.bin", .what = "an OpenVINO model", .todo = IMPORT_ORIGIN },
    { .name = "openvino_model.xml", .what = "an OpenVINO model", .todo = IMPORT_ORIGIN },
    { .name = ".tflite", .what = "a TensorFlow Lite model", .todo = "import the checkpoint that it was made from" },
    { .name = ".ot", .what = "weights for rust-bert", .todo = "import the folder that they were made from" },
    { .name = "adapter_model.safetensors", .tensor = ".lora_A.", .what = ADAPTERS, .todo = MERGE },
    { .name = "adapter_model.bin", .what = ADAPTERS, .todo = MERGE },
    { .ends = "\x57\xfb\x80\x8b\x24\x75\x47\xdb",
      .what = "a TensorFlow checkpoint of the first version (one file)",
      .todo = "save it again with tf.compat.v1.train.Saver, whose default is the second" },
    { .begins = "\x1f\x8b", .name = ".tar.gz", .what = "a packed archive", .todo = UNPACK },
    { .begins = "BZh", .name = ".bz2", .what = "a packed archive", .todo = UNPACK },
    { .begins = "\3757zXZ", .name = ".xz", .what = "a packed archive", .todo = UNPACK },
    { .name = ".zip", .what = "a packed archive", .todo = UNPACK },
    { .tensor = "_CHECKPOINTABLE_OBJECT_GRAPH", .what = OBJECTS, .todo = SAVE_WITH_NAMES },
    { .tensor = "/.ATTRIBUTES/VARIABLE_VALUE", .what = OBJECTS, .todo = SAVE_WITH_NAMES },
    { .tensor = "/layer_._0/",
      .what = "weights under TensorFlow's names, as transformers' TFBertModel saves them",
      .todo = SAVE_FROM_TF },
    { .tensor = ".query.kernel",
      .what = "weights under Flax's names, as transformers' FlaxBertModel saves them",
      .todo = SAVE_WITH_TORCH("from_flax=True") },
    { .tensor = "Wqkv",
      .what = "a model whose query, key and value are one tensor",
      .todo = "libbert reads the three tensors of BERT" },
    { .tensor = "deberta.", .what = "a DeBERTa", .todo = "libbert has no such family" },
};
enum { N_FOREIGN = sizeof FOREIGN / sizeof *FOREIGN, ENDS = 8 };

static bert_status foreign_refuse(int row, const char *path, bert_err *err)
{
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: is %s; %s", path, FOREIGN[row].what, FOREIGN[row].todo);
}

static bool bytes_begin(const unsigned char *bytes, size_t n, const char *with)
{
    size_t size = strlen(with);
    while (n && (*bytes == ' ' || (*bytes >= '\t' && *bytes <= '\r')))
        bytes++, n--;
    return n >= size && !strncasecmp((const char *)bytes, with, size);
}

static bool bytes_are(int row, const unsigned char *bytes, size_t n)
{
    return (FOREIGN[row].begins && bytes_begin(bytes, n, FOREIGN[row].begins)) ||
           (FOREIGN[row].ends && n >= ENDS && !memcmp(bytes + n - ENDS, FOREIGN[row].ends, ENDS));
}

/* The first row of a file of that name (NULL: it does not count) and these bytes; N_FOREIGN: none. */
static int row_of(const char *name, const unsigned char *bytes, size_t n)
{
    int i = 0;
    while (i < N_FOREIGN && !bytes_are(i, bytes, n) && !(name && FOREIGN[i].name && path_ends(name, FOREIGN[i].name)))
        i++;
    return i;
}

/* name NULL: it does not count */
static bert_status foreign_check(const char *name, const unsigned char *bytes, size_t n, const char *path,
                                 bert_err *err)
{
    int row = row_of(name, bytes, n);
    if (!n)
        return fail(err, BERT_ERR_FORMAT, "%s: is empty", path);
    return row == N_FOREIGN ? BERT_OK : foreign_refuse(row, path, err);
}

bert_status foreign_check_bytes(const unsigned char *bytes, size_t n, const char *path, bert_err *err)
{
    return foreign_check(NULL, bytes, n, path, err);
}

bert_status foreign_check_file(const char *path, bert_err *err)
{
    file_mapping file;
    if (file_map(&file, path, NULL))
        return BERT_OK;
    bert_status s = foreign_check(path, file.data, file.size, path, err);
    file_unmap(&file);
    return s;
}

/* N_FOREIGN: none, or it cannot be read. */
static int row_of_file(const char *path)
{
    file_mapping file;
    if (file_map(&file, path, NULL))
        return N_FOREIGN;
    int row = row_of(path, file.data, file.size);
    file_unmap(&file);
    return row;
}

bert_status foreign_check_folder(const char *folder, bert_err *err)
{
    arena a = { 0 };
    folder_names list;
    const char *name = "";
    int row = N_FOREIGN;
    bert_status s = folder_list(&list, &a, folder, err);
    for (size_t i = 0; !s && i < list.n; i++) {
        char *path = path_join(&a, folder, list.names[i]);
        int found = path ? row_of_file(path) : N_FOREIGN;
        if (!path)
            s = fail_memory(err, folder);
        if (found < row) {
            row = found;
            name = list.names[i];
        }
    }
    if (!s && row != N_FOREIGN)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: its %s is %s; %s", folder, name, FOREIGN[row].what, FOREIGN[row].todo);
    arena_free(&a);
    return s;
}

bert_status foreign_check_tensors(const tensor_set *set, const char *path, bert_err *err)
{
    for (int i = 0; i < N_FOREIGN; i++)
        for (size_t k = 0; FOREIGN[i].tensor && k < set->n; k++)
            if (strstr(set->items[k].name, FOREIGN[i].tensor))
                return foreign_refuse(i, path, err);
    return BERT_OK;
}
