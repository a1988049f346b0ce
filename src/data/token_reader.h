/* Tokenising texts into rows, again and again in the same memory: what token_rows_create and sessions do. */
#pragma once

#include "data/token_rows.h"
#include "data/windows.h"

/* How texts become rows. */
typedef struct row_reading {
    const bert_tokenizer *tokenizer;
    size_t seq_len;
    row_form form;
    /* what does not fit is read in several rows and not cut; not APART; seq_len leaves a pair WINDOWS_LEAST_ROOM */
    bool windows;
    size_t stride; /* of windows; 0: half of what fits */
} row_reading;

/* The texts that are read: a data set's, or the caller's by themselves, which messages number from `first` on. */
typedef struct texts_to_read {
    size_t n;
    const bert_text *texts, *pairs; /* (n) each; pairs may be NULL */
    const bert_dataset *d;          /* or NULL */
    size_t first;
} texts_to_read;

/* Memory that a call may use again. */
typedef struct kept_array {
    void *data;
    size_t bytes;
} kept_array;

/* One thread's calls. All zero before the first. With one thread a call allocates nothing where one before it had as
 * many texts of these lengths. */
typedef struct token_reader {
    token_rows rows; /* of the last call; they stay until the next one */
    struct token_run *runs;
    size_t n_runs;
    kept_array arrays[TOKEN_ARRAYS]; /* what rows point to */
} token_reader;

/* Makes reader->rows of the texts, in threads. Fails as token_rows_create; the rows are empty then. */
bert_status token_reader_run(token_reader *reader, const texts_to_read *from, const row_reading *how, bert_err *err);
void token_reader_free(token_reader *reader);
