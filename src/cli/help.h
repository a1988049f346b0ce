/* --help, from the tables: nothing about an option is typed here. */
#pragma once

#include "cli/command.h"

int help_all(const command *const *commands); /* to standard output; returns an exit status */
int help_command(const command *c);
void help_hint(const command *const *commands); /* to standard error, where no command was given */
