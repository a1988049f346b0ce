/* The command line as it was typed, so that a person can be told how to go on. */
#pragma once

#include <stdio.h>

void command_line_keep(int argc, char **argv); /* once, by main */

/* The words, quoted where a shell wants that, then `more` as it is. */
void command_line_print(FILE *out, const char *more);
