/* The clocks of a profile. */
#include "model/profile.h"

#include <omp.h>

profile_clock *profile_begin(const profile *p)
{
    size_t thread = (size_t)omp_get_thread_num();
    if (!p || thread >= p->n_threads)
        return NULL;
    p->threads[thread].last = clock_seconds();
    return &p->threads[thread];
}
