/* Where a long run's results go: standard output, or OUT, which appears under its name only when it is whole. Until
 * then they stand in OUT.part, and OUT.part.json records what they were made with and how far they are sound; both stay
 * where a run is stopped, for --resume. */
#pragma once

#include "cli/part_log.h"
#include "cli/results.h"

#include "bert.h"

typedef enum output_form {
    OUTPUT_LINES,
    OUTPUT_NPY /* a header, then floats, as many for each row */
} output_form;

/* Where a run writes, and what it does about an earlier one's part. */
typedef struct pipeline_target {
    const char *path; /* NULL: standard output */
    output_form form;
    size_t cols; /* npy: floats of a row */
    bool resume, force;
    const char *record; /* what the results depend on, as JSON with a member a line; NULL for standard output */
} pipeline_target;

typedef struct output {
    results to;
    pipeline_target target;
    char *path; /* NULL: not kept: standard output, a pipe, a device */
    char *part, *record;
    int log;          /* of OUT.part.json */
    size_t done;      /* resumed: rows that the part has */
    part_state whole; /* what is complete */
    double synced;    /* the clock when the log was written last */
    bool refused;     /* what there is stays as it is, without a word */
} output;

typedef enum output_state { OUTPUT_READY, OUTPUT_DONE, OUTPUT_FAILED } output_state;

/* OUTPUT_DONE: there is nothing left to do, which has been told, as what went wrong has. A part with rows is refused
 * unless the target resumes it or is forced. */
output_state output_open(output *o, const pipeline_target *target);

/* Goes on behind the rows that are done, whose texts have this hash (output_hash). Returns an exit status. */
int output_continue(output *o, uint64_t input);

/* A hash of texts that goes on from an earlier one; the first: HASH_START. */
uint64_t output_hash(uint64_t hash, const bert_rows *rows);

/* These rows' results have been handed on: they count from here on, and now and then they are put on the disk. */
void output_wrote(output *o, const bert_rows *rows);

/* Puts the file under its name if status is fine, else keeps what is complete and says how to go on. Returns status, or
 * that of its own failure. */
int output_close(output *o, int status);
