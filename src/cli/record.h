/* What a run's results depend on, so that --resume goes on with the same alone. */
#pragma once

#include "cli/command.h"

/* JSON with a member a line: the options that change results, a fingerprint of the model and one of what it says on
 * this machine. Freed by free. Returns an exit status; what went wrong has been told. */
int record_make(const command *c, const void *options, const bert_model *model, bert_session *session, char **record);
