/* Threads that share work: every part is done once, by whoever is there, beside any number of callers, and where no
 * thread can be started. */
#include "base/threads.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

enum { MOST_PARTS = 200, MOST_THREADS = 40 };
static const char *program;

typedef struct tally {
    atomic_int done[MOST_PARTS];
    atomic_bool busy[MOST_THREADS]; /* by number */
    atomic_bool wrong;
    size_t threads;
} tally;

static void count_part(void *context, size_t part, size_t thread)
{
    tally *t = context;
    if (thread >= t->threads || atomic_exchange(&t->busy[thread], true) || threads_number() != thread ||
        threads_allowed() != 1)
        atomic_store(&t->wrong, true);
    atomic_fetch_add(&t->done[part], 1);
    for (volatile int i = 0; i < 50; i++)
        ;
    atomic_store(&t->busy[thread], false);
}

/* Whether each part is done once and no number is used twice at a time. */
static bool counts(size_t parts, size_t threads)
{
    tally t = { .threads = threads ? threads : 1 };
    threads_run(parts, threads, count_part, &t);
    bool fine = !t.wrong;
    for (size_t i = 0; i < MOST_PARTS; i++)
        fine = fine && t.done[i] == (i < parts);
    return fine;
}

/* Below only where work is shared: a caller that is alone is not inside of anything. */
static void count_alone(void *context, size_t part, size_t thread)
{
    int *done = context;
    assert_int_equal(thread, 0);
    assert_int_equal(threads_allowed(), 5);
    assert_int_equal(done[part]++, 0);
}

static void one_thread_does_all_parts_in_order_and_may_share_each(void **state)
{
    (void)state;
    int done[7] = { 0 };
    size_t before = threads_allow(5);
    threads_run(7, 1, count_alone, done);
    threads_run(1, 5, count_alone, &(int){ 0 });
    threads_run(0, 5, count_alone, NULL);
    threads_allow(before);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(done[i], 1);
}

static void every_part_is_done_once(void **state)
{
    (void)state;
    for (size_t parts = 2; parts <= MOST_PARTS; parts += 1 + parts / 3)
        for (size_t threads = 2; threads <= MOST_THREADS; threads = threads * 3 / 2)
            for (int round = 0; round < 20; round++)
                assert_true(counts(parts, threads));
}

/* ---- at once ----------------------------------------------------------------------------------------------------- */

/* Waits until all parts are under way. */
static void meet(void *context, size_t part, size_t thread)
{
    (void)part, (void)thread;
    atomic_int *missing = context;
    atomic_fetch_sub(missing, 1);
    for (double end = clock_seconds() + 60; atomic_load(missing) > 0 && clock_seconds() < end;)
        sched_yield();
}

static bool all_meet(int n)
{
    double start = clock_seconds();
    atomic_int missing = n;
    threads_run((size_t)n, (size_t)n, meet, &missing);
    return clock_seconds() - start < 60;
}

static void threads_work_at_the_same_time(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++)
        assert_true(all_meet(2));
    assert_true(all_meet(9)); /* more than there are processors, perhaps */
    usleep(2000);             /* they sleep */
    assert_true(all_meet(9));
}

typedef struct inner_run {
    pthread_t thread;
    size_t number;
    int done;
    bool elsewhere;
} inner_run;

static void note_thread(void *context, size_t part, size_t thread)
{
    inner_run *r = context;
    (void)part;
    r->done++;
    r->elsewhere = r->elsewhere || thread || threads_number() != r->number || !pthread_equal(r->thread, pthread_self());
}

static void run_inside(void *context, size_t part, size_t thread)
{
    inner_run r = { pthread_self(), thread, 0, false };
    threads_run(8, 4, note_thread, &r);
    ((bool *)context)[part] = r.done == 8 && !r.elsewhere;
}

static void work_that_is_shared_is_not_shared_again(void **state)
{
    (void)state;
    bool right[9] = { false };
    threads_run(9, 3, run_inside, right);
    for (size_t i = 0; i < 9; i++)
        assert_true(right[i]);
    assert_true(counts(MOST_PARTS, 3));
}

static void *call_often(void *failed)
{
    for (size_t round = 0; round < 400; round++)
        if (!counts(2 + round % (MOST_PARTS - 2), 2 + round % 5))
            atomic_store((atomic_bool *)failed, true);
    return NULL;
}

static void many_callers_share_the_threads(void **state)
{
    (void)state;
    enum { CALLERS = 12 };
    pthread_t callers[CALLERS];
    atomic_bool failed = false;
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_often, &failed), 0);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    assert_false(failed);
}

/* ---- what a thread may use --------------------------------------------------------------------------------------- */

static void *look_at_allowed(void *out)
{
    *(size_t *)out = threads_allowed();
    return NULL;
}

static void each_thread_has_an_allowance_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    size_t first = threads_allowed(), others = 0, before = threads_allow(first + 3);
    assert_int_equal(threads_allowed(), first + 3);
    pthread_create(&thread, NULL, look_at_allowed, &others);
    pthread_join(thread, NULL);
    assert_int_equal(others, first);
    assert_int_equal(threads_allow(before), first + 3);
    assert_int_equal(threads_allowed(), first);
    threads_allow(SIZE_MAX);
    assert_int_equal(threads_allowed(), THREADS_MOST);
    threads_allow(0);
}

/* What this program, started with OMP_NUM_THREADS, says that it may use. */
static int allowed_with(const char *setting)
{
    char command[600];
    int n = 0;
    snprintf(command, sizeof command, "%s '%s' allowed", setting, program);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    assert_int_equal(fscanf(child, "%d", &n), 1);
    pclose(child);
    return n;
}

static void the_first_allowance_is_the_environments_else_the_processors(void **state)
{
    (void)state;
    int all = allowed_with("unset OMP_NUM_THREADS;");
    assert_in_range(all, 1, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(allowed_with("OMP_NUM_THREADS=3"), 3);
    assert_int_equal(allowed_with("OMP_NUM_THREADS=7,2"), 7);
    assert_int_equal(allowed_with("OMP_NUM_THREADS=99999999999999999999999"), THREADS_MOST);
    static const char *const NONE[] = { "OMP_NUM_THREADS=", "OMP_NUM_THREADS=0", "OMP_NUM_THREADS=-2",
                                        "OMP_NUM_THREADS=two", "OMP_NUM_THREADS=2x" };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_int_equal(allowed_with(NONE[i]), all);
    assert_int_equal(allowed_with("unset OMP_NUM_THREADS; taskset 1"), 1);
}

static void look_at_signals(void *context, size_t part, size_t thread)
{
    static const int OURS[] = { SIGINT, SIGTERM, SIGUSR1, SIGCHLD }, OWN[] = { SIGSEGV, SIGBUS, SIGSYS };
    atomic_int *seen = context;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    bool right = true;
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        right = right && sigismember(&mask, OURS[i]) == (thread > 0);
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        right = right && !sigismember(&mask, OWN[i]);
    if (right)
        atomic_fetch_add(&seen[0], 1);
    meet(&seen[1], part, thread);
}

static void signals_of_the_process_go_to_its_own_threads(void **state)
{
    (void)state;
    atomic_int seen[2] = { 0, 2 };
    threads_run(2, 2, look_at_signals, seen);
    assert_int_equal(seen[0], 2);
}

/* As much stack as bert.h asks of a caller's thread. */
static void use_stack(void *context, size_t part, size_t thread)
{
    (void)part;
    volatile char room[128 << 10];
    for (size_t i = 0; i < sizeof room; i += 1024)
        room[i] = (char)thread;
    meet(context, (size_t)room[0], thread);
}

static void a_part_has_stack_enough(void **state)
{
    (void)state;
    atomic_int missing = 2;
    threads_run(2, 2, use_stack, &missing);
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

/* How a child that runs f ends. */
static int in_child(int (*f)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(100);
        exit(f());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int without_memory(void)
{
    struct rlimit none = { 1, 1 };
    if (setrlimit(RLIMIT_AS, &none))
        return 1;
    return counts(100, 4) && counts(100, 4) ? 0 : 2;
}

/* The first test: a later child could use the stacks of its parent's threads. */
static void where_no_thread_can_be_started_the_caller_does_all(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    assert_int_equal(in_child(without_memory), 0);
}

static int meet_and_end(void)
{
    return all_meet(3) && counts(MOST_PARTS, 3) ? 0 : 1;
}

static int meet_sleep_and_end(void)
{
    return meet_and_end() | usleep(5000);
}

static void a_child_has_threads_of_its_own_and_ends_with_them(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__) /* it ends a child of many threads that starts one */
    skip();
#endif
    assert_true(all_meet(3));
    for (int round = 0; round < 20; round++) {
        assert_int_equal(in_child(meet_and_end), 0);
        assert_int_equal(in_child(meet_sleep_and_end), 0);
    }
    assert_true(all_meet(3));
}

static void *call_until(void *over)
{
    while (!atomic_load((atomic_bool *)over))
        counts(20, 4);
    return NULL;
}

static void a_child_works_where_it_is_made_amid_the_work_of_others(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip();
#endif
    pthread_t thread;
    atomic_bool over = false;
    pthread_create(&thread, NULL, call_until, &over);
    for (int round = 0; round < 20; round++)
        assert_int_equal(in_child(meet_and_end), 0);
    atomic_store(&over, true);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1) {
        printf("%zu\n", threads_allowed());
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_no_thread_can_be_started_the_caller_does_all),
        cmocka_unit_test(one_thread_does_all_parts_in_order_and_may_share_each),
        cmocka_unit_test(every_part_is_done_once),
        cmocka_unit_test(threads_work_at_the_same_time),
        cmocka_unit_test(work_that_is_shared_is_not_shared_again),
        cmocka_unit_test(many_callers_share_the_threads),
        cmocka_unit_test(each_thread_has_an_allowance_of_its_own),
        cmocka_unit_test(the_first_allowance_is_the_environments_else_the_processors),
        cmocka_unit_test(signals_of_the_process_go_to_its_own_threads),
        cmocka_unit_test(a_part_has_stack_enough),
        cmocka_unit_test(a_child_has_threads_of_its_own_and_ends_with_them),
        cmocka_unit_test(a_child_works_where_it_is_made_amid_the_work_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
