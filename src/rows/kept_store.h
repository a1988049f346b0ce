/* Where kept outputs lie: one mapping, of memory or of a file, with the same layout:
 *
 *     header (KEPT_HEADER bytes) | a kept_entry for each row | the rows, in the order in which they came
 *
 * A row counts as kept when its entry has a place, which is written after its data. So a process that is killed leaves
 * whole rows alone: what it has written to a shared mapping stays in its order. After a fall of the whole machine pages
 * may be missing, in any order; therefore an entry of a file has a checksum, seeded with the row's number, and a row
 * that an earlier run has left is compared with it when it is first read. */
#pragma once

#include "base/checksum.h"
#include "data/token_rows.h"

/* What the numbers are and what they come from. No padding: it is compared as bytes. */
typedef struct kept_header {
    char magic[16];
    uint32_t version, byte_order;
    uint64_t rows, tokens;  /* of the data */
    uint64_t layer, hidden; /* the layer that reads them, H */
    uint64_t token_bytes;   /* 4 H, or bf16: 2 H */
    uint64_t capacity;      /* tokens that there is room for */
    char module[72];        /* SHA-256 of module.json */
    char weights[72];       /* and of the weights, as module.json has it */
    char arithmetic[32];    /* the operations by name and precision: other ones give other bits */
    char library[16];       /* and so may another version of the library */
    unsigned char key[32];
    uint32_t zero, crc; /* of all before it */
} kept_header;

typedef struct kept_entry {
    uint64_t place;  /* 1 + tokens before it; 0: the row is not kept */
    uint32_t tokens; /* of the row */
    uint32_t crc;    /* of a file alone */
} kept_entry;

/* What this run knows of a row in a file. */
typedef enum row_seen { ROW_UNSEEN, ROW_WHOLE, ROW_DAMAGED } row_seen;

typedef struct kept_store {
    const token_rows *rows;
    size_t token_bytes;
    uint64_t capacity, used; /* tokens */
    size_t kept;             /* rows */
    unsigned char *mapping;  /* NULL: there is no room for anything */
    size_t mapped;           /* bytes */
    kept_entry *entries;     /* (rows->n) in the mapping */
    unsigned char *data;     /* (capacity, token_bytes) in the mapping */
    unsigned char *seen;     /* (rows->n) of a file: row_seen */
    int fd;                  /* of the file; -1: memory */
} kept_store;

/* All of it within `budget` bytes; path NULL: memory. `what` has all but magic, version, byte order, capacity and
 * checksum. *note receives constant words, or NULL. Fails with BERT_ERR_MEMORY, BERT_ERR_IO. */
bert_status kept_store_open(kept_store *s, const char *path, const kept_header *what, const token_rows *rows,
                            uint64_t budget, const char **note, bert_err *err);
void kept_store_close(kept_store *s);

/* The row's tokens; NULL: it is not kept. Any threads, none two of them the same row; so for the next. */
const void *kept_store_find(kept_store *s, size_t row);

/* Keeps a row that is not kept, where there is room. */
void kept_store_add(kept_store *s, size_t row, const void *tokens);
