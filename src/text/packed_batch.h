/* A packed batch: the tokens of some sequences without padding, n_tok rows in all. What the encoder reads. */
#pragma once

#include "base/arena.h"
#include "text/features.h"

typedef struct packed_batch {
    size_t n_tok, n_seq;
    int32_t *ids;       /* (n_tok) */
    int32_t *positions; /* (n_tok) place in its sequence; jumps over the holes of a mask */
    int32_t *segments;  /* (n_tok) */
    /* (n_tok) how many ids of its row up to it are no padding, or -1 for padding; NULL: positions tell as much */
    int32_t *counted;
    int32_t *start; /* (n_seq + 1) rows start[s] .. start[s + 1] - 1 are sequence s */
} packed_batch;

/* An empty batch with room for so many tokens and sequences, in arena memory. Fails with BERT_ERR_ARGUMENT (2^31 tokens
 * or more), BERT_ERR_MEMORY. */
bert_status packed_batch_create(packed_batch *batch, size_t most_tokens, size_t most_sequences, arena *memory,
                                bert_err *err);

/* Adds one sequence as encode_pair makes it: n ids, those from `second` on in segment 1. The room must be there. */
void packed_batch_add(packed_batch *batch, const int32_t *ids, size_t n, size_t second);

/* What was lost while texts became a batch; added to, not set. */
typedef struct packed_losses {
    size_t truncated; /* texts that did not fit */
    size_t dropped;   /* bytes that were not UTF-8 */
} packed_losses;

/* Texts (and pairs, or NULL) to a batch. losses may be NULL. Fails as encode_pair. */
bert_status packed_batch_from_texts(packed_batch *batch, const bert_tokenizer *tokenizer, const bert_text *texts,
                                    const bert_text *pairs, size_t n, size_t seq_len, encode_scratch *scratch,
                                    packed_losses *losses, arena *memory, bert_err *err);

/* The three matrices that BERT reads, and the bounds that they are held to. */
typedef struct packed_matrices {
    size_t n, seq_len;
    const int32_t *input_ids, *input_mask, *segment_ids; /* (n, seq_len) */
    size_t vocab_size, type_vocab_size;
    const int32_t *padding; /* its id, where positions are counted by ids; NULL: a position is a place */
} packed_matrices;

/* Packs the places where the mask is 1; each keeps its position in the row. Fails with BERT_ERR_ARGUMENT, naming row
 * and column: a mask value other than 0 and 1, a row without a 1; anywhere, an id outside [0, vocab_size), a segment
 * outside [0, type_vocab_size); and with BERT_ERR_MEMORY. */
bert_status packed_batch_from_matrices(packed_batch *batch, const packed_matrices *matrices, arena *memory,
                                       bert_err *err);
