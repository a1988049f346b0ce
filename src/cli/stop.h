/* Ctrl-C as a question: long work asks now and then whether it should stop, and ends in order. A second Ctrl-C ends the process. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdbool.h>

void stop_watch(void); /* from here on SIGINT and SIGTERM are kept */
bool stop_asked(void);
void stop_forget(void); /* from here on they end the process again */

#endif
