/* Making packed batches. */
#include "text/packed_batch.h"

#include "base/size.h"
#include "text/tokenizer.h"

#include <string.h>

bert_status packed_batch_create(packed_batch *b, size_t most_tokens, size_t most_sequences, arena *memory,
                                bert_err *err)
{
    *b = (packed_batch){ 0 };
    if (most_tokens > INT32_MAX || most_sequences > INT32_MAX)
        return fail(err, BERT_ERR_ARGUMENT, "a batch of %zu tokens in %zu sequences: there may be at most %d",
                    most_tokens, most_sequences, INT32_MAX);
    size_t bytes = most_tokens * sizeof(int32_t); /* only the starts are read before they are written */
    b->ids = arena_alloc_raw(memory, bytes);
    b->positions = arena_alloc_raw(memory, bytes);
    b->segments = arena_alloc_raw(memory, bytes);
    b->start = arena_array(memory, most_sequences + 1, sizeof *b->start);
    return b->ids && b->positions && b->segments && b->start ? BERT_OK : fail_memory(err, "a packed batch");
}

/* Adds one token to the sequence that is being added. */
static inline void packed_add_token(packed_batch *b, int32_t id, size_t position, int32_t segment)
{
    b->ids[b->n_tok] = id;
    b->positions[b->n_tok] = (int32_t)position;
    b->segments[b->n_tok++] = segment;
}

static inline void end_sequence(packed_batch *b)
{
    b->start[++b->n_seq] = (int32_t)b->n_tok;
}

void packed_batch_add(packed_batch *b, const int32_t *ids, size_t n, size_t second)
{
    for (size_t i = 0; i < n; i++)
        packed_add_token(b, ids[i], i, i >= second);
    end_sequence(b);
}

bert_status packed_batch_from_texts(packed_batch *b, const bert_tokenizer *tokenizer, const bert_text *texts,
                                    const bert_text *pairs, size_t n, size_t seq_len, encode_scratch *scratch,
                                    packed_losses *losses, arena *memory, bert_err *err)
{
    size_t cells;
    if (!mul_size(n, seq_len, &cells))
        return fail_memory(err, "a packed batch");
    bert_status s = packed_batch_create(b, cells, n, memory, err);
    for (size_t i = 0; !s && i < n; i++) {
        encoded row;
        int32_t *ids = b->ids + b->n_tok; /* encoded in place: packed_batch_add copies the ids onto themselves */
        s = encode_pair(tokenizer, texts[i], pairs ? pairs[i] : (bert_text){ 0 }, seq_len, scratch, ids, &row, err);
        if (s)
            return fail_in(err, s, "text %zu", i);
        packed_batch_add(b, ids, row.n, tokenizer->specials->second_segment ? row.second : row.n);
        if (losses) {
            losses->truncated += row.truncated;
            losses->dropped += row.dropped;
        }
    }
    return s;
}

/* Checks one row and counts its tokens. */
static bert_status packed_check_row(const packed_matrices *m, size_t row, size_t *n_tok, bert_err *err)
{
    size_t before = *n_tok;
    for (size_t col = 0; col < m->seq_len; col++) {
        size_t i = row * m->seq_len + col;
        int32_t id = m->input_ids[i], mask = m->input_mask[i], segment = m->segment_ids[i];
        if (mask != 0 && mask != 1)
            return fail(err, BERT_ERR_ARGUMENT, "input_mask: %d in row %zu, column %zu; 0 or 1 expected", mask, row,
                        col);
        if (id < 0 || (size_t)id >= m->vocab_size)
            return fail(err, BERT_ERR_ARGUMENT, "input_ids: %d in row %zu, column %zu; the vocabulary has %zu ids", id,
                        row, col, m->vocab_size);
        if (segment < 0 || (size_t)segment >= m->type_vocab_size)
            return fail(err, BERT_ERR_ARGUMENT, "segment_ids: %d in row %zu, column %zu; there are %zu segments",
                        segment, row, col, m->type_vocab_size);
        *n_tok += (size_t)mask;
    }
    return *n_tok > before ? BERT_OK : fail(err, BERT_ERR_ARGUMENT, "input_mask: no 1 in row %zu", row);
}

/* The places of a row where the mask is 1. Ids count whatever the mask says. */
static void packed_add_row(packed_batch *b, const packed_matrices *m, size_t row)
{
    int32_t count = 0;
    for (size_t col = 0, i = row * m->seq_len; col < m->seq_len; col++, i++) {
        bool counts = m->padding && m->input_ids[i] != *m->padding;
        count += counts;
        if (!m->input_mask[i])
            continue;
        if (b->counted)
            b->counted[b->n_tok] = counts ? count : -1;
        packed_add_token(b, m->input_ids[i], col, m->segment_ids[i]);
    }
    end_sequence(b);
}

bert_status packed_batch_from_matrices(packed_batch *b, const packed_matrices *m, arena *memory, bert_err *err)
{
    size_t n_tok = 0;
    for (size_t row = 0; row < m->n; row++) {
        bert_status s = packed_check_row(m, row, &n_tok, err);
        if (s)
            return s;
    }
    bert_status s = packed_batch_create(b, n_tok, m->n, memory, err);
    if (!s && m->padding && !(b->counted = arena_array(memory, n_tok, sizeof *b->counted)))
        s = fail_memory(err, "a packed batch");
    for (size_t row = 0; !s && row < m->n; row++)
        packed_add_row(b, m, row);
    return s;
}
