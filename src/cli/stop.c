/* Signals: the end of the process, or a question. */
#include "cli/stop.h"
#include "bert.h"
#include "cli/outputs.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };
enum { N_SIGNALS = sizeof SIGNALS / sizeof *SIGNALS };

static volatile sig_atomic_t watched, asked;
static const char *volatile said;
static const char *volatile paths[OUTPUTS_MOST];
static volatile sig_atomic_t n_paths;

/* What the process holds open it has locked: with all of it closed, its temporaries are leftovers like a killed run's,
 * and go the same way. In the first thread, so that nothing of it is written meanwhile. Calls nothing that a signal
 * handler may not call. */
static void end(int number)
{
    if (syscall(SYS_gettid) != getpid()) {
        syscall(SYS_tgkill, getpid(), getpid(), number);
        return;
    }
    if (n_paths) {
        if (syscall(SYS_close_range, 3u, ~0u, 0u))
            for (int fd = 3; fd < 1024; fd++)
                close(fd);
        for (int i = 0; i < n_paths; i++)
            bert_remove_leftovers(paths[i]);
    }
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigaction(number, &action, NULL);
    raise(number); /* as soon as this handler returns */
}

static void handle(int number)
{
    if (!watched || asked) {
        end(number);
        return;
    }
    asked = 1;
    ssize_t written = said ? write(STDERR_FILENO, said, strlen(said)) : 0;
    (void)written; /* where nobody listens there is nobody to tell */
}

void stop_begin(void)
{
    for (int i = 0; i < N_SIGNALS; i++) {
        struct sigaction before, action = { .sa_handler = handle, .sa_flags = SA_RESTART };
        for (int k = 0; k < N_SIGNALS; k++)
            sigaddset(&action.sa_mask, SIGNALS[k]);
        if (!sigaction(SIGNALS[i], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &action, NULL);
    }
}

void stop_cleans(const char *path)
{
    if (n_paths < OUTPUTS_MOST) {
        paths[n_paths] = path;
        n_paths = n_paths + 1;
    }
}

void stop_watch(const char *answer)
{
    asked = 0;
    said = answer;
    watched = 1;
}

bool stop_asked(void)
{
    return asked;
}

void stop_forget(void)
{
    watched = 0;
}
