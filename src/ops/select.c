/* Which back end runs. Compiled for the plainest machine, since it runs before anybody knows what there is. */
#include "ops/select.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The best first. */
static const back_end *const BUILT[] = {
#if defined(__x86_64__)
    &back_end_avx512,
    &back_end_avx2,
#else
    &back_end_generic,
#endif
};
enum { N_BUILT = sizeof BUILT / sizeof *BUILT };

/* Filled once by find_available. */
static const char *names[N_BUILT + 1];
static pthread_once_t found = PTHREAD_ONCE_INIT, selected = PTHREAD_ONCE_INIT;

/* What a precision runs on, or why it cannot. Filled once by select_once. */
typedef struct choice {
    const back_end *back_end;
    bert_err failure;
} choice;
static choice choices[2]; /* by ops_precision */

static bool machine_has(const back_end *b)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2");
    if (b == &back_end_avx512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    return avx2;
#else
    (void)b;
    return true;
#endif
}

/* The back end with the same operations but for bf16's products, or NULL. */
static const back_end *with_bf16(const back_end *b)
{
#if defined(__x86_64__)
    if (b == &back_end_avx512 && __builtin_cpu_supports("avx512bf16"))
        return &back_end_avx512_bf16;
#endif
    (void)b;
    return NULL;
}

static void find_available(void)
{
    size_t n = 0;
    for (size_t i = 0; i < N_BUILT; i++)
        if (machine_has(BUILT[i]))
            names[n++] = BUILT[i]->ops.name;
}

const char *const *ops_available(void)
{
    pthread_once(&found, find_available);
    return names;
}

static const back_end *named(const char *name)
{
    for (const char *const *n = ops_available(); *n; n++)
        for (size_t i = 0; i < N_BUILT; i++)
            if (*n == BUILT[i]->ops.name && strcmp(name, *n) == 0)
                return BUILT[i];
    return NULL;
}

const ops *ops_named(const char *name)
{
    const back_end *b = named(name);
    return b ? &b->ops : NULL;
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
    choice *fp32 = &choices[OPS_FP32], *bf16 = &choices[OPS_BF16];
    const char *wanted = getenv("BERT_ISA");
    bool forced = wanted && *wanted;
    char list[64];
    list_names(list, sizeof list);
    fp32->back_end = forced ? named(wanted) : names[0] ? named(names[0]) : NULL;
    if (!fp32->back_end) {
        if (forced)
            fail(&fp32->failure, BERT_ERR_UNSUPPORTED, "BERT_ISA is \"%s\", but this machine and build have: %s", wanted, list);
        else
            fail(&fp32->failure, BERT_ERR_UNSUPPORTED, "this processor lacks AVX2 and FMA, which the build needs");
        *bf16 = *fp32;
        return;
    }
    bf16->back_end = with_bf16(fp32->back_end);
    if (!bf16->back_end)
        fail(&bf16->failure, BERT_ERR_UNSUPPORTED, "precision bf16: this processor has no AVX512-BF16 (it has: %s)", forced ? wanted : list);
}

bert_status back_end_select(ops_precision precision, const back_end **out, bert_err *err)
{
    pthread_once(&selected, select_once);
    const choice *c = &choices[precision];
    *out = c->back_end;
    return c->back_end ? BERT_OK : fail(err, c->failure.code, "%s", c->failure.message);
}

bert_status ops_select_precision(ops_precision precision, const ops **out, bert_err *err)
{
    const back_end *b;
    bert_status s = back_end_select(precision, &b, err);
    *out = b ? &b->ops : NULL;
    return s;
}

bert_status ops_select(const ops **out, bert_err *err)
{
    return ops_select_precision(OPS_FP32, out, err);
}
