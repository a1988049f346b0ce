/* The growing list that tokens are written to. */
#pragma once

#include "bert.h"

/* What splitting keeps for the next text, behind bert_tokens.scratch. */
typedef struct tokens_scratch {
    struct chunk *chunk;
    struct pipeline_scratch *pipeline;
} tokens_scratch;

/* Made at the first use; NULL: out of memory. */
tokens_scratch *tokens_scratch_of(bert_tokens *tokens);

/* Where a token stands: [start, end) in bytes and in code points. */
typedef struct token_span {
    uint32_t byte_start, byte_end, char_start, char_end;
} token_span;

/* Makes room for `more` tokens, with the arrays of spans or without. false: out of memory; the list is as it was. */
bool tokens_grow(bert_tokens *tokens, size_t more, bool spans);

static inline bool tokens_reserve(bert_tokens *tokens, size_t more, bool spans)
{
    bool room = tokens->capacity - tokens->n >= more && (!spans || tokens->char_end);
    return __builtin_expect(room, 1) || tokens_grow(tokens, more, spans);
}

/* Adds a token; the room must be there. */
static inline void tokens_add(bert_tokens *tokens, int32_t id, token_span span, bool spans)
{
    size_t i = tokens->n++;
    tokens->ids[i] = id;
    if (spans) {
        tokens->byte_start[i] = span.byte_start;
        tokens->byte_end[i] = span.byte_end;
        tokens->char_start[i] = span.char_start;
        tokens->char_end[i] = span.char_end;
    }
}

/* Makes room for a token and adds it. false: out of memory. */
static inline bool tokens_append(bert_tokens *tokens, int32_t id, token_span span, bool spans)
{
    if (!tokens_reserve(tokens, 1, spans))
        return false;
    tokens_add(tokens, id, span, spans);
    return true;
}
