/* Rows of a table in, results out, in order and with constant memory, while three threads read, compute and write: what
 * embed and predict have in common. */
#pragma once

#include "cli/output.h"
#include "cli/rows.h"

/* Some rows, and what is computed of them. */
typedef struct row_chunk {
    size_t first;          /* rows of the input before these */
    bert_rows rows;        /* without labels */
    float *numbers;        /* (most, numbers) scores or vectors */
    size_t *counts;        /* (most) */
    bert_entity *entities; /* (n_entities) */
    size_t n_entities, entities_room;
} row_chunk;

/* Keeps a copy of what belongs to a session; false: out of memory. */
bool row_chunk_keep_entities(row_chunk *c, const bert_entity *entities, size_t n);

typedef struct pipeline_work {
    void *context;
    size_t most;    /* rows of a row_chunk */
    size_t numbers; /* floats that one of them needs */
    /* where it fails, c->rows.n becomes the number of rows that are done */
    bert_status (*compute)(void *context, row_chunk *c, bert_err *err);
    void (*write)(void *context, const row_chunk *c, results *out);
} pipeline_work;

/* Words of --format, in the order of bert_answer_format; NULL ends them. */
extern const char *const ANSWER_FORMATS[];

/* Whether OUT can be what the options ask for. Returns an exit status; what is wrong has been told. */
int target_check(const command *c, const char *path, bool npy, bool resume);

/* Reads path (NULL: standard input) to its end; *n counts the rows of this run. SIGINT and SIGTERM stop it where
 * everything so far is written. Returns an exit status; what went wrong has been told. */
int pipeline_run(const char *path, const rows_options *options, const pipeline_work *work,
                 const pipeline_target *target, size_t *n);
