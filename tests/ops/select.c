/* Which back end is chosen, and what BERT_ISA may say. A choice is made once a process, so each case runs in a child. */
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

/* What ops_select answers in a fresh process under BERT_ISA=isa (NULL: unset). */
typedef struct answer {
    bert_status status;
    char name[32];
    bert_err err;
} answer;

static answer ask(const char *isa)
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
        a.status = ops_select(&o, &a.err);
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
        cmocka_unit_test(names_lead_to_their_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
