/* How an operation is shared among threads. */
#pragma once

#include "base/threads.h"
#include "ops/ops.h"

#include <stddef.h>

/* Below so many floats touched a thread costs more to wake than it saves, about 10 microseconds; a product does 16
 * multiply-adds in the time that another operation takes for a float. Measured with one text of 16 tokens and with
 * batches of 960. */
enum { THREAD_GRAIN = 64 * 1024, PRODUCTS_PER_FLOAT = 16 };

/* Threads for an operation that touches so many floats and can be cut into at most `parts` parts. */
static inline size_t threads_for(size_t work, size_t parts)
{
    if (work < 2 * (size_t)THREAD_GRAIN || parts < 2)
        return 1;
    size_t most = work / THREAD_GRAIN < parts ? work / THREAD_GRAIN : parts, threads = threads_allowed();
    return threads < most ? threads : most;
}

/* The same for so many multiply-adds, with a room for each thread. */
static inline size_t threads_for_products(ops_room room, size_t products, size_t parts)
{
    return threads_for(products / PRODUCTS_PER_FLOAT, parts < room.threads ? parts : room.threads);
}

/* The room of a thread. */
static inline void *room_of(ops_room room, size_t thread)
{
    return room.bytes + thread * OPS_ROOM;
}

/* Part `part` of `parts` equal ones of n: from begin to end, in multiples of unit. */
static inline void cut(size_t n, size_t unit, size_t part, size_t parts, size_t *begin, size_t *end)
{
    size_t units = (n + unit - 1) / unit;
    *begin = units * part / parts * unit;
    *end = units * (part + 1) / parts * unit;
    *end = *end < n ? *end : n;
}

/* Items begin .. end of an operation's, which `job` holds the arguments of. */
typedef void share_stretch(const void *job, size_t begin, size_t end);

typedef struct share_cut {
    share_stretch *f;
    const void *job;
    size_t n, unit, threads;
} share_cut;

static inline void share_part(void *context, size_t part, size_t thread)
{
    const share_cut *c = context;
    size_t begin, end;
    (void)thread;
    cut(c->n, c->unit, part, c->threads, &begin, &end);
    c->f(c->job, begin, end);
}

/* Calls f for n items, each thread with a stretch of them that begins at a multiple of unit. */
static inline void share(size_t threads, size_t n, size_t unit, share_stretch *f, const void *job)
{
    if (threads > 1)
        threads_run(threads, threads, share_part, &(share_cut){ f, job, n, unit, threads });
    else
        f(job, 0, n);
}
