/* What a command writes, and may it: looked at before anything is read. */
#pragma once

#include "cli/command.h"

enum { OUTPUTS_MOST = 4 };

/* Refuses an output that is an input, by whatever name, another output, or a place where something stands that it does
 * not replace (bert.h, bert_output_check). argument: the command's, NULL for standard input. Returns an exit status;
 * what is wrong has been told. From here on a signal that ends the process takes with it what is under way (stop.h). */
int outputs_check(const command *c, const void *options, const char *argument);
