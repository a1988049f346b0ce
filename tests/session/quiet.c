/* A prediction on one thread, once warm, does nothing but compute: it allocates nothing, and asks the system for
 * nothing. */
#include "session/frozen_toys.h"

#include "each_isa.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- counting ---------------------------------------------------------------------------------------------------- */

/* volatile: the compiler knows that no malloc reads or writes what is static here. */
static volatile bool counting;
static volatile size_t counted;

#if !defined(SANITIZED) && defined(__GLIBC__)
#define COUNTS 1
/* In front of the C library's, for every library of the program. */
#pragma GCC visibility push(default)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
    counted += counting;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    counted += counting;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    counted += counting;
    return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    counted += counting;
    return __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
    counted += counting;
    *p = __libc_memalign(align, size);
    return *p ? 0 : ENOMEM;
}

void free(void *p)
{
    counted += counting;
    __libc_free(p);
}
#pragma GCC visibility pop
#else
#define COUNTS 0
#endif

/* ---- what is run ------------------------------------------------------------------------------------------------- */

enum { MOST = 40, SEQ_LEN = 24 };

static const char *const TAGS[] = { "O", "B-X", "I-X" };

static bert_model *frozen_model(bert_task task, int precision)
{
    bert_head_spec head = task == BERT_TASK_TOKENS ? toy_head(BERT_TASK_TOKENS, TAGS, 3)
                                                   : toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    return frozen_copy(toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, SEQ_LEN, &head), precision);
}

static bert_session *one_thread(const bert_model *model, int64_t window)
{
    bert_session_options options = session_options(1);
    options.window = window;
    options.pooling = window ? BERT_POOLING_MEAN : BERT_POOLING_AUTO;
    return session_of(model, &options);
}

/* Texts of up to `longest` tokens, and where the results go: what a call needs is made before it is counted. */
typedef struct workload {
    bert_session *session;
    bool entities;
    bert_text texts[MOST], pairs[MOST];
    size_t counts[MOST];
    float *scores, *vectors, *hidden, *attention;
} workload;

static workload *workload_of(bert_session *session, bool entities, size_t longest, uint64_t seed)
{
    random_stream r = { seed, 3, 0 };
    workload *w = arena_alloc(&golden_memory, sizeof *w);
    *w = (workload){ .session = session, .entities = entities };
    for (size_t i = 0; i < MOST; i++) {
        w->texts[i] = toy_text(&r, i ? random_below(&r, (uint32_t)longest + 1) : longest);
        w->pairs[i] = toy_text(&r, i ? random_below(&r, (uint32_t)longest + 1) : longest);
    }
    w->scores = arena_alloc(&golden_memory, MOST * 2 * sizeof(float));
    w->vectors = arena_alloc(&golden_memory, MOST * SEQ_LEN * TOY_HIDDEN * sizeof(float));
    w->hidden = arena_alloc(&golden_memory, MOST * SEQ_LEN * TOY_HIDDEN * sizeof(float));
    w->attention = arena_alloc(&golden_memory, MOST * 5 * SEQ_LEN * SEQ_LEN * sizeof(float));
    return w;
}

/* Every call of a session on n texts. false: one failed. */
static bool run_calls(workload *w, size_t n, bool several)
{
    const bert_entity *found;
    size_t n_found, truncated;
    const int64_t layers[] = { 1 };
    float *hidden[] = { w->hidden }, *attention[] = { w->attention };
    const bert_outputs outputs = { w->scores, w->vectors, w->counts, layers, 1, hidden, attention };
    if (w->entities)
        return !bert_session_entities(w->session, w->texts, n, &found, &n_found, &truncated, NULL);
    return !bert_session_predict(w->session, w->texts, w->pairs, n, w->scores, &truncated, NULL) &&
           !bert_session_embed(w->session, w->texts, NULL, n, w->vectors, NULL, &truncated, NULL) &&
           (!several || !bert_session_run(w->session, w->texts, w->pairs, n, &outputs, &truncated, NULL));
}

/* The same texts twice: the first time memory grows piece by piece, the second it becomes one piece. */
static void warm_up(workload *w, bool several)
{
    for (int i = 0; i < 2; i++)
        assert_true(run_calls(w, MOST, several));
}

/* ---- allocations ------------------------------------------------------------------------------------------------- */

static void check_counts(workload *w, workload *shorter, bool several, const char *what)
{
    warm_up(w, several);
    for (size_t n = MOST; n > 0; n--) {
        counted = 0;
        counting = true;
        bool fine = run_calls(n % 2 ? w : shorter, n, several);
        counting = false;
        assert_true(fine);
        if (counted)
            fail_msg("%s: %zu calls of the allocator for %zu texts", what, counted, n);
    }
}

static void check_allocations(bert_task task, int precision, int64_t window)
{
    bert_model *model = frozen_model(task, precision);
    bert_session *session = one_thread(model, window);
    size_t longest = window ? 3 * SEQ_LEN : SEQ_LEN + 4;
    bool tags = task == BERT_TASK_TOKENS;
    check_counts(workload_of(session, tags, longest, 1), workload_of(session, tags, longest / 2, 2), !window,
                 PRECISION_NAMES[precision]);
    bert_session_free(session);
    bert_model_free(model);
}

static void a_prediction_allocates_nothing_once_it_has_seen_texts_as_long(void **state)
{
    (void)state;
    if (!COUNTS) {
        print_message("skipped: a sanitizer, or another C library, has the allocator\n");
        skip();
    }
    counting = true;
    void *volatile kept = malloc(1); /* a pair that nobody looks at would be left out, too */
    free(kept);
    counting = false;
    assert_int_equal(counted, 2); /* it does count */
    for (int precision = 0; precision < PRECISIONS; precision++) {
        check_allocations(BERT_TASK_BINARY, precision, 0);
        check_allocations(BERT_TASK_BINARY, precision, 16);
        check_allocations(BERT_TASK_TOKENS, precision, 0);
        check_allocations(BERT_TASK_TOKENS, precision, 16);
    }
}

/* ---- system calls ------------------------------------------------------------------------------------------------ */

/* In a process of its own, where from here on every call of the system but read, write and exit kills. */
static void predict_and_exit(workload *w)
{
    if (prctl(PR_SET_SECCOMP, 1 /* strict */))
        syscall(SYS_exit, 2);
    bool fine = true;
    for (size_t n = MOST; n > 0; n--)
        fine &= run_calls(w, n, true);
    syscall(SYS_exit, fine ? 0 : 1);
}

static void a_prediction_calls_the_system_for_nothing(void **state)
{
    (void)state;
#ifdef SANITIZED
    print_message("skipped: a sanitizer calls the system\n");
    skip();
#endif
    for (int precision = 0; precision < PRECISIONS; precision++) {
        bert_model *model = frozen_model(BERT_TASK_BINARY, precision);
        bert_session *session = one_thread(model, 0);
        workload *w = workload_of(session, false, SEQ_LEN + 4, 1);
        warm_up(w, true);
        fflush(stdout);
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            predict_and_exit(w);
        assert_int_equal(waitpid(child, &status, 0), child);
        bert_session_free(session);
        bert_model_free(model);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
            print_message("skipped: seccomp is not to be had here\n");
            skip();
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            fail_msg("%s: status %d: a system call kills", PRECISION_NAMES[precision], status);
    }
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_prediction_allocates_nothing_once_it_has_seen_texts_as_long),
        in_a_folder(a_prediction_calls_the_system_for_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
