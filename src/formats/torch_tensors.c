/* The tensors of a PyTorch file, whichever container it is. */
#include "formats/torch_tensors.h"

#include "base/size.h"

#include <inttypes.h>
#include <string.h>

/* Tensors that do not lie as they are read are copied, up to so many times all storages (far more than any model has)
 * or so many bytes; what is beyond has no elements, which is an error only where they are asked for. */
enum { MOST_COPIES = 8, FEW_BYTES = 16 << 20 };

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
static void gather_strided(unsigned char *out, const unsigned char *storage, const torch_tensor *t, size_t size)
{
    int64_t at[TENSOR_MAX_RANK] = { 0 };
    /* unsigned: the stride of a side of one may be anything, what it adds it takes away */
    size_t element = (size_t)t->offset;
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

static bert_status copy_elements(torch_tensor *t, const torch_storages *from, arena *a, const unsigned char *storage,
                                 size_t *copied, bert_err *err)
{
    size_t size = dtype_size(t->shape.type), bytes = t->shape.n * size, most;
    if (!mul_size(MOST_COPIES, from->total_size, &most) || most < FEW_BYTES)
        most = FEW_BYTES;
    if (bytes > most - *copied)
        return BERT_OK;
    unsigned char *copy = arena_alloc_raw(a, bytes);
    if (!copy)
        return fail_memory(err, from->path);
    gather_strided(copy, storage, t, size);
    *copied += bytes;
    t->shape.data = copy;
    return BERT_OK;
}

/* Finds a tensor's elements. */
static bert_status torch_find_data(torch_tensor *t, const torch_storages *from, arena *a, size_t *copied, bert_err *err)
{
    const char *name;
    const unsigned char *bytes;
    size_t size, expected, element = dtype_size(t->shape.type);
    bert_status s = from->find(from->context, t->storage, &name, &bytes, &size, err);
    if (s)
        return s;
    if (!bytes)
        return fail(err, BERT_ERR_FORMAT, "%s: storage %s is absent", from->path, name);
    if (!mul_size((size_t)t->storage_n, element, &expected) || size != expected)
        return fail(err, BERT_ERR_FORMAT, "%s: storage %s: %zu bytes, %" PRId64 " elements of %s expected", from->path,
                    name, size, t->storage_n, dtype_name(t->shape.type));
    if (!is_contiguous(t))
        return copy_elements(t, from, a, bytes, copied, err);
    t->shape.data = bytes + (size_t)t->offset * element;
    return BERT_OK;
}

bert_status torch_tensors_add(tensor_set *set, const torch_state *state, const torch_storages *from, bert_err *err)
{
    bert_status s = BERT_OK;
    size_t copied = 0;
    for (size_t i = 0; !s && i < state->n_tensors; i++)
        if (state->tensors[i].shape.type != DTYPE_OTHER)
            s = torch_find_data(&state->tensors[i], from, &set->memory, &copied, err);
    for (size_t i = 0; !s && i < state->n_names; i++) {
        tensor t = state->tensors[state->names[i].index].shape;
        t.name = state->names[i].name;
        t.file = from->path;
        s = tensors_add(set, &t, err);
    }
    return s;
}
