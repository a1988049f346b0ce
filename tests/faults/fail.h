/* Makes one call of a process fail: the n-th allocation, or the n-th system call of a kind. It is linked into the program under test. */
#ifndef TESTS_FAULTS_FAIL_H
#define TESTS_FAULTS_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* What can fail, and how. */
typedef struct fault {
    const char *name;
    const int *calls;  /* numbers of system calls, ended by -1; NULL: allocations and the starts of threads */
    int error;         /* what the call gives; 0: half of what was asked for is done */
    const char *words; /* that the message must hold; NULL: any */
    bool thread;       /* starts of threads in place of allocations */
} fault;

extern const fault FAULTS[];
extern const size_t N_FAULTS;

/* From here on the n-th call (from 0) fails, all others work. Of system calls those of file descriptor 2 are not counted. False: system calls
 * cannot be caught here (no seccomp). */
bool fault_arm(const fault *f, size_t n);
/* How many calls there were; whether one failed. Both lie in memory that is shared with the parent: fault_share makes it, once, before fork. */
bool fault_share(void);
size_t fault_calls(void);
/* Whether an allocation that fails tells on standard error who made it. */
extern bool fault_tell;

#endif
