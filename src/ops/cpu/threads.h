/* How many threads an operation may use. */
#ifndef OPS_CPU_THREADS_H
#define OPS_CPU_THREADS_H

#include <omp.h>
#include <stddef.h>

/* Below so many multiply-adds, or so many floats touched, waking another thread costs more than it saves. */
enum { THREAD_GRAIN = 32 * 1024 };

/* Threads for `work` units (see THREAD_GRAIN) that can be cut into at most `parts` parts: 1 inside a parallel region. */
static inline int threads_for(size_t work, size_t parts)
{
    if (work < 2 * (size_t)THREAD_GRAIN || parts < 2 || omp_in_parallel())
        return 1;
    size_t most = work / THREAD_GRAIN < parts ? work / THREAD_GRAIN : parts;
    size_t threads = (size_t)omp_get_max_threads();
    return (int)(threads < most ? threads : most);
}

#endif
