/* Lists of tokens grow by half. */
#include "text/tokens.h"

#include "base/size.h"

#include <stdlib.h>

bool tokens_grow(bert_tokens *t, size_t more, bool spans)
{
    size_t capacity;
    if (!add_size(t->n, more, &capacity) || !add_size(capacity, t->n / 2 + 64, &capacity))
        return false;
    if (capacity < t->capacity)
        capacity = t->capacity;
    bool fine = true;
    t->ids = array_sized(t->ids, capacity, sizeof *t->ids, &fine);
    if (spans || t->char_end) { /* a list that has spans keeps them as long as its ids */
        uint32_t **arrays[] = { &t->byte_start, &t->byte_end, &t->char_start, &t->char_end };
        for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
            *arrays[i] = array_sized(*arrays[i], capacity, sizeof **arrays[i], &fine);
    }
    if (fine)
        t->capacity = capacity;
    return fine;
}

tokens_scratch *tokens_scratch_of(bert_tokens *t)
{
    if (!t->scratch)
        t->scratch = calloc(1, sizeof(tokens_scratch));
    return t->scratch;
}
