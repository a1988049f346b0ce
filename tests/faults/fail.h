/* Makes a call of a process fail: the n-th allocation, or the n-th system call of a kind. It is linked into the program
 * under test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NO_LIMIT, MEMORY_LIMIT, FILE_LIMIT, DISK_LIMIT };

/* What can fail, and how. */
typedef struct fault {
    const char *name;
    const int *calls;  /* numbers of system calls, ended by -1; NULL: allocations and the starts of threads */
    int error;         /* what the call gives; 0: half of what was asked for is done */
    const char *words; /* that the message must hold; NULL: any */
    bool thread;       /* starts of threads in place of allocations */
    bool forever;      /* the calls behind it fail, too */
    int limit;         /* in place of calls: memory, a file or the disk is only so large */
    size_t step;       /* bytes; the n-th run has n of them. Of calls: only each so many-th is made to fail */
} fault;

extern const fault FAULTS[];
extern const size_t N_FAULTS;

/* Mounts a disk of its own on the folder "run" of this one (for the disk's limit), or takes it away. Needs a mount
 * namespace: disk_allowed makes one, once; false: that is not allowed here. */
bool disk_allowed(void);
bool disk_mount(void);
bool disk_unmount(void);

/* From here on the n-th call (from 0) fails, or each from the n-th on; all others work. Of system calls those of file
 * descriptor 2 are not counted. Or a limit holds; the disk's for the folder that is worked in. False: system calls
 * cannot be caught here (no seccomp), or the limit cannot be set. */
bool fault_arm(const fault *f, size_t n);
/* How many calls there were; whether one failed. Both lie in memory that is shared with the parent: fault_share makes
 * it, once, before fork. */
bool fault_share(void);
size_t fault_calls(void);
/* Whether an allocation that fails tells on standard error who made it. */
extern bool fault_tell;
