/* Lists of tokens grow by half. */
#include "text/tokens.h"

#include "base/size.h"

#include <stdlib.h>

static bool resize(void **items, size_t n, size_t size)
{
    size_t bytes;
    void *moved = mul_size(n, size, &bytes) ? realloc(*items, bytes) : NULL;
    if (moved)
        *items = moved;
    return moved != NULL;
}

bool tokens_grow(bert_tokens *t, size_t more, bool spans)
{
    size_t capacity;
    if (!add_size(t->n, more, &capacity) || !add_size(capacity, t->n / 2 + 64, &capacity))
        return false;
    if (capacity < t->capacity)
        capacity = t->capacity;
    bool fine = resize((void **)&t->ids, capacity, sizeof *t->ids);
    if (spans || t->char_end) { /* a list that has spans keeps them as long as its ids */
        uint32_t **arrays[] = { &t->byte_start, &t->byte_end, &t->char_start, &t->char_end };
        for (size_t i = 0; fine && i < sizeof arrays / sizeof *arrays; i++)
            fine = resize((void **)arrays[i], capacity, sizeof **arrays[i]);
    }
    if (fine)
        t->capacity = capacity;
    return fine;
}
