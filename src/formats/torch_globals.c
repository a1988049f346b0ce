/* What the pickle of a state dict may name and call: dicts, storages, tensors. Everything else is refused, with its
 * name. */
#include "formats/torch_machine.h"

#include <limits.h>

static bert_status call_ordered_dict(machine *m, value args, value *result, bert_err *err)
{
    if (args.n)
        return bad(m, "OrderedDict with arguments", err);
    *result = (value){ .kind = DICT, .index = m->n_containers++ };
    return BERT_OK;
}

static bool whole_numbers(const machine *m, value tuple, int64_t out[TENSOR_MAX_RANK])
{
    for (size_t i = 0; i < tuple.n; i++) {
        value v = item(m, tuple, i);
        if (v.kind != INT || v.integer < 0)
            return false;
        out[i] = v.integer;
    }
    return true;
}

/* The highest element that the tensor reaches is one of the n that are seen of the storage. */
static bool within(const torch_tensor *t, int64_t n)
{
    int64_t last = t->offset, step;
    if (!t->shape.n)
        return t->offset <= n;
    for (int i = 0; i < t->shape.rank; i++)
        if (__builtin_mul_overflow(t->shape.shape[i] - 1, t->stride[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    return last < n;
}

static bert_status push_tensor(machine *m, const torch_tensor *t, value *result, bert_err *err)
{
    *result = (value){ .kind = TENSOR, .index = m->tensors.n };
    return push_item(m, &m->tensors, t, err);
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks, ...) */
static bert_status call_rebuild_tensor(machine *m, value args, value *result, bert_err *err)
{
    value from = item(m, args, 0), offset = item(m, args, 1), size = item(m, args, 2), stride = item(m, args, 3);
    if (from.kind != STORAGE || offset.kind != INT || offset.integer < 0 || size.kind != TUPLE ||
        stride.kind != TUPLE || size.n != stride.n)
        return bad(m, "a tensor's arguments are not storage, offset, size and stride", err);
    const storage *s = (const storage *)m->storages.items + from.index;
    torch_tensor t = { .storage_n = s->n,
                       .offset = offset.integer,
                       .shape = { .type = s->type, .rank = size.n < INT_MAX ? (int)size.n : INT_MAX } };
    size_t bytes;
    if (size.n > TENSOR_MAX_RANK) {
        t.shape.type = DTYPE_OTHER;
        return push_tensor(m, &t, result, err);
    }
    if (!whole_numbers(m, size, t.shape.shape) || !whole_numbers(m, stride, t.stride) ||
        !tensor_count(&t.shape, &bytes))
        return bad(m, "a tensor's size or stride is no list of sizes", err);
    if (!within(&t, s->seen))
        return bad(m, "a tensor reaches beyond its storage", err);
    t.offset += s->first;
    t.storage = arena_copy(m->memory, s->key.string, s->key.n);
    return t.storage ? push_tensor(m, &t, result, err) : fail_memory(err, m->path);
}

/* Tensors of other kinds (quantised, sparse, float8): there, without elements. */
static bert_status call_rebuild_other(machine *m, value args, value *result, bert_err *err)
{
    (void)args;
    const torch_tensor t = { .shape.type = DTYPE_OTHER };
    return push_tensor(m, &t, result, err);
}

/* What else a checkpoint carries: never more than a place that is taken. */
static bert_status call_ignored(machine *m, value args, value *result, bert_err *err)
{
    (void)m, (void)args, (void)err;
    *result = (value){ .kind = OTHER };
    return BERT_OK;
}

/* _rebuild_parameter(tensor, requires_grad, backward_hooks) */
static bert_status call_rebuild_parameter(machine *m, value args, value *result, bert_err *err)
{
    *result = item(m, args, 0);
    return result->kind == TENSOR ? BERT_OK : bad(m, "a parameter that is no tensor", err);
}

static const struct {
    const char *module, *name; /* name NULL: any other of the module */
    /* NULL: a storage, named but never called */
    bert_status (*call)(machine *m, value args, value *result, bert_err *err);
    dtype type;
    size_t element; /* bytes */
} GLOBALS[] = {
    { "collections", "OrderedDict", call_ordered_dict, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_tensor_v2", call_rebuild_tensor, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_tensor", call_rebuild_tensor, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_parameter", call_rebuild_parameter, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_tensor_v3", call_rebuild_other, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_qtensor", call_rebuild_other, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_sparse_tensor", call_rebuild_other, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_sparse_csr_tensor", call_rebuild_other, DTYPE_OTHER, 0 },
    { "torch._utils", "_rebuild_meta_tensor_no_storage", call_rebuild_other, DTYPE_OTHER, 0 },
    { "torch", "FloatStorage", NULL, DTYPE_F32, 4 },
    { "torch", "HalfStorage", NULL, DTYPE_F16, 2 },
    { "torch", "BFloat16Storage", NULL, DTYPE_BF16, 2 },
    { "torch", "DoubleStorage", NULL, DTYPE_F64, 8 },
    { "torch", "LongStorage", NULL, DTYPE_I64, 8 },
    { "torch", "IntStorage", NULL, DTYPE_I32, 4 },
    { "torch", "ShortStorage", NULL, DTYPE_I16, 2 },
    { "torch", "CharStorage", NULL, DTYPE_I8, 1 },
    { "torch", "ByteStorage", NULL, DTYPE_U8, 1 },
    { "torch", "BoolStorage", NULL, DTYPE_BOOL, 1 },
    { "torch", "ComplexFloatStorage", NULL, DTYPE_OTHER, 8 },
    { "torch", "ComplexDoubleStorage", NULL, DTYPE_OTHER, 16 },
    { "torch", "QInt8Storage", NULL, DTYPE_OTHER, 1 },
    { "torch", "QUInt8Storage", NULL, DTYPE_OTHER, 1 },
    { "torch", "QInt32Storage", NULL, DTYPE_OTHER, 4 },
    { "torch", "QUInt4x2Storage", NULL, DTYPE_OTHER, 1 },
    { "torch", "QUInt2x4Storage", NULL, DTYPE_OTHER, 1 },
    { "torch.storage", "UntypedStorage", NULL, DTYPE_U8, 1 },
    { "torch", NULL, call_ignored, DTYPE_OTHER, 0 }, /* Size, device, the types of numbers */
    { "torch.serialization", "_get_layout", call_ignored, DTYPE_OTHER, 0 },
    { "collections", NULL, call_ignored, DTYPE_OTHER, 0 }, /* defaultdict, Counter: of an optimizer's state */
    { "argparse", "Namespace", call_ignored, DTYPE_OTHER, 0 },
    { "numpy.core.multiarray", NULL, call_ignored, DTYPE_OTHER, 0 },
    { "numpy._core.multiarray", NULL, call_ignored, DTYPE_OTHER, 0 },
    { "numpy", NULL, call_ignored, DTYPE_OTHER, 0 },
    { "_codecs", "encode", call_ignored, DTYPE_OTHER, 0 },
};

bert_status push_global(machine *m, value module, value name, bert_err *err)
{
    for (size_t i = 0; i < sizeof GLOBALS / sizeof *GLOBALS; i++)
        if (is_string(module, GLOBALS[i].module) && (!GLOBALS[i].name || is_string(name, GLOBALS[i].name)))
            return push(m, (value){ .kind = GLOBAL, .index = i }, err);
    int most = 100; /* of each name in the message */
    return fail(err, BERT_ERR_FORMAT, "%s: the pickle asks for `%.*s.%.*s`; only tensors are read", m->path,
                module.n < (uint32_t)most ? (int)module.n : most, module.string,
                name.n < (uint32_t)most ? (int)name.n : most, name.string);
}

bert_status call_global(machine *m, value function, value args, value *result, bert_err *err)
{
    if (args.kind != TUPLE || function.kind != GLOBAL || !GLOBALS[function.index].call)
        return bad(m, "calls what is no function", err);
    return GLOBALS[function.index].call(m, args, result, err);
}

bool storage_type(value global, dtype *type, size_t *element)
{
    if (global.kind != GLOBAL || GLOBALS[global.index].call)
        return false;
    *type = GLOBALS[global.index].type;
    *element = GLOBALS[global.index].element;
    return true;
}
