/* Which operations run. Compiled for the plainest machine, since it runs before anybody knows what there is. */
#include "ops/select.h"

#include "ops/bf16_rate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if !defined(OPS_GENERIC)
#include <cpuid.h>
#endif

/* The best first. */
static const ops *const BUILT[] = {
#if !defined(OPS_GENERIC)
    &ops_avx512,
    &ops_avx2,
#else
    &ops_generic,
#endif
};
enum { N_BUILT = sizeof BUILT / sizeof *BUILT };

/* Filled once by find_available. */
static const char *names[N_BUILT + 1];
static pthread_once_t found = PTHREAD_ONCE_INIT, selected = PTHREAD_ONCE_INIT;

/* What a precision runs on, or why it cannot. Filled once by select_once. */
typedef struct choice {
    const ops *ops;
    bert_err failure;
} choice;
enum { N_PRECISIONS = OPS_INT8 + 1 };
static choice choices[N_PRECISIONS]; /* by ops_precision */

static bool machine_has(const ops *o)
{
#if !defined(OPS_GENERIC)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2");
    if (o == &ops_avx512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return avx2;
#else
    (void)o;
    return true;
#endif
}

#if !defined(OPS_GENERIC)
/* The same operations but for bf16's products, or NULL. */
static const ops *with_bf16(const ops *o)
{
    if (o != &ops_avx512 || !__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vnni"))
        return NULL;
    return bf16_instruction_pays() ? &ops_avx512_bf16 : &ops_avx512_bf16_fma;
}

/* Bit 4 of EAX of leaf 7.1, which gcc's names of features lack. */
static bool machine_has_avx_vnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

/* The same but for int8's products and attention. avx2 by name is AVX2 and no more. */
static const ops *with_int8(const ops *o, bool forced)
{
    if (o == &ops_avx512)
        return __builtin_cpu_supports("avx512vnni") ? &ops_avx512_vnni : &ops_avx512_int8;
    return !forced && machine_has_avx_vnni() ? &ops_avx2_vnni : &ops_avx2_int8;
}
#else
static const ops *with_bf16(const ops *o)
{
    (void)o;
    return NULL;
}

static const ops *with_int8(const ops *o, bool forced)
{
    (void)forced;
    return o;
}
#endif

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
static void list_instruction_sets(char *text, size_t size)
{
    snprintf(text, size, "none");
    for (size_t i = 0, used = 0; ops_available()[i]; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
}

static void select_once(void)
{
    choice fp32 = { 0 };
    const char *wanted = getenv("BERT_ISA");
    bool forced = wanted && *wanted;
    char list[64];
    list_instruction_sets(list, sizeof list);
    fp32.ops = forced ? ops_named(wanted) : names[0] ? ops_named(names[0]) : NULL;
    if (!fp32.ops && forced)
        fail(&fp32.failure, BERT_ERR_UNSUPPORTED, "BERT_ISA is \"%s\", but this machine and build have: %s", wanted,
             list);
    else if (!fp32.ops)
        fail(&fp32.failure, BERT_ERR_UNSUPPORTED, "this processor lacks AVX2 and FMA, which the build needs");
    for (size_t i = 0; i < N_PRECISIONS; i++)
        choices[i] = fp32;
    if (!fp32.ops)
        return;
    choices[OPS_INT8].ops = with_int8(fp32.ops, forced);
    choice *bf16 = &choices[OPS_BF16];
    bf16->ops = with_bf16(fp32.ops);
    if (!bf16->ops)
        fail(&bf16->failure, BERT_ERR_UNSUPPORTED, "precision bf16: this processor has no AVX512-BF16 (it has: %s)",
             forced ? wanted : list);
}

bert_status ops_select_precision(ops_precision precision, const ops **out, bert_err *err)
{
    pthread_once(&selected, select_once);
    const choice *c = &choices[precision];
    *out = c->ops;
    return c->ops ? BERT_OK : fail(err, c->failure.code, "%s", c->failure.message);
}

bert_status ops_select(const ops **out, bert_err *err)
{
    return ops_select_precision(OPS_FP32, out, err);
}
