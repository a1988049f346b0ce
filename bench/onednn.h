/* oneDNN, and how many threads it has: its OpenMP counts them by itself. */
#pragma once

#include "base/threads.h"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

/* From here on the calling thread uses n threads, in our operations and in oneDNN's. */
static inline void use_threads(size_t n)
{
    void (*set)(int);
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set)
        set((int)n);
    threads_allow(n);
}
