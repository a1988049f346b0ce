/* What goes to standard error: errors, wrong usage, notes. */
#pragma once

#include "cli/command.h"

/* Prints "bert: error: WHAT"; control characters in it (a hostile file may put some there) become '?'. Returns
 * STATUS_FAILED. */
int report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an error of the library's. */
int report_failure(const bert_err *err);

/* Prints "bert: error: COMMAND: WHAT (see bert COMMAND --help)"; c may be NULL. Returns STATUS_USAGE. */
int report_usage(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "bert: note: WHAT"; what has several lines gives several notes. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
