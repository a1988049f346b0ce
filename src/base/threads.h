/* Threads that share work: one set for the process, started when first needed and used by all callers. The caller
 * works, too, and does alone what no free thread comes for; so a thread that is busy for another caller, slow to wake,
 * or could not be started costs time, nothing else. */
#pragma once

#include <stddef.h>

enum { THREADS_MOST = 1024 };

/* How many threads the calling one may use, itself counted: what it was allowed, at first OMP_NUM_THREADS, else as many
 * as the process has processors. 1 inside a part of what several may share: that is not shared again. */
size_t threads_allowed(void);

/* Allows the calling thread n, at most THREADS_MOST; 0: as many as at first. Returns what undoes it. */
size_t threads_allow(size_t n);

/* Which of the threads of a threads_run the calling one is: 0 for who called it, and outside. */
size_t threads_number(void);

/* Part `part` of a call's work. `thread` is below threads_run's threads and parts, and of one part at a time: rooms,
 * sums may go by it. */
typedef void threads_part(void *context, size_t part, size_t thread);

/* Calls f for each part once, by so many threads at most, and returns when all are done. Of more parts than threads
 * each takes the next as it has done one. Allocates nothing once its threads run, and with one thread does nothing but
 * call f. Any number of threads may call it. */
void threads_run(size_t parts, size_t threads, threads_part *f, void *context);
