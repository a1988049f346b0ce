/* OUT.part.json: what OUT.part is made with, as one JSON object, then a line for each time that OUT.part was on the
 * disk up to some row. A line that is cut off does not count; the last whole one tells how far OUT.part is sound. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a part is. */
typedef struct part_state {
    size_t rows;    /* of the input that it tells of */
    uint64_t bytes; /* of it, an .npy's header among them */
    uint64_t hash;  /* of these bytes, without that header */
    uint64_t input; /* of the rows' texts */
} part_state;

/* What a log says. record: what this run is made with. */
typedef enum part_log_answer { LOG_SAME, LOG_OTHER, LOG_ABSENT } part_log_answer;

/* Reads a log; state is all zero where no line is whole. LOG_OTHER: `what` tells the difference. LOG_ABSENT: there is
 * none, or it is damaged. */
part_log_answer part_log_read(const char *path, const char *record, part_state *state, char *what, size_t size);

/* A log that begins with the record, or goes on. Its descriptor; -1 with errno. */
int part_log_begin(const char *path, const char *record);
int part_log_resume(const char *path);
/* Writes a line, on the disk when it returns. -1 with errno. */
int part_log_add(int log, const part_state *state);
