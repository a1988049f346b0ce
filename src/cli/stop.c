/* Ctrl-C as a question. */
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void keep(int number)
{
    (void)number;
    asked = 1;
}

static void handle(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | (int)SA_RESETHAND };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void stop_watch(void)
{
    asked = 0;
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
