/* Where the time of a forward pass goes: for `bert bench`. NULL is no profile, which costs nothing worth measuring. */
#pragma once

#include "base/clock.h"

#include <stddef.h>

typedef enum profile_part {
    PROFILE_EMBEDDINGS, /* with their norm */
    PROFILE_PRODUCTS,   /* dense layers, quantising and activations inside */
    PROFILE_ATTENTION,
    PROFILE_NORMS,
    PROFILE_POOLING, /* pooling, pooler and what copies rows */
    PROFILE_PARTS
} profile_part;

/* One thread's clock; threads have each their own, far enough apart not to share a cache line. */
typedef struct profile_clock {
    double seconds[PROFILE_PARTS];
    double last;
    char apart[64];
} profile_clock;

typedef struct profile {
    profile_clock *threads; /* by threads_number */
    size_t n_threads;
} profile;

/* The clock of the calling thread, started; NULL without a profile. */
profile_clock *profile_begin(const profile *p);

/* What passed since the last mark belongs to `part`. */
static inline void profile_mark(profile_clock *c, profile_part part)
{
    if (!c)
        return;
    double now = clock_seconds();
    c->seconds[part] += now - c->last;
    c->last = now;
}
