/* The clocks of a profile. */
#include "net/profile.h"

#include "base/threads.h"

profile_clock *profile_begin(const profile *p)
{
    size_t thread = threads_number();
    if (!p || thread >= p->n_threads)
        return NULL;
    p->threads[thread].last = clock_seconds();
    return &p->threads[thread];
}
