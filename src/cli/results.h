/* Where results go: standard output, a pipe or a device; a file is output.h's. */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct results {
    FILE *stream;
    char *path; /* NULL: standard output */
    int error;  /* errno of the first write that failed; 0: none did */
} results;

/* Pipes and devices are written as they are: a rename would put a file in their place. */
bool results_special(const char *path);

/* path: NULL or "-" for standard output. Returns an exit status; what went wrong has been told. */
int results_open(results *r, const char *path);

void results_bytes(results *r, const void *bytes, size_t n);
void results_string(results *r, const char *string);
void results_line(results *r, const char *string); /* with a line break behind it where it does not end with one */
void results_printf(results *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void results_json_string(results *r, const char *bytes, size_t n); /* quoted; bytes that are not UTF-8 become U+FFFD */
void results_tsv(results *r, const char *bytes, size_t n);         /* a field: tabs and ends of lines as \t, \n and \r, a backslash as \\ */
void results_number(results *r, double x);                         /* nine significant digits; null where it is not finite */
void results_numbers(results *r, const float *x, size_t n, const char *between);

/* Hands on what was written so far; false: that, or an earlier write, failed. Nothing is told. */
bool results_push(results *r);
/* The same with a word to the user, and an exit status. A reader that went away (EPIPE) is a failure that nothing is said about. */
int results_flush(results *r);

/* Flushes, and closes what has a name. Returns status, or that of its own failure. */
int results_close(results *r, int status);

#endif
