/* The stack and the lists of the machine that reads a pickle. */
#include "formats/torch_machine.h"

#include "base/size.h"

#include <stdlib.h>
#include <string.h>

bert_status bad(const machine *m, const char *what, bert_err *err)
{
    return fail(err, BERT_ERR_FORMAT, "%s: %s: byte %zu: %s", m->path, m->name, m->op_at, what);
}

bert_status push_item(const machine *m, list *l, const void *item, bert_err *err)
{
    bool fine = true;
    l->items = array_grown(l->items, l->n, l->size, &fine);
    if (!fine)
        return fail_memory(err, m->path);
    memcpy((char *)l->items + l->n++ * l->size, item, l->size);
    return BERT_OK;
}

bert_status push(machine *m, value v, bert_err *err)
{
    return push_item(m, &m->stack, &v, err);
}

value pop(machine *m)
{
    value *stack = m->stack.items;
    if (!m->stack.n || stack[m->stack.n - 1].kind == MARK)
        return (value){ .kind = ABSENT };
    return stack[--m->stack.n];
}

value *top(const machine *m)
{
    value *stack = m->stack.items;
    return m->stack.n ? &stack[m->stack.n - 1] : NULL;
}

/* The values stay where they stood, *n from *first on, until the next push. */
bool pop_mark(machine *m, size_t *first, size_t *n)
{
    const value *stack = m->stack.items;
    size_t i = m->stack.n;
    while (i && stack[i - 1].kind != MARK)
        i--;
    if (!i)
        return false;
    *first = i;
    *n = m->stack.n - i;
    m->stack.n = i - 1;
    return true;
}

bool is_string(value v, const char *text)
{
    return v.kind == STRING && v.n == strlen(text) && !memcmp(v.string, text, v.n);
}

value item(const machine *m, value tuple, size_t i)
{
    return tuple.kind == TUPLE && i < tuple.n ? ((const value *)m->items.items)[tuple.index + i]
                                              : (value){ .kind = ABSENT };
}

value machine_get(const machine *m, value dict, const char *key)
{
    const pair *pairs = m->pairs.items;
    for (size_t i = m->pairs.n; dict.kind == DICT && i-- > 0;) /* the last one counts */
        if (pairs[i].container == dict.index && is_string(pairs[i].key, key))
            return pairs[i].value;
    return (value){ .kind = ABSENT };
}

void machine_free(machine *m)
{
    list *lists[] = { &m->stack, &m->items, &m->memo, &m->pairs, &m->storages, &m->tensors };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
}
