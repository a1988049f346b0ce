/* Kept outputs: what the lowest tuned layer reads is the same for a text in every epoch as long as the layers below it
 * run without dropout. It is computed once and kept, in memory or in a mapped file, while there is room; what has no
 * room is computed each time. The bits are the same either way. */
#pragma once

#include "data/token_rows.h"
#include "layers/layer.h"

typedef struct kept_outputs kept_outputs;

typedef struct kept_options {
    uint64_t budget;       /* bytes */
    bool bf16;             /* kept as bfloat16, two bytes a number; then every row is rounded so, kept or not */
    const char *path;      /* a file that keeps them from run to run; NULL: memory */
    unsigned char key[32]; /* hash of data set, tokenizer, seq_len; the file has module, layer and arithmetic as well */
} kept_options;

/* For the rows `rows` of a layer whose first_kept is above 0; both must outlive it, and the layer's precision stay as
 * it is. A file of other data, of another module or damaged is made anew; one that another process is using, or that
 * the disk has no room for, is left alone and memory taken instead (*note, where not NULL, then points to constant
 * words that say so, else is NULL). Fails with BERT_ERR_MEMORY; BERT_ERR_IO: the file cannot be opened. */
bert_status kept_create(kept_outputs **kept, bert_layer *layer, const token_rows *rows, const kept_options *options,
                        const char **note, bert_err *err);
void kept_free(kept_outputs *kept);

/* x (all their tokens, H) = what layer first_kept reads, for the given rows (each once), one row behind the other.
 * Those that are not kept yet are computed in threads (called outside a parallel region), and kept where there is room.
 * One thread calls. Fails with BERT_ERR_MEMORY. */
bert_status kept_read(kept_outputs *kept, const uint32_t *rows, size_t n, float *x, bert_err *err);

/* The same on the calling thread and in the caller's arena: for threads that take a tile each. No two may have the same
 * row. */
bert_status kept_tile(kept_outputs *kept, const uint32_t *rows, size_t n, float *x, arena *a, bert_err *err);

/* Computes and keeps rows first .. first + n - 1, but for those that are kept. One thread calls. Fails with
 * BERT_ERR_MEMORY. */
bert_status kept_fill(kept_outputs *kept, size_t first, size_t n, bert_err *err);

/* Frees what computing takes, until something is computed. */
void kept_rest(kept_outputs *kept);

size_t kept_layer(const kept_outputs *kept);
uint64_t kept_bytes(const kept_outputs *kept); /* in use */
size_t kept_rows(const kept_outputs *kept);    /* rows that are kept so far */
