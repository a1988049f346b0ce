/* Where results go: standard output, a pipe or a device; a file is output.h's. */
#pragma once

#include "bert.h"

typedef struct results {
    int fd;
    char *path;       /* NULL: standard output */
    bert_buffer text; /* what is appended here is handed on by those below */
    int error;        /* errno of the first write that failed; 0: none did */
} results;

/* Standard output (NULL or "-"), pipes and devices are written as they are: a rename would put a file in their
 * place. */
bool results_special(const char *path);

/* path: NULL or "-" for standard output. Returns an exit status; what went wrong has been told. */
int results_open(results *r, const char *path);

/* Writes n bytes; errno of the first write that fails, else 0. */
int results_write(int fd, const char *bytes, size_t n);

/* Hands on what is there; false: that, or an earlier write, failed. Nothing is told. */
bool results_push(results *r);
/* The same once it is worth a call: for the end of each line. */
void results_line_done(results *r);
/* The same as results_push with a word to the user, and an exit status. A reader that went away (EPIPE) is a failure
 * that nothing is said about. */
int results_flush(results *r);

/* Flushes, and closes what has a name. Returns status, or that of its own failure. */
int results_close(results *r, int status);

/* "23.1 MB" */
void results_size(bert_buffer *text, double bytes);

/* Prints what a command put together, and frees it. Returns status, or that of its own failure. */
int results_print(bert_buffer *text, int status);
/* Prints lines of the library's, with a line break at their end, and frees them. */
int results_print_lines(char *lines);
