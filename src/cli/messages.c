/* What goes to standard error. */
#include "cli/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MOST = 4096 };

static void print_line(const char *kind, char *what)
{
    for (char *p = what; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    fprintf(stderr, "bert: %s: %s\n", kind, what);
}

int report_error(const char *format, ...)
{
    char what[LINE_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    print_line("error", what);
    return STATUS_FAILED;
}

int report_failure(const bert_err *err)
{
    return report_error("%s", err->message);
}

int report_usage(const command *c, const char *format, ...)
{
    char what[LINE_MOST], line[2 * LINE_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const char *name = c ? c->name : "";
    snprintf(line, sizeof line, "%s%s%s (see bert %s%s--help)", name, c ? ": " : "", what, name, c ? " " : "");
    print_line("error", line);
    return STATUS_USAGE;
}

void report_note(const char *format, ...)
{
    char what[LINE_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (char *line = what, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        print_line("note", line);
    }
}
