/* A command line into a command's options, by the tables that the command lists. */
#pragma once

#include "cli/command.h"

enum { ARGUMENTS_HELP = -1 }; /* --help is asked for */

/* Fills options (zeroed, of c->options_size bytes) with defaults and what argv says; *argument is the one that is no
 * option, or NULL. Understands --name value, --name=value, --flag, --no-flag, -o value, -ovalue, and -- after which
 * nothing is an option. Returns ARGUMENTS_HELP or an exit status; what is wrong has been told. Strings in options point
 * into argv. */
int arguments_parse(const command *c, int argc, char **argv, void *options, const char **argument);

/* The name that a mistyped one was most likely meant to be. */
typedef struct nearest_name {
    const char *typed, *best; /* best: NULL where nothing is near */
    size_t n;                 /* characters of typed */
    int distance;             /* of best; larger ones are not near */
} nearest_name;

nearest_name nearest_to(const char *typed, size_t n);
void nearest_try(nearest_name *near, const char *name);
