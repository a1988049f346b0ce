/* The tags of a sentence's words, turned into BIO: S-, U- and W- begin an entity, E-, L- and M- go on with one (BIOES,
 * BILOU, BMEWO); I- and a bare name (IO, IOB1) begin one, or go on with that of the word before. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

/* Of all sentences so far. All zero before the first. */
typedef struct table_tags {
    bool prefixed, bare;       /* there were tags with a prefix, without one; not both */
    char from[64], became[64]; /* the first tag that was turned into another; "" */
    /* the name of the entity at hand, in the buffer that tags are added to; size 0: there is none */
    size_t name, size;
    bool closed; /* it has ended */
} table_tags;

/* At the beginning of a sentence. */
static inline void table_tags_begin(table_tags *t)
{
    t->size = 0;
}

/* Appends a tag to out, which holds those before it. Returns NULL, or why it is none: a clause for a message, and
 * nothing is appended. */
const char *table_tags_add(table_tags *t, buffer *out, bert_text tag);
