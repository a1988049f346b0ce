/* Threads that share work.
 *
 * Each worker has a place where one job at a time is offered to it. A caller claims the places of idle workers, offers
 * its job in them, works itself, and takes back what nobody has taken yet: it never waits for a worker to wake, only
 * for one that works. Who waits spins first and sleeps then: waking a thread takes as long as an operation of one short
 * text. */
#include "base/threads.h"

#include "base/clock.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    STACK = 1 << 20, /* of a worker: addresses; what is not touched takes no memory */
    PAUSES = 32,     /* between two looks at the clock */
    LINE = 64,       /* of a cache: what one thread writes while others read beside it */
    WAITED_FOR = 1 << 30
};
static const double SPIN = 1e-4, TRY_AGAIN = 1; /* seconds */

/* On its caller's stack. */
typedef struct job {
    threads_part *f;
    void *context;
    size_t parts;
    _Alignas(LINE) atomic_size_t next; /* the first part that nobody has; one for each thread is given before */
    atomic_uint left;                  /* workers that may still use the job, and WAITED_FOR */
} job;

/* A place holds NULL (idle), one of these, or the job that is offered. */
static job claimed, working;

typedef struct worker {
    _Alignas(LINE) _Atomic(job *) place;
    atomic_uint asleep; /* a futex */
    size_t number;      /* in the job; also its first part */
} worker;

static struct {
    pthread_mutex_t growing;
    bool fork_handled;
    double grow_after; /* no thread could be started: not before then again */
    atomic_size_t n;
    worker workers[THREADS_MOST - 1];
} pool = { .growing = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct {
    size_t allowed; /* 0: as many as at first */
    size_t number;
    bool inside; /* a part */
} self;

/* ---- how many ---------------------------------------------------------------------------------------------------- */

/* Processors that the control group's share of time is worth; SIZE_MAX: no limit. */
static size_t processors_of_group(void)
{
    char text[64] = "";
    unsigned long share, period;
    int file = open("/sys/fs/cgroup/cpu.max", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    return size > 0 && sscanf(text, "%lu %lu", &share, &period) == 2 && share && period
               ? share / period + (share % period != 0)
               : SIZE_MAX;
}

static size_t processors(void)
{
    cpu_set_t sets[8];
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = sched_getaffinity(getpid(), sizeof sets, sets) ? online > 0 ? (size_t)online : 1
                                                              : (size_t)CPU_COUNT_S(sizeof sets, sets);
    size_t most = processors_of_group();
    return n < most ? n : most;
}

static size_t at_most(size_t n)
{
    return n < THREADS_MOST ? n : THREADS_MOST;
}

static size_t allowed_at_first(void)
{
    static atomic_size_t known;
    size_t n = atomic_load_explicit(&known, memory_order_relaxed);
    if (n)
        return n;
    const char *wanted = getenv("OMP_NUM_THREADS");
    char *end = NULL;
    n = wanted && *wanted >= '0' && *wanted <= '9' ? strtoul(wanted, &end, 10) : 0;
    if (!n || (*end && *end != ',')) /* a list is of nested regions */
        n = processors();
    n = at_most(n);
    atomic_store_explicit(&known, n, memory_order_relaxed);
    return n;
}

size_t threads_allowed(void)
{
    return self.inside ? 1 : self.allowed ? self.allowed : allowed_at_first();
}

size_t threads_allow(size_t n)
{
    size_t before = self.allowed;
    self.allowed = at_most(n);
    return before;
}

size_t threads_number(void)
{
    return self.number;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void sleep_while(atomic_uint *word, unsigned value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether it came true within the time that is worth spinning. */
static bool spin_until(bool (*is_true)(const void *), const void *of)
{
    double end = clock_seconds() + SPIN;
    do
        for (int i = 0; i < PAUSES; i++) {
            if (is_true(of))
                return true;
            pause_briefly();
        }
    while (clock_seconds() < end);
    return false;
}

/* ---- a job ------------------------------------------------------------------------------------------------------- */

/* As thread `number`: the part of that number, then what is left. */
static void work(job *j, size_t number)
{
    self.inside = true;
    self.number = number;
    j->f(j->context, number, number);
    while (atomic_load_explicit(&j->next, memory_order_relaxed) < j->parts) {
        size_t part = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed);
        if (part < j->parts)
            j->f(j->context, part, number);
    }
}

static bool is_over(const void *of)
{
    const job *j = of;
    return atomic_load_explicit(&j->left, memory_order_acquire) == 0;
}

static void wait_for_end(job *j)
{
    if (spin_until(is_over, j))
        return;
    for (unsigned left; (left = atomic_fetch_or(&j->left, WAITED_FOR) | WAITED_FOR) != WAITED_FOR;)
        sleep_while(&j->left, left);
}

/* The job is its caller's from here on, who may have gone when it is woken: then its address wakes nobody. */
static void leave(job *j)
{
    if (atomic_fetch_sub(&j->left, 1) == (WAITED_FOR | 1))
        wake(&j->left);
}

/* ---- workers ----------------------------------------------------------------------------------------------------- */

static bool is_offered(const void *of)
{
    const worker *w = of;
    job *j = atomic_load(&w->place);
    return j && j != &claimed;
}

static void *serve(void *of)
{
    worker *w = of;
    for (;;) {
        while (!spin_until(is_offered, w)) {
            atomic_store(&w->asleep, 1);
            if (!is_offered(w))
                sleep_while(&w->asleep, 1);
            atomic_store(&w->asleep, 0);
        }
        job *j = atomic_load(&w->place);
        if (!j || j == &claimed || !atomic_compare_exchange_strong(&w->place, &j, &working)) /* taken back */
            continue;
        work(j, w->number);
        atomic_store(&w->place, NULL); /* first, so that who waits for the end finds it idle */
        leave(j);
    }
    return NULL;
}

/* A child has none of its parent's threads. */
static void forget_workers(void)
{
    pthread_mutex_init(&pool.growing, NULL);
    for (size_t i = 0; i < atomic_load(&pool.n); i++) {
        atomic_store(&pool.workers[i].place, NULL);
        atomic_store(&pool.workers[i].asleep, 0);
    }
    atomic_store(&pool.n, 0);
}

/* Signals are for the program's own threads, but for those that a thread's own doing raises. */
static void own_signals(sigset_t *set)
{
    static const int RAISED[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    sigfillset(set);
    for (size_t i = 0; i < sizeof RAISED / sizeof *RAISED; i++)
        sigdelset(set, RAISED[i]);
}

static bool start_with(pthread_attr_t *how, size_t stack, worker *w)
{
    pthread_t thread;
    return !pthread_attr_setstacksize(how, stack) && !pthread_create(&thread, how, serve, w);
}

static bool start_worker(worker *w)
{
    pthread_attr_t how;
    sigset_t few, before;
    size_t usual;
    if (pthread_attr_init(&how))
        return false;
    own_signals(&few);
    pthread_sigmask(SIG_SETMASK, &few, &before);
    bool started = !pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED) &&
                   !pthread_attr_getstacksize(&how, &usual) &&
                   /* a program's thread-local variables lie on the stack, too */
                   (start_with(&how, STACK, w) || start_with(&how, usual, w));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&how);
    return started;
}

/* So many workers, or as many as can be started. */
static void team_grow(size_t wanted)
{
    double now = clock_seconds();
    pthread_mutex_lock(&pool.growing);
    size_t n = atomic_load(&pool.n);
    if (!pool.fork_handled)
        pool.fork_handled = !pthread_atfork(NULL, NULL, forget_workers);
    if (pool.fork_handled && now >= pool.grow_after) {
        for (; n < wanted && start_worker(&pool.workers[n]); n++)
            atomic_store(&pool.n, n + 1);
        pool.grow_after = n < wanted ? now + TRY_AGAIN : 0;
    }
    pthread_mutex_unlock(&pool.growing);
}

/* Up to `wanted` idle workers become the caller's. Returns how many. */
static size_t claim(uint16_t *team, size_t wanted)
{
    if (atomic_load_explicit(&pool.n, memory_order_acquire) < wanted)
        team_grow(wanted);
    size_t n = 0, all = atomic_load_explicit(&pool.n, memory_order_acquire);
    for (size_t i = 0; n < wanted && i < all; i++) {
        job *idle = NULL;
        if (!atomic_load_explicit(&pool.workers[i].place, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&pool.workers[i].place, &idle, &claimed))
            team[n++] = (uint16_t)i;
    }
    return n;
}

static void offer(worker *w, job *j, size_t number)
{
    w->number = number;
    atomic_store(&w->place, j);
    if (atomic_load(&w->asleep))
        wake(&w->asleep);
}

/* The job stands nowhere else while it lasts, so this takes back no other's. */
static bool take_back(worker *w, job *j)
{
    return atomic_compare_exchange_strong(&w->place, &j, NULL);
}

/* By the caller and up to `most` - 1 workers. */
static void run_shared(size_t parts, size_t most, threads_part *f, void *context)
{
    uint16_t team[THREADS_MOST - 1];
    size_t helpers = claim(team, most - 1);
    job j = { .f = f, .context = context, .parts = parts, .next = helpers + 1, .left = (unsigned)helpers };
    for (size_t i = 0; i < helpers; i++)
        offer(&pool.workers[team[i]], &j, i + 1);
    work(&j, 0);
    for (size_t i = 0; i < helpers; i++)
        if (take_back(&pool.workers[team[i]], &j)) {
            f(context, i + 1, 0);
            atomic_fetch_sub(&j.left, 1);
        }
    wait_for_end(&j);
    self.inside = false;
}

void threads_run(size_t parts, size_t threads, threads_part *f, void *context)
{
    size_t most = at_most(threads < parts ? threads : parts);
    if (most > 1 && !self.inside) {
        run_shared(parts, most, f, context);
        return;
    }
    for (size_t part = 0; part < parts; part++)
        f(context, part, 0);
}
