/* Where a long run's results go: standard output, or OUT, which appears under its name only when it is whole. Until then they stand in OUT.part,
 * and OUT.part.json records what they were made with; both stay where a run is stopped, for --resume. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/results.h"

typedef enum output_form {
    OUTPUT_LINES,    /* a line a row */
    OUTPUT_NUMBERED, /* any number of lines a row, each begins with the row's number */
    OUTPUT_NPY       /* a header, then floats, as many for each row */
} output_form;

typedef struct output {
    results to;
    output_form form;
    size_t cols; /* npy: floats of a row */
    size_t rows; /* npy: that were written behind those that were there */
    bool resume, refused;
    char *path; /* NULL: not kept: standard output, a pipe, a device */
    char *part, *record;
    size_t done; /* resumed: rows that the part has, the last of which is computed again: what it says must be the same */
    char *last;  /* (last_size) what it says of that row */
    size_t last_size;
    long last_at; /* where in the part that begins */
} output;

typedef enum output_state { OUTPUT_READY, OUTPUT_DONE, OUTPUT_FAILED } output_state;

/* record: what the results depend on, as JSON with a member a line; NULL for standard output. resume: goes on with a part where there is one.
 * OUTPUT_DONE: there is nothing left to do, which has been told, as what went wrong has. */
output_state output_open(output *o, const char *path, output_form form, size_t cols, bool resume, const char *record);

/* Goes on behind the rows that are done: text is what this run says of the last of them. Returns an exit status. */
int output_continue(output *o, const char *text, size_t size);

/* Puts the file under its name if status is fine, else keeps what is complete and says how to go on. Returns status, or that of its own
 * failure. */
int output_close(output *o, int status);

#endif
