/* Which back end is chosen, and what BERT_ISA may say. A choice is made once a process, so each case runs in a
 * child. */
#include "ops/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* What ops_select_precision answers in a fresh process under BERT_ISA=isa (NULL: unset). */
typedef struct answer {
    bert_status status;
    char name[32];
    bert_err err;
} answer;

static answer ask_precision(const char *isa, ops_precision precision)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        answer a = { 0 };
        const ops *o = NULL;
        if (isa)
            setenv("BERT_ISA", isa, 1);
        else
            unsetenv("BERT_ISA");
        a.status = ops_select_precision(precision, &o, &a.err);
        snprintf(a.name, sizeof a.name, "%s", o ? o->name : "");
        _exit(write(pipe_ends[1], &a, sizeof a) == (ssize_t)sizeof a ? 0 : 1);
    }
    answer a;
    assert_int_equal(read(pipe_ends[0], &a, sizeof a), sizeof a);
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return a;
}

static answer ask(const char *isa)
{
    return ask_precision(isa, OPS_FP32);
}

static void the_first_that_the_machine_has_is_chosen(void **state)
{
    (void)state;
    static const char *const settings[] = { NULL, "" };
    for (size_t i = 0; i < 2; i++) {
        answer a = ask(settings[i]);
        assert_int_equal(a.status, BERT_OK);
        assert_string_equal(a.name, ops_available()[0]);
    }
}

static void each_that_the_machine_has_can_be_forced(void **state)
{
    (void)state;
    for (const char *const *name = ops_available(); *name; name++) {
        answer a = ask(*name);
        assert_int_equal(a.status, BERT_OK);
        assert_string_equal(a.name, *name);
    }
}

static void another_name_is_refused_with_a_list(void **state)
{
    (void)state;
    static const char *const wrong[] = { "sse4", "AVX2", "avx2 ", "avx" };
    char want[200] = "";
    for (const char *const *name = ops_available(); *name; name++) {
        strcat(want, *want ? ", " : "");
        strcat(want, *name);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char message[256];
        snprintf(message, sizeof message, "BERT_ISA is \"%s\", but this machine and build have: %s", wrong[i], want);
        answer a = ask(wrong[i]);
        assert_int_equal(a.status, BERT_ERR_UNSUPPORTED);
        assert_int_equal(a.err.code, BERT_ERR_UNSUPPORTED);
        assert_string_equal(a.err.message, message);
        assert_string_equal(a.name, "");
    }
}

static void bf16_is_refused_on_instructions_without_it(void **state)
{
    (void)state;
    for (const char *const *name = ops_available(); *name; name++) {
        if (strcmp(*name, "avx512") == 0)
            continue;
        char message[256];
        snprintf(message, sizeof message, "precision bf16: this processor has no AVX512-BF16 (it has: %s)", *name);
        answer a = ask_precision(*name, OPS_BF16);
        assert_int_equal(a.status, BERT_ERR_UNSUPPORTED);
        assert_int_equal(a.err.code, BERT_ERR_UNSUPPORTED);
        assert_string_equal(a.err.message, message);
        assert_string_equal(a.name, "");
    }
}

/* How many processors have it. */
static int processors_with(const char *flag)
{
    char command[100];
    int processors = 0;
    snprintf(command, sizeof command, "grep -c -w %s /proc/cpuinfo", flag);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &processors), 1);
    pclose(f);
    return processors;
}

static void bf16_is_chosen_where_the_processor_has_it(void **state)
{
    (void)state;
    answer a = ask_precision(NULL, OPS_BF16);
    int processors = processors_with("avx512_bf16");
    assert_int_equal(a.status, processors ? BERT_OK : BERT_ERR_UNSUPPORTED);
    assert_string_equal(a.name, processors ? "avx512_bf16" : "");
    if (processors)
        assert_string_equal(ask_precision("avx512", OPS_BF16).name, "avx512_bf16");
}

static void widened_bf16_and_int8_run_wherever_fp32_does(void **state)
{
    (void)state;
    for (const char *const *name = ops_available(); *name; name++) {
        bool generic = strcmp(*name, "generic") == 0,
             vnni = strcmp(*name, "avx512") == 0 && processors_with("avx512_vnni");
        char integers[32];
        snprintf(integers, sizeof integers, "%s%s", *name, generic ? "" : vnni ? "_vnni" : "_int8");
        assert_string_equal(ask_precision(*name, OPS_BF16_WIDENED).name, *name);
        assert_string_equal(ask_precision(*name, OPS_INT8).name, integers);
    }
}

static void a_wrong_name_is_refused_before_the_precision(void **state)
{
    (void)state;
    static const ops_precision OTHERS[] = { OPS_BF16, OPS_BF16_WIDENED, OPS_INT8 };
    answer fp32 = ask("sse4");
    for (size_t i = 0; i < 3; i++) {
        answer other = ask_precision("sse4", OTHERS[i]);
        assert_int_equal(other.status, BERT_ERR_UNSUPPORTED);
        assert_string_equal(other.err.message, fp32.err.message);
    }
}

static void packing_for_bf16_fails_as_choosing_it_does(void **state)
{
    (void)state;
    const ops *o;
    bert_err want = { 0 }, err = { 0 };
    float weight = 1;
    dense d = { .in = 1, .out = 1, .weight = &weight };
    bert_status s = ops_select_precision(OPS_BF16, &o, &want);
    assert_int_equal(dense_pack_as(&d, OPS_BF16, &err), s);
    assert_string_equal(err.message, want.message);
    assert_int_equal(d.packed != NULL, s == BERT_OK);
    dense_unpack(&d);
}

static void names_lead_to_their_operations(void **state)
{
    (void)state;
    assert_non_null(ops_available()[0]);
    for (const char *const *name = ops_available(); *name; name++)
        assert_string_equal(ops_named(*name)->name, *name);
    assert_null(ops_named("sse4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_the_machine_has_is_chosen),
        cmocka_unit_test(each_that_the_machine_has_can_be_forced),
        cmocka_unit_test(another_name_is_refused_with_a_list),
        cmocka_unit_test(bf16_is_refused_on_instructions_without_it),
        cmocka_unit_test(bf16_is_chosen_where_the_processor_has_it),
        cmocka_unit_test(widened_bf16_and_int8_run_wherever_fp32_does),
        cmocka_unit_test(a_wrong_name_is_refused_before_the_precision),
        cmocka_unit_test(packing_for_bf16_fails_as_choosing_it_does),
        cmocka_unit_test(names_lead_to_their_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
