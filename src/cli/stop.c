/* Ctrl-C as a question. */
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static const char *said;

static void handle(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Calls nothing that a signal handler may not call. */
static void keep(int number)
{
    handle(SIG_DFL);
    if (asked) { /* a second one that came before the first one's handler had run */
        raise(number);
        return;
    }
    asked = 1;
    ssize_t written = said ? write(STDERR_FILENO, said, strlen(said)) : 0;
    (void)written; /* where nobody listens there is nobody to tell */
}

void stop_watch(const char *answer)
{
    asked = 0;
    said = answer;
    handle(keep);
}

bool stop_asked(void)
{
    return asked;
}

void stop_forget(void)
{
    handle(SIG_DFL);
}
