/* Which back end runs. Compiled for the plainest machine, since it runs before anybody knows what there is. */
#include "ops/select.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The best first. */
static const ops *const BUILT[] = {
#if defined(__x86_64__)
    &ops_avx512,
    &ops_avx2,
#else
    &ops_generic,
#endif
};
enum { N_BUILT = sizeof BUILT / sizeof *BUILT };

/* Filled once by find_available. */
static const char *names[N_BUILT + 1];
static const ops *chosen;
static bert_err failure;
static pthread_once_t found = PTHREAD_ONCE_INIT, selected = PTHREAD_ONCE_INIT;

static bool machine_has(const ops *o)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2");
    if (o == &ops_avx512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    return avx2;
#else
    (void)o;
    return true;
#endif
}

static void find_available(void)
{
    size_t n = 0;
    for (size_t i = 0; i < N_BUILT; i++)
        if (machine_has(BUILT[i]))
            names[n++] = BUILT[i]->name;
}

const char *const *ops_available(void)
{
    pthread_once(&found, find_available);
    return names;
}

const ops *ops_named(const char *name)
{
    for (const char *const *n = ops_available(); *n; n++)
        for (size_t i = 0; i < N_BUILT; i++)
            if (*n == BUILT[i]->name && strcmp(name, *n) == 0)
                return BUILT[i];
    return NULL;
}

/* "avx512, avx2", or "none" */
static void list_names(char *text, size_t size)
{
    snprintf(text, size, "none");
    for (size_t i = 0, used = 0; ops_available()[i]; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
}

static void select_once(void)
{
    const char *wanted = getenv("BERT_ISA");
    char list[64];
    list_names(list, sizeof list);
    if (wanted && *wanted) {
        chosen = ops_named(wanted);
        if (!chosen)
            fail(&failure, BERT_ERR_UNSUPPORTED, "BERT_ISA is \"%s\", but this machine and build have: %s", wanted, list);
    } else if (names[0]) {
        chosen = ops_named(names[0]);
    } else {
        fail(&failure, BERT_ERR_UNSUPPORTED, "this processor lacks AVX2 and FMA, which the build needs");
    }
}

bert_status ops_select(const ops **out, bert_err *err)
{
    pthread_once(&selected, select_once);
    *out = chosen;
    return chosen ? BERT_OK : fail(err, failure.code, "%s", failure.message);
}
