/* A data set's rows as the ids that BERT reads, one row behind the other without padding. */
#pragma once

#include "data/dataset.h"
#include "text/packed_batch.h"

/* What the texts of a row become. */
typedef enum row_form {
    ROW_TOGETHER, /* one sequence of one text or two */
    ROW_APART,    /* two sequences of one text, each at most seq_len */
    /* one sequence of one text whose words are divided by blanks; it is known which token begins which word */
    ROW_WORDS
} row_form;

enum { TOKEN_ARRAYS = 5 };

/* All zero is empty. Immutable once made. */
typedef struct token_rows {
    row_form form;
    size_t n;
    const size_t *start; /* (n + 1) row i is ids[start[i] .. start[i + 1]) */
    /* (n) TOGETHER: how many of its ids stand before the second text, all where there is none. APART: length of the
     * first sequence */
    const uint32_t *second;
    const int32_t *ids; /* (start[n]) */
    /* WORDS: (start[n]) the word, counted in its row, whose first piece a token is; -1: it begins none. Else NULL */
    const int32_t *words;
    const uint32_t *text; /* (n) windows: which text the row is of, in rising order; else NULL: row i is text i */
    bool one_segment;     /* the second text is of the first one's segment (special_template) */
    size_t longest;       /* ids of the longest row */
    packed_losses losses;
    size_t before;             /* texts of the caller before the first of these, for messages */
    void *owned[TOKEN_ARRAYS]; /* the memory of these arrays, where it is theirs: token_rows_free frees it */
} token_rows;

/* Tokenises every row, in threads; the result does not depend on their number. Fails as encode_pair, the message begins
 * with the row's place; with BERT_ERR_DATA for APART without second texts. */
bert_status token_rows_create(token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len,
                              row_form form, bert_err *err);
void token_rows_free(token_rows *t);

/* Sequences of a row. */
static inline size_t token_rows_sequences(const token_rows *t)
{
    return t->form == ROW_APART ? 2 : 1;
}

static inline size_t token_rows_length(const token_rows *t, size_t row)
{
    return t->start[row + 1] - t->start[row];
}

/* Which text a row is of. */
static inline size_t token_rows_text(const token_rows *t, size_t row)
{
    return t->text ? t->text[row] : row;
}

/* The given rows as one batch in arena memory; APART: sequences 2 i and 2 i + 1 are those of the i-th. Fails as
 * packed_batch_create. */
bert_status token_rows_pack(const token_rows *t, const uint32_t *rows, size_t n, packed_batch *batch, arena *memory,
                            bert_err *err);
