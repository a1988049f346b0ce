/* The opcodes of the pickles that torch.save writes, as a table. */
#include "formats/torch_pickle.h"

#include "formats/torch_machine.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_PICKLE = 16 << 20, NEWEST_PROTOCOL = 5 };

static bert_status op_proto(machine *m, bert_err *err)
{
    if (m->number > NEWEST_PROTOCOL)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: %s: pickle protocol %" PRId64 ", at most %d is read", m->path,
                    m->name, m->number, NEWEST_PROTOCOL);
    return BERT_OK;
}

static bert_status op_nothing(machine *m, bert_err *err)
{
    (void)m, (void)err;
    return BERT_OK;
}

/* MARK, NONE, and what is no part of a tensor (a number with a fraction, bytes, a set): the kind is all that counts. */
static bert_status op_kind(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = (kind)m->number }, err);
}

static bert_status op_other(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = OTHER }, err);
}

/* Dicts and lists. */
static bert_status op_container(machine *m, bert_err *err)
{
    return push(m, (value){ .kind = (kind)m->number, .index = m->n_containers++ }, err);
}

static bert_status op_pop(machine *m, bert_err *err)
{
    return pop(m).kind != ABSENT ? BERT_OK : bad(m, "takes away what is not there", err);
}

static bert_status op_pop_mark(machine *m, bert_err *err)
{
    size_t first, n;
    return pop_mark(m, &first, &n) ? BERT_OK : bad(m, "no mark", err);
}

static bert_status op_frozen_set(machine *m, bert_err *err)
{
    bert_status s = op_pop_mark(m, err);
    return s ? s : op_other(m, err);
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
    if (m->number >= m->at - m->start) /* whoever counts up needs two bytes for each */
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

/* Sets a dict's or a list's items to the n pairs (a list: values) that stood on the stack from `first` on. */
static bert_status set_items(machine *m, kind of, size_t first, size_t n, const char *what, bert_err *err)
{
    size_t each = of == DICT ? 2 : 1;
    const value *to = top(m);
    bert_status s = BERT_OK;
    if (to && to->kind == OTHER)
        return BERT_OK;
    if (!to || to->kind != of || n % each)
        return bad(m, what, err);
    for (size_t i = first; !s && i < first + n; i += each) {
        const value *stack = m->stack.items;
        pair p = { to->index, of == DICT ? stack[i] : (value){ .kind = ABSENT }, stack[i + each - 1] };
        s = push_item(m, &m->pairs, &p, err);
    }
    return s;
}

static bert_status op_setitem(machine *m, bert_err *err)
{
    static const char what[] = "sets an item of what is no dict";
    if (pop(m).kind == ABSENT || pop(m).kind == ABSENT)
        return bad(m, what, err);
    return set_items(m, DICT, m->stack.n, 2, what, err);
}

static bert_status op_setitems(machine *m, bert_err *err)
{
    static const char what[] = "sets items of what is no dict";
    size_t first, n;
    return pop_mark(m, &first, &n) ? set_items(m, DICT, first, n, what, err) : bad(m, what, err);
}

static bert_status op_append(machine *m, bert_err *err)
{
    static const char what[] = "appends to what is no list";
    return pop(m).kind != ABSENT ? set_items(m, LIST, m->stack.n, 1, what, err) : bad(m, what, err);
}

static bert_status op_appends(machine *m, bert_err *err)
{
    static const char what[] = "appends to what is no list";
    size_t first, n;
    return pop_mark(m, &first, &n) ? set_items(m, LIST, first, n, what, err) : bad(m, what, err);
}

/* "module\nname\n" */
static bert_status op_global(machine *m, bert_err *err)
{
    const char *end = m->bytes + m->n_bytes, *newline = memchr(m->bytes, '\n', m->n_bytes);
    return push_global(m, string_value(m->bytes, (size_t)(newline - m->bytes)),
                       string_value(newline + 1, (size_t)(end - newline - 2)), err);
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

/* A view is (its own key, its first element, its elements). */
static bool read_view(const machine *m, value view, storage *s)
{
    value first = item(m, view, 1), n = item(m, view, 2);
    if (view.kind == NONE || view.kind == ABSENT)
        return true;
    if (first.kind != INT || n.kind != INT || first.integer < 0 || n.integer < 0 || first.integer > s->n ||
        n.integer > s->n - first.integer)
        return false;
    s->first = first.integer;
    s->seen = n.integer;
    return true;
}

/* ("storage", type, key, device, elements), in the legacy container also a view or None. */
static bert_status op_persistent_id(machine *m, bert_err *err)
{
    value id = pop(m), key = item(m, id, 2), n = item(m, id, 4);
    storage made = { .key = key, .n = n.integer, .seen = n.integer };
    if (is_string(item(m, id, 0), "module"))
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: %s: holds a whole module; save what its state_dict() gives",
                    m->path, m->name);
    if (!is_string(item(m, id, 0), "storage") || !storage_type(item(m, id, 1), &made.type, &made.element) ||
        key.kind != STRING || n.kind != INT || n.integer < 0 || !read_view(m, item(m, id, 5), &made))
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

/* An OrderedDict's attributes (_metadata), or an object's: of no use here. */
static bert_status op_build(machine *m, bert_err *err)
{
    kind state = pop(m).kind, of = top(m) ? top(m)->kind : ABSENT;
    return of == OTHER || (state == DICT && of == DICT) ? BERT_OK : bad(m, "sets the state of what is no dict", err);
}

static bert_status op_stop(machine *m, bert_err *err)
{
    (void)err;
    m->stopped = true;
    return BERT_OK;
}

/* How an opcode's argument is written: a little-endian number of so many bytes, bytes behind such a number, two
 * lines. */
typedef enum argument {
    ARG_NONE,
    ARG_U1,
    ARG_U2,
    ARG_I4,
    ARG_U4,
    ARG_U8,
    ARG_BYTES1,
    ARG_BYTES4,
    ARG_BYTES8,
    ARG_LINES
} argument;

static const struct {
    bert_status (*run)(machine *m, bert_err *err);
    argument argument;
    int64_t constant; /* m->number where there is no argument */
} OPCODES[256] = {
    [0x80] = { op_proto, ARG_U1, 0 },
    [0x95] = { op_nothing, ARG_U8, 0 }, /* a frame's size */
    ['('] = { op_kind, ARG_NONE, MARK },
    ['N'] = { op_kind, ARG_NONE, NONE },
    [']'] = { op_container, ARG_NONE, LIST },
    ['}'] = { op_container, ARG_NONE, DICT },
    ['G'] = { op_other, ARG_U8, 0 },
    [0x88] = { op_int, ARG_NONE, 1 },
    [0x89] = { op_int, ARG_NONE, 0 },
    ['K'] = { op_int, ARG_U1, 0 },
    ['M'] = { op_int, ARG_U2, 0 },
    ['J'] = { op_int, ARG_I4, 0 },
    [0x8a] = { op_long, ARG_BYTES1, 0 },
    [0x8b] = { op_long, ARG_BYTES4, 0 },
    ['X'] = { op_string, ARG_BYTES4, 0 },
    ['T'] = { op_string, ARG_BYTES4, 0 },
    ['U'] = { op_string, ARG_BYTES1, 0 },
    [0x8c] = { op_string, ARG_BYTES1, 0 },
    [0x8d] = { op_string, ARG_BYTES8, 0 },
    ['B'] = { op_other, ARG_BYTES4, 0 },
    ['C'] = { op_other, ARG_BYTES1, 0 },
    [0x8e] = { op_other, ARG_BYTES8, 0 },
    [0x8f] = { op_other, ARG_NONE, 0 },    /* a set */
    [0x90] = { op_pop_mark, ARG_NONE, 0 }, /* what goes into it */
    [0x91] = { op_frozen_set, ARG_NONE, 0 },
    ['0'] = { op_pop, ARG_NONE, 0 },
    ['1'] = { op_pop_mark, ARG_NONE, 0 },
    ['q'] = { op_put, ARG_U1, 0 },
    ['r'] = { op_put, ARG_U4, 0 },
    [0x94] = { op_memoize, ARG_NONE, 0 },
    ['h'] = { op_get, ARG_U1, 0 },
    ['j'] = { op_get, ARG_U4, 0 },
    [')'] = { op_tuple_n, ARG_NONE, 0 },
    [0x85] = { op_tuple_n, ARG_NONE, 1 },
    [0x86] = { op_tuple_n, ARG_NONE, 2 },
    [0x87] = { op_tuple_n, ARG_NONE, 3 },
    ['t'] = { op_tuple, ARG_NONE, 0 },
    ['s'] = { op_setitem, ARG_NONE, 0 },
    ['u'] = { op_setitems, ARG_NONE, 0 },
    ['a'] = { op_append, ARG_NONE, 0 },
    ['e'] = { op_appends, ARG_NONE, 0 },
    ['c'] = { op_global, ARG_LINES, 0 },
    [0x93] = { op_stack_global, ARG_NONE, 0 },
    ['i'] = { op_instance, ARG_LINES, 0 },
    ['Q'] = { op_persistent_id, ARG_NONE, 0 },
    ['R'] = { op_reduce, ARG_NONE, 0 },
    [0x81] = { op_reduce, ARG_NONE, 0 }, /* cls.__new__(*args): the same here */
    ['b'] = { op_build, ARG_NONE, 0 },
    ['.'] = { op_stop, ARG_NONE, 0 },
};

/* The size of an argument's number, and whether bytes of that many follow. */
static const struct {
    unsigned char size;
    bool bytes;
} ARGUMENTS[] = {
    [ARG_NONE] = { 0, false },  [ARG_U1] = { 1, false },    [ARG_U2] = { 2, false },    [ARG_I4] = { 4, false },
    [ARG_U4] = { 4, false },    [ARG_U8] = { 8, false },    [ARG_BYTES1] = { 1, true }, [ARG_BYTES4] = { 4, true },
    [ARG_BYTES8] = { 8, true }, [ARG_LINES] = { 0, false },
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

static bert_status pickle_run(machine *m, bert_err *err)
{
    while (!m->stopped) {
        m->op_at = (size_t)(m->at - m->start);
        if (m->at == m->end)
            return bad(m, "ends without STOP", err);
        unsigned char op = *m->at++;
        if (!OPCODES[op].run)
            return fail(err, BERT_ERR_UNSUPPORTED, "%s: %s: byte %zu: opcode 0x%02x is none that a state dict needs",
                        m->path, m->name, m->op_at, op);
        bert_status s = read_argument(m, OPCODES[op].argument, err);
        if (OPCODES[op].argument == ARG_NONE)
            m->number = OPCODES[op].constant;
        if (s || (s = OPCODES[op].run(m, err)))
            return s;
    }
    return BERT_OK;
}

bert_status machine_run(machine *m, arena *a, const torch_pickle *pickle, bert_err *err)
{
    size_t left = pickle->n - pickle->at;
    *m = (machine){ .path = pickle->path,
                    .name = pickle->name,
                    .memory = a,
                    .start = pickle->bytes,
                    .at = pickle->bytes + pickle->at };
    m->end = m->at + (left < MAX_PICKLE ? left : MAX_PICKLE);
    list *lists[] = { &m->stack, &m->items, &m->memo, &m->pairs, &m->storages, &m->tensors };
    const size_t sizes[] = { sizeof(value), sizeof(value),   sizeof(value),
                             sizeof(pair),  sizeof(storage), sizeof(torch_tensor) };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        lists[i]->size = sizes[i];
    return pickle_run(m, err);
}

/* ---- what it made ------------------------------------------------------------------------------------------------ */

static bool holds_tensors(const machine *m, value dict)
{
    const pair *pairs = m->pairs.items;
    for (size_t i = 0; i < m->pairs.n; i++)
        if (pairs[i].container == dict.index && pairs[i].key.kind == STRING && pairs[i].value.kind == TENSOR)
            return true;
    return false;
}

/* The state dict itself: programs that train put it beside an epoch and an optimizer's state. */
static value state_dict(const machine *m)
{
    static const char *const NAMES[] = { "state_dict", "model_state_dict", "model", "module" };
    value dict = *top(m);
    for (int depth = 0; depth < 3 && !holds_tensors(m, dict); depth++)
        for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
            value inner = machine_get(m, dict, NAMES[i]);
            if (inner.kind == DICT) {
                dict = inner;
                break;
            }
        }
    return dict;
}

static bert_status state_take_storages(torch_state *state, const machine *m, bert_err *err)
{
    const storage *storages = m->storages.items;
    state->storages = arena_array(m->memory, m->storages.n, sizeof *state->storages);
    if (!state->storages)
        return fail_memory(err, m->path);
    for (; state->n_storages < m->storages.n; state->n_storages++) {
        const storage *s = &storages[state->n_storages];
        char *key = arena_copy(m->memory, s->key.string, s->key.n);
        if (!key)
            return fail_memory(err, m->path);
        state->storages[state->n_storages] = (torch_storage){ key, s->n, s->element };
    }
    return BERT_OK;
}

/* The tensors that stand under a string in the state dict. */
static bert_status take_result(torch_state *state, const machine *m, bert_err *err)
{
    if (!top(m) || top(m)->kind != DICT)
        return fail(err, BERT_ERR_FORMAT, "%s: the pickle is no dict of tensors", m->path);
    value dict = state_dict(m);
    state->tensors = (torch_tensor *)arena_copy(m->memory, m->tensors.items, m->tensors.n * m->tensors.size);
    state->n_tensors = m->tensors.n;
    state->names = arena_array(m->memory, m->pairs.n, sizeof *state->names);
    state->end = (size_t)(m->at - m->start);
    if (!state->tensors || !state->names)
        return fail_memory(err, m->path);
    for (size_t i = 0; i < m->pairs.n; i++) {
        const pair *p = (const pair *)m->pairs.items + i;
        if (p->container != dict.index || p->key.kind != STRING || p->value.kind != TENSOR)
            continue;
        char *name = arena_copy(m->memory, p->key.string, p->key.n);
        if (!name)
            return fail_memory(err, m->path);
        if (strlen(name) != p->key.n)
            return fail(err, BERT_ERR_FORMAT, "%s: a NUL within the name %s", m->path, name);
        state->names[state->n_names++] = (torch_name){ name, p->value.index };
    }
    return state_take_storages(state, m, err);
}

bert_status torch_pickle_read(torch_state *state, arena *a, const torch_pickle *pickle, bert_err *err)
{
    machine m;
    *state = (torch_state){ 0 };
    bert_status s = machine_run(&m, a, pickle, err);
    if (!s)
        s = take_result(state, &m, err);
    machine_free(&m);
    return s;
}
