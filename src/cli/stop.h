/* Signals. SIGINT, SIGTERM and SIGHUP end the process, and what it has under way goes with it: nothing half-written is
 * left. Long work that can end in order takes the first one as a question: it asks now and then whether it should stop.
 * A signal that was ignored as the process began (nohup, a script's background) stays so. */
#pragma once

#include <stdbool.h>

/* Once, at the start. */
void stop_begin(void);
/* What is under way beside this path (bert_remove_leftovers) goes with the process. The string stays the caller's. */
void stop_cleans(const char *path);

/* From here on the first signal is kept, and prints `answer` on standard error at once (NULL: nothing); the second one
 * ends the process. */
void stop_watch(const char *answer);
bool stop_asked(void);
void stop_forget(void); /* from here on the first one ends the process again */
