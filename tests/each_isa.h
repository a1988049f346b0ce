/* Runs a test program's groups once for every instruction set that the machine has: the choice is made once a process,
 * so each runs in a process of its own, forked before the first operation. */
#pragma once

#include "ops/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_each_isa(int (*groups)(void))
{
    int failed = 0;
    for (const char *const *isa = ops_available(); *isa; isa++) {
        fflush(stdout);
        fflush(stderr);
        pid_t child = fork();
        if (child == 0) {
            setenv("BERT_ISA", *isa, 1);
            printf("# BERT_ISA=%s\n", *isa);
            exit(groups() ? 1 : 0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status)
            failed = 1;
    }
    return failed;
}
