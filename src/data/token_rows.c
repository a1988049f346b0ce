/* Rows of tokens: making them once, and packing some of them into a batch. */
#include "data/token_reader.h"

#include <stdlib.h>

bert_status token_rows_create(token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len,
                              row_form form, bert_err *err)
{
    token_reader reader = { 0 };
    const row_reading how = { .tokenizer = tokenizer, .seq_len = seq_len, .form = form };
    const texts_to_read from = { d->n, d->texts, d->pairs, d, 0 };
    bert_status s = token_reader_run(&reader, &from, &how, err);
    *t = reader.rows;
    for (int k = 0; !s && k < TOKEN_ARRAYS; k++) { /* the rows take their memory with them */
        t->owned[k] = reader.arrays[k].data;
        reader.arrays[k].data = NULL;
    }
    token_reader_free(&reader);
    return s;
}

void token_rows_free(token_rows *t)
{
    for (int k = 0; k < TOKEN_ARRAYS; k++)
        free(t->owned[k]);
    *t = (token_rows){ 0 };
}

bert_status token_rows_pack(const token_rows *t, const uint32_t *rows, size_t n, packed_batch *batch, arena *memory,
                            bert_err *err)
{
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++)
        tokens += token_rows_length(t, rows[i]);
    bert_status s = packed_batch_create(batch, tokens, n * token_rows_sequences(t), memory, err);
    for (size_t i = 0; !s && i < n; i++) {
        const int32_t *ids = t->ids + t->start[rows[i]];
        size_t length = token_rows_length(t, rows[i]), second = t->second[rows[i]];
        if (t->form == ROW_APART) {
            packed_batch_add(batch, ids, second, second);
            packed_batch_add(batch, ids + second, length - second, length - second);
        } else {
            packed_batch_add(batch, ids, length, t->one_segment ? length : second);
        }
    }
    return s;
}
