/* The opcodes of the pickles that torch.save writes, as a table. */
#include "io/torch_pickle.h"

#include "io/torch_machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PICKLE = 16 << 20, NEWEST_PROTOCOL = 5 };

static bert_status op_proto(machine *m, bert_err *err)
{
    if (m->number > NEWEST_PROTOCOL)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: data.pkl: pickle protocol %" PRId64 ", at most %d is read", m->path, m->number,
                    NEWEST_PROTOCOL);
    return BERT_OK;
}

static bert_status op_nothing(machine *m, bert_err *err)
{
    (void)m, (void)err;
    return BERT_OK;
}

/* MARK, NONE, lists: the kind is all that counts. */
static bert_status op_kind(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = (kind)m->number }, err);
}

/* A number with a fraction: no part of a tensor. */
static bert_status op_float(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = OTHER }, err);
}

static bert_status op_dict(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = DICT, .index = m->n_dicts++ }, err);
}

static bert_status op_int(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = INT, .integer = m->number }, err);
}

/* A number of any length, two's complement, little-endian. */
static bert_status op_long(machine *m, bert_err *err)
{
    uint64_t bits = 0;
    if (m->n_bytes > 8)
        return bad(m, "a number of more than 64 bits", err);
    for (size_t i = 0; i < m->n_bytes; i++)
        bits |= (uint64_t)(unsigned char)m->bytes[i] << 8 * i;
    if (m->n_bytes && m->n_bytes < 8 && m->bytes[m->n_bytes - 1] & 0x80)
        bits |= ~(uint64_t)0 << 8 * m->n_bytes;
    m->number = (int64_t)bits;
    return op_int(m, err);
}

static value string_value(const char *bytes, size_t n)
{
    return (value){ .kind = STRING, .n = (uint32_t)n, .string = bytes };
}

static bert_status op_string(machine *m, bert_err *err)
{
    return push(m, string_value(m->bytes, m->n_bytes), err);
}

static bert_status op_put(machine *m, bert_err *err)
{
    value none = { .kind = ABSENT };
    if (!top(m) || top(m)->kind == MARK)
        return bad(m, "nothing to remember", err);
    if (m->number >= m->end - m->start) /* whoever counts up needs two bytes for each */
        return bad(m, "a memo larger than the pickle", err);
    while (m->memo.n <= (size_t)m->number) {
        bert_status s = push_item(m, &m->memo, &none, err);
        if (s)
            return s;
    }
    ((value *)m->memo.items)[m->number] = *top(m);
    return BERT_OK;
}

static bert_status op_memoize(machine *m, bert_err *err)
{
    m->number = (int64_t)m->memo.n;
    return op_put(m, err);
}

static bert_status op_get(machine *m, bert_err *err)
{
    const value *memo = m->memo.items;
    if ((size_t)m->number >= m->memo.n || memo[m->number].kind == ABSENT)
        return bad(m, "recalls what was never remembered", err);
    return push(m, memo[m->number], err);
}

/* A tuple of the values from `first` of the stack on, which are off it already. */
static bert_status make_tuple(machine *m, size_t first, size_t n, bert_err *err)
{
    value tuple = { .kind = TUPLE, .n = (uint32_t)n, .index = m->items.n };
    for (size_t i = 0; i < n; i++) {
        value v = ((const value *)m->stack.items)[first + i];
        bert_status s = push_item(m, &m->items, &v, err);
        if (s)
            return s;
    }
    return push(m, tuple, err);
}

static bert_status op_tuple_n(machine *m, bert_err *err)
{
    const value *stack = m->stack.items;
    size_t n = (size_t)m->number;
    if (m->stack.n < n)
        return bad(m, "a tuple of more than there is", err);
    for (size_t i = 0; i < n; i++)
        if (stack[m->stack.n - 1 - i].kind == MARK)
            return bad(m, "a tuple of more than there is", err);
    m->stack.n -= n;
    return make_tuple(m, m->stack.n, n, err);
}

static bert_status op_tuple(machine *m, bert_err *err)
{
    size_t first, n;
    return pop_mark(m, &first, &n) ? make_tuple(m, first, n, err) : bad(m, "no mark", err);
}

static bert_status set_pair(machine *m, value dict, value key, value v, bert_err *err)
{
    pair p = { dict.index, key, v };
    return push_item(m, &m->pairs, &p, err);
}

static bert_status op_setitem(machine *m, bert_err *err)
{
    value v = pop(m), key = pop(m);
    if (v.kind == ABSENT || key.kind == ABSENT || !top(m) || top(m)->kind != DICT)
        return bad(m, "sets an item of what is no dict", err);
    return set_pair(m, *top(m), key, v, err);
}

static bert_status op_setitems(machine *m, bert_err *err)
{
    size_t first, n;
    if (!pop_mark(m, &first, &n) || n % 2 || !top(m) || top(m)->kind != DICT)
        return bad(m, "sets items of what is no dict", err);
    const value *stack = m->stack.items;
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < n; i += 2)
        s = set_pair(m, *top(m), stack[first + i], stack[first + i + 1], err);
    return s;
}

/* What lists hold is never asked for. */
static bert_status op_append(machine *m, bert_err *err)
{
    return pop(m).kind != ABSENT && top(m) && top(m)->kind == LIST ? BERT_OK : bad(m, "appends to what is no list", err);
}

static bert_status op_appends(machine *m, bert_err *err)
{
    size_t first, n;
    return pop_mark(m, &first, &n) && top(m) && top(m)->kind == LIST ? BERT_OK : bad(m, "appends to what is no list", err);
}

/* "module\nname\n" */
static bert_status op_global(machine *m, bert_err *err)
{
    const char *end = m->bytes + m->n_bytes, *newline = memchr(m->bytes, '\n', m->n_bytes);
    return push_global(m, string_value(m->bytes, (size_t)(newline - m->bytes)), string_value(newline + 1, (size_t)(end - newline - 2)), err);
}

/* INST makes an instance at once; no class that is allowed is made this way. */
static bert_status op_instance(machine *m, bert_err *err)
{
    bert_status s = op_global(m, err);
    return s ? s : bad(m, "makes an instance of what is no class", err);
}

static bert_status op_stack_global(machine *m, bert_err *err)
{
    value name = pop(m), module = pop(m);
    if (name.kind != STRING || module.kind != STRING)
        return bad(m, "a global without a name", err);
    return push_global(m, module, name, err);
}

/* ("storage", type, key, device, elements) */
static bert_status op_persistent_id(machine *m, bert_err *err)
{
    value id = pop(m), key = item(m, id, 2), n = item(m, id, 4);
    storage made = { .key = key, .n = n.integer };
    if (!is_string(item(m, id, 0), "storage") || !storage_type(item(m, id, 1), &made.type) || key.kind != STRING || n.kind != INT ||
        n.integer < 0)
        return bad(m, "a persistent id that is no storage", err);
    bert_status s = push_item(m, &m->storages, &made, err);
    return s ? s : push(m, (value){ .kind = STORAGE, .index = m->storages.n - 1 }, err);
}

static bert_status op_reduce(machine *m, bert_err *err)
{
    value args = pop(m), function = pop(m), result;
    bert_status s = call_global(m, function, args, &result, err);
    return s ? s : push(m, result, err);
}

/* An OrderedDict's attributes (_metadata): of no use here. */
static bert_status op_build(machine *m, bert_err *err)
{
    return pop(m).kind == DICT && top(m) && top(m)->kind == DICT ? BERT_OK : bad(m, "sets the state of what is no dict", err);
}

static bert_status op_stop(machine *m, bert_err *err)
{
    (void)err;
    m->stopped = true;
    return BERT_OK;
}

/* How an opcode's argument is written: a little-endian number of so many bytes, bytes behind such a number, two lines. */
typedef enum argument { ARG_NONE, ARG_U1, ARG_U2, ARG_I4, ARG_U4, ARG_U8, ARG_BYTES1, ARG_BYTES4, ARG_BYTES8, ARG_LINES } argument;

static const struct {
    bert_status (*run)(machine *m, bert_err *err);
    argument argument;
    int64_t constant; /* m->number where there is no argument */
} OPCODES[256] = {
    [0x80] = { op_proto, ARG_U1, 0 },      [0x95] = { op_nothing, ARG_U8, 0 }, /* a frame's size */
    ['('] = { op_kind, ARG_NONE, MARK },   ['N'] = { op_kind, ARG_NONE, NONE },
    [']'] = { op_kind, ARG_NONE, LIST },   ['G'] = { op_float, ARG_U8, 0 },
    ['}'] = { op_dict, ARG_NONE, 0 },      [0x88] = { op_int, ARG_NONE, 1 },
    [0x89] = { op_int, ARG_NONE, 0 },      ['K'] = { op_int, ARG_U1, 0 },
    ['M'] = { op_int, ARG_U2, 0 },         ['J'] = { op_int, ARG_I4, 0 },
    [0x8a] = { op_long, ARG_BYTES1, 0 },   ['X'] = { op_string, ARG_BYTES4, 0 },
    ['T'] = { op_string, ARG_BYTES4, 0 },  ['U'] = { op_string, ARG_BYTES1, 0 },
    [0x8c] = { op_string, ARG_BYTES1, 0 }, [0x8d] = { op_string, ARG_BYTES8, 0 },
    ['q'] = { op_put, ARG_U1, 0 },         ['r'] = { op_put, ARG_U4, 0 },
    [0x94] = { op_memoize, ARG_NONE, 0 },  ['h'] = { op_get, ARG_U1, 0 },
    ['j'] = { op_get, ARG_U4, 0 },         [')'] = { op_tuple_n, ARG_NONE, 0 },
    [0x85] = { op_tuple_n, ARG_NONE, 1 },  [0x86] = { op_tuple_n, ARG_NONE, 2 },
    [0x87] = { op_tuple_n, ARG_NONE, 3 },  ['t'] = { op_tuple, ARG_NONE, 0 },
    ['s'] = { op_setitem, ARG_NONE, 0 },   ['u'] = { op_setitems, ARG_NONE, 0 },
    ['a'] = { op_append, ARG_NONE, 0 },    ['e'] = { op_appends, ARG_NONE, 0 },
    ['c'] = { op_global, ARG_LINES, 0 },   [0x93] = { op_stack_global, ARG_NONE, 0 },
    ['i'] = { op_instance, ARG_LINES, 0 }, ['Q'] = { op_persistent_id, ARG_NONE, 0 },
    ['R'] = { op_reduce, ARG_NONE, 0 },    ['b'] = { op_build, ARG_NONE, 0 },
    ['.'] = { op_stop, ARG_NONE, 0 },
};

/* The size of an argument's number, and whether bytes of that many follow. */
static const struct {
    unsigned char size;
    bool bytes;
} ARGUMENTS[] = {
    [ARG_NONE] = { 0, false }, [ARG_U1] = { 1, false },    [ARG_U2] = { 2, false },    [ARG_I4] = { 4, false },    [ARG_U4] = { 4, false },
    [ARG_U8] = { 8, false },   [ARG_BYTES1] = { 1, true }, [ARG_BYTES4] = { 4, true }, [ARG_BYTES8] = { 8, true }, [ARG_LINES] = { 0, false },
};

/* The size of two lines, their ends included; 0 where they do not end. */
static size_t two_lines(const unsigned char *p, size_t left)
{
    const unsigned char *first = memchr(p, '\n', left);
    const unsigned char *second = first ? memchr(first + 1, '\n', left - (size_t)(first + 1 - p)) : NULL;
    return second ? (size_t)(second + 1 - p) : 0;
}

static bert_status read_argument(machine *m, argument a, bert_err *err)
{
    size_t left = (size_t)(m->end - m->at), size = ARGUMENTS[a].size;
    uint64_t number = 0;
    if (left < size)
        return bad(m, "cut short", err);
    memcpy(&number, m->at, size);
    m->at += size;
    left -= size;
    m->number = a == ARG_I4 ? (int32_t)number : (int64_t)number;
    m->bytes = (const char *)m->at;
    m->n_bytes = 0;
    if (ARGUMENTS[a].bytes && number > left)
        return bad(m, "cut short", err);
    if (a == ARG_LINES && !(number = two_lines(m->at, left)))
        return bad(m, "a global without a name", err);
    if (ARGUMENTS[a].bytes || a == ARG_LINES)
        m->n_bytes = (size_t)number;
    m->at += m->n_bytes;
    return BERT_OK;
}

static bert_status run(machine *m, bert_err *err)
{
    while (!m->stopped) {
        m->op_at = (size_t)(m->at - m->start);
        if (m->at == m->end)
            return bad(m, "ends without STOP", err);
        unsigned char op = *m->at++;
        if (!OPCODES[op].run)
            return fail(err, BERT_ERR_UNSUPPORTED, "%s: data.pkl: byte %zu: opcode 0x%02x is none that a state dict needs", m->path, m->op_at,
                        op);
        bert_status s = read_argument(m, OPCODES[op].argument, err);
        if (OPCODES[op].argument == ARG_NONE)
            m->number = OPCODES[op].constant;
        if (s || (s = OPCODES[op].run(m, err)))
            return s;
    }
    return BERT_OK;
}

/* The tensors that stand under a string in the dict that the pickle ends with. */
static bert_status take_result(torch_state *state, const machine *m, bert_err *err)
{
    if (!top(m) || top(m)->kind != DICT)
        return fail(err, BERT_ERR_FORMAT, "%s: the pickle is no dict of tensors", m->path);
    state->tensors = (torch_tensor *)arena_copy(m->memory, m->tensors.items, m->tensors.n * m->tensors.size);
    state->n_tensors = m->tensors.n;
    state->names = arena_array(m->memory, m->pairs.n, sizeof *state->names);
    if (!state->tensors || !state->names)
        return fail_memory(err, m->path);
    for (size_t i = 0; i < m->pairs.n; i++) {
        const pair *p = (const pair *)m->pairs.items + i;
        if (p->dict != top(m)->index || p->key.kind != STRING || p->value.kind != TENSOR)
            continue;
        char *name = arena_copy(m->memory, p->key.string, p->key.n);
        if (!name)
            return fail_memory(err, m->path);
        if (strlen(name) != p->key.n)
            return fail(err, BERT_ERR_FORMAT, "%s: a NUL within the name %s", m->path, name);
        state->names[state->n_names++] = (torch_name){ name, p->value.index };
    }
    return BERT_OK;
}

bert_status torch_pickle_read(torch_state *state, arena *a, const unsigned char *bytes, size_t n, const char *path, bert_err *err)
{
    *state = (torch_state){ 0 };
    if (n > MAX_PICKLE)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: data.pkl of %zu bytes, at most %d are read", path, n, MAX_PICKLE);
    machine m = { .path = path, .memory = a, .start = bytes, .at = bytes, .end = bytes + n };
    list *lists[] = { &m.stack, &m.items, &m.memo, &m.pairs, &m.storages, &m.tensors };
    const size_t sizes[] = { sizeof(value), sizeof(value), sizeof(value), sizeof(pair), sizeof(storage), sizeof(torch_tensor) };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        lists[i]->size = sizes[i];
    bert_status s = run(&m, err);
    if (!s)
        s = take_result(state, &m, err);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
    return s;
}
