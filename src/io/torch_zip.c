/* pytorch_model.bin: the zip around the pickle, and tensors made of its storages. */
#include "io/torch_zip.h"

#include "base/size.h"
#include "io/shards.h"
#include "io/torch_pickle.h"
#include "io/zip_file.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_COPIES = 8 }; /* of all the file's bytes, in tensors that do not lie as they are read: far more than any model has */

/* The file under way. */
typedef struct reader {
    const char *path;
    zip_file zip;
    torch_state state;
    const char *folder; /* NAME of NAME/data.pkl */
    size_t copied;      /* bytes */
} reader;

/* The state of a file that is no zip. */
static bert_status no_zip(const char *path, const file_mapping *file, bert_err *err)
{
    if (file->size >= 2 && file->data[0] == 0x80)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: a pickle without a zip around it, as torch.save wrote before version 1.6; save it again",
                    path);
    return fail(err, BERT_ERR_FORMAT, "%s: is no PyTorch file: it does not begin as a zip does", path);
}

/* NAME of the only entry NAME/data.pkl. */
static bert_status find_folder(reader *r, arena *a, bert_err *err)
{
    static const char suffix[] = "/data.pkl";
    for (size_t i = 0; i < r->zip.n; i++) {
        const char *name = r->zip.entries[i].name, *slash = strchr(name, '/');
        if (!slash || strcmp(slash, suffix))
            continue;
        if (r->folder)
            return fail(err, BERT_ERR_FORMAT, "%s: holds two pickles, %s and %s/data.pkl", r->path, name, r->folder);
        if (!(r->folder = arena_copy(a, name, (size_t)(slash - name))))
            return fail_memory(err, r->path);
    }
    return r->folder ? BERT_OK : fail(err, BERT_ERR_FORMAT, "%s: a zip without NAME/data.pkl, not one that torch.save wrote", r->path);
}

/* The entry NAME/inner; *bytes is NULL where there is none. */
static bert_status inner_bytes(reader *r, arena *a, const char *inner, const unsigned char **bytes, size_t *size, bert_err *err)
{
    char *name = arena_printf(a, "%s/%s", r->folder, inner);
    return name ? zip_bytes(&r->zip, name, bytes, size, err) : fail_memory(err, r->path);
}

static bert_status check_byte_order(reader *r, arena *a, bert_err *err)
{
    const unsigned char *bytes;
    size_t size;
    bert_status s = inner_bytes(r, a, "byteorder", &bytes, &size, err);
    if (!s && bytes && (size != 6 || memcmp(bytes, "little", 6)))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: byte order \"%.*s\", expected \"little\"", r->path, size < 16 ? (int)size : 16, bytes);
    return s;
}

/* Row-major without gaps? Sides of one element may have any stride. */
static bool is_contiguous(const torch_tensor *t)
{
    int64_t expected = 1;
    for (int i = t->shape.rank - 1; i >= 0 && t->shape.n; i--) {
        if (t->shape.shape[i] != 1 && t->stride[i] != expected)
            return false;
        expected *= t->shape.shape[i];
    }
    return true;
}

/* Copies the elements in row-major order. */
static void gather(unsigned char *out, const unsigned char *storage, const torch_tensor *t, size_t size)
{
    int64_t at[TENSOR_MAX_RANK] = { 0 };
    size_t element = (size_t)t->offset; /* unsigned: the stride of a side of one may be anything, what it adds it takes away */
    for (size_t n = 0; n < t->shape.n; n++, out += size) {
        memcpy(out, storage + element * size, size);
        for (int i = t->shape.rank - 1; i >= 0; i--) { /* the next index, as an odometer counts */
            element += (size_t)t->stride[i];
            if (++at[i] < t->shape.shape[i])
                break;
            element -= (size_t)at[i] * (size_t)t->stride[i];
            at[i] = 0;
        }
    }
}

static bert_status copy_elements(reader *r, arena *a, torch_tensor *t, const unsigned char *storage, bert_err *err)
{
    size_t size = dtype_size(t->shape.type), bytes = t->shape.n * size;
    if (bytes > r->zip.total_size || r->copied + bytes > MOST_COPIES * r->zip.total_size)
        return fail(err, BERT_ERR_FORMAT, "%s: tensors that are no plain arrays take more than %d times the file", r->path, MOST_COPIES);
    unsigned char *copy = arena_alloc_raw(a, bytes);
    if (!copy)
        return fail_memory(err, r->path);
    gather(copy, storage, t, size);
    r->copied += bytes;
    t->shape.data = copy;
    return BERT_OK;
}

/* Finds a tensor's elements. */
static bert_status find_data(reader *r, arena *a, torch_tensor *t, bert_err *err)
{
    const unsigned char *bytes;
    size_t size, expected, element = dtype_size(t->shape.type);
    char *inner = arena_printf(a, "data/%s", t->storage);
    bert_status s = inner ? inner_bytes(r, a, inner, &bytes, &size, err) : fail_memory(err, r->path);
    if (s)
        return s;
    if (!bytes)
        return fail(err, BERT_ERR_FORMAT, "%s: storage %s/%s is absent", r->path, r->folder, inner);
    if (!mul_size((size_t)t->storage_n, element, &expected) || size != expected)
        return fail(err, BERT_ERR_FORMAT, "%s: storage %s/%s: %zu bytes, %" PRId64 " elements of %s expected", r->path, r->folder, inner, size,
                    t->storage_n, dtype_name(t->shape.type));
    if (!is_contiguous(t))
        return copy_elements(r, a, t, bytes, err);
    t->shape.data = bytes + (size_t)t->offset * element;
    return BERT_OK;
}

static bert_status read_tensors(tensor_set *set, reader *r, bert_err *err)
{
    const unsigned char *pickle;
    size_t size;
    bert_status s = inner_bytes(r, &set->memory, "data.pkl", &pickle, &size, err);
    if (!s)
        s = torch_pickle_read(&r->state, &set->memory, pickle, size, r->path, err);
    for (size_t i = 0; !s && i < r->state.n_tensors; i++)
        s = find_data(r, &set->memory, &r->state.tensors[i], err);
    for (size_t i = 0; !s && i < r->state.n_names; i++) {
        tensor t = r->state.tensors[r->state.names[i].index].shape;
        t.name = r->state.names[i].name;
        t.file = r->path;
        s = tensors_add(set, &t, err);
    }
    return s;
}

/* Adds a file's tensors to a set. */
static bert_status add_file(tensor_set *set, const char *path, bert_err *err)
{
    reader r = { .path = arena_string(&set->memory, path) };
    file_mapping file, view;
    bert_status s = r.path ? file_map(&file, path, err) : fail_memory(err, path);
    if (s)
        return s;
    view = file;
    if ((s = tensors_keep_file(set, &file, err)))
        return s;
    if (view.size < 4 || memcmp(view.data, "PK\3\4", 4))
        return no_zip(path, &view, err);
    s = zip_open(&r.zip, r.path, &view, &set->memory, err);
    if (!s)
        s = find_folder(&r, &set->memory, err);
    if (!s)
        s = check_byte_order(&r, &set->memory, err);
    if (!s)
        s = read_tensors(set, &r, err);
    zip_close(&r.zip);
    return s;
}

bert_status torch_zip_open(tensor_set *set, const char *path, bert_err *err)
{
    *set = (tensor_set){ 0 };
    bert_status s = add_file(set, path, err);
    if (!s)
        s = tensors_seal(set, path, err);
    if (s)
        tensors_close(set);
    return s;
}

bert_status torch_zip_open_sharded(tensor_set *set, const char *index_path, bert_err *err)
{
    return shards_open(set, index_path, add_file, err);
}
