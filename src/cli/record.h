/* What a run's results depend on, so that --resume goes on with the same alone. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "cli/command.h"

/* JSON with a member a line: the options that change results, fingerprints of what the model says on this machine and of how the input (NULL:
 * standard input) begins. Freed by free. Returns an exit status; what went wrong has been told. */
int record_make(const command *c, const void *options, bert_session *session, const char *input, char **record);

#endif
