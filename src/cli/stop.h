/* Ctrl-C as a question: long work asks now and then whether it should stop, and ends in order. A second one, or SIGTERM after it, ends the
 * process. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdbool.h>

/* From here on SIGINT and SIGTERM are kept; the first one prints `answer` on standard error at once (NULL: nothing). */
void stop_watch(const char *answer);
bool stop_asked(void);
void stop_forget(void); /* from here on they end the process again */

#endif
