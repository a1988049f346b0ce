/* What the pickle of a state dict may name and call: dicts, storages, tensors. Everything else is refused, with its name. */
#include "io/torch_machine.h"

#include <inttypes.h>
#include <string.h>

static bert_status call_ordered_dict(machine *m, value args, value *result, bert_err *err)
{
    if (args.n)
        return bad(m, "OrderedDict with arguments", err);
    *result = (value){ .kind = DICT, .index = m->n_dicts++ };
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

/* The highest element that the tensor reaches is one of the storage's. */
static bool within_storage(const torch_tensor *t)
{
    int64_t last = t->offset, step;
    if (!t->shape.n)
        return t->offset <= t->storage_n;
    for (int i = 0; i < t->shape.rank; i++)
        if (__builtin_mul_overflow(t->shape.shape[i] - 1, t->stride[i], &step) || __builtin_add_overflow(last, step, &last))
            return false;
    return last < t->storage_n;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks, ...) */
static bert_status call_rebuild_tensor(machine *m, value args, value *result, bert_err *err)
{
    value from = item(m, args, 0), offset = item(m, args, 1), size = item(m, args, 2), stride = item(m, args, 3);
    if (from.kind != STORAGE || offset.kind != INT || offset.integer < 0 || size.kind != TUPLE || stride.kind != TUPLE || size.n != stride.n)
        return bad(m, "a tensor's arguments are not storage, offset, size and stride", err);
    if (size.n > TENSOR_MAX_RANK)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: data.pkl: byte %zu: a tensor of %" PRIu32 " dimensions, at most %d are read", m->path,
                    m->op_at, size.n, TENSOR_MAX_RANK);
    const storage *s = (const storage *)m->storages.items + from.index;
    torch_tensor t = { .storage_n = s->n, .offset = offset.integer, .shape = { .type = s->type, .rank = (int)size.n } };
    size_t bytes;
    if (!whole_numbers(m, size, t.shape.shape) || !whole_numbers(m, stride, t.stride) || !tensor_count(&t.shape, &bytes))
        return bad(m, "a tensor's size or stride is no list of sizes", err);
    if (!within_storage(&t) || t.shape.n > (size_t)s->n)
        return bad(m, "a tensor reaches beyond its storage", err);
    t.storage = arena_copy(m->memory, s->key.string, s->key.n);
    *result = (value){ .kind = TENSOR, .index = m->tensors.n };
    return t.storage ? push_item(m, &m->tensors, &t, err) : fail_memory(err, m->path);
}

/* _rebuild_parameter(tensor, requires_grad, backward_hooks) */
static bert_status call_rebuild_parameter(machine *m, value args, value *result, bert_err *err)
{
    *result = item(m, args, 0);
    return result->kind == TENSOR ? BERT_OK : bad(m, "a parameter that is no tensor", err);
}

static const struct {
    const char *module, *name;
    bert_status (*call)(machine *m, value args, value *result, bert_err *err); /* NULL: a storage, named but never called */
    dtype type;
} GLOBALS[] = {
    { "collections", "OrderedDict", call_ordered_dict, DTYPE_OTHER },
    { "torch._utils", "_rebuild_tensor_v2", call_rebuild_tensor, DTYPE_OTHER },
    { "torch._utils", "_rebuild_parameter", call_rebuild_parameter, DTYPE_OTHER },
    { "torch", "FloatStorage", NULL, DTYPE_F32 },
    { "torch", "HalfStorage", NULL, DTYPE_F16 },
    { "torch", "BFloat16Storage", NULL, DTYPE_BF16 },
    { "torch", "DoubleStorage", NULL, DTYPE_F64 },
    { "torch", "LongStorage", NULL, DTYPE_I64 },
    { "torch", "IntStorage", NULL, DTYPE_I32 },
    { "torch", "ShortStorage", NULL, DTYPE_I16 },
    { "torch", "CharStorage", NULL, DTYPE_I8 },
    { "torch", "ByteStorage", NULL, DTYPE_U8 },
    { "torch", "BoolStorage", NULL, DTYPE_BOOL },
    { "torch.storage", "UntypedStorage", NULL, DTYPE_U8 },
};

bert_status push_global(machine *m, value module, value name, bert_err *err)
{
    for (size_t i = 0; i < sizeof GLOBALS / sizeof *GLOBALS; i++)
        if (is_string(module, GLOBALS[i].module) && is_string(name, GLOBALS[i].name))
            return push(m, (value){ .kind = GLOBAL, .index = i }, err);
    int most = 100; /* of each name in the message */
    return fail(err, BERT_ERR_FORMAT, "%s: the pickle asks for `%.*s.%.*s`; only tensors are read", m->path,
                module.n < (uint32_t)most ? (int)module.n : most, module.string, name.n < (uint32_t)most ? (int)name.n : most, name.string);
}

bert_status call_global(machine *m, value function, value args, value *result, bert_err *err)
{
    if (args.kind != TUPLE || function.kind != GLOBAL || !GLOBALS[function.index].call)
        return bad(m, "calls what is no function", err);
    return GLOBALS[function.index].call(m, args, result, err);
}

bool storage_type(value global, dtype *type)
{
    if (global.kind != GLOBAL || GLOBALS[global.index].call)
        return false;
    *type = GLOBALS[global.index].type;
    return true;
}
