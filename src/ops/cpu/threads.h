/* How many threads an operation may use. */
#ifndef OPS_CPU_THREADS_H
#define OPS_CPU_THREADS_H

#include "ops/ops.h"

#include <omp.h>
#include <stddef.h>

/* Below so many floats touched a thread costs more to wake than it saves, about 10 microseconds; a product does 16 multiply-adds in the time
 * that another operation takes for a float. Measured with one text of 16 tokens and with batches of 960. */
enum { THREAD_GRAIN = 64 * 1024, PRODUCTS_PER_FLOAT = 16 };

/* Threads for an operation that touches so many floats and can be cut into at most `parts` parts: 1 inside a parallel region. */
static inline int threads_for(size_t work, size_t parts)
{
    if (work < 2 * (size_t)THREAD_GRAIN || parts < 2 || omp_in_parallel())
        return 1;
    size_t most = work / THREAD_GRAIN < parts ? work / THREAD_GRAIN : parts;
    size_t threads = (size_t)omp_get_max_threads();
    return (int)(threads < most ? threads : most);
}

/* The same for so many multiply-adds, with a room for each thread. */
static inline int threads_for_products(ops_room room, size_t products, size_t parts)
{
    return threads_for(products / PRODUCTS_PER_FLOAT, parts < room.threads ? parts : room.threads);
}

/* The room of a thread, or of a part that one thread does. */
static inline void *room_of(ops_room room, size_t number)
{
    return room.bytes + number * OPS_ROOM;
}

/* A loop whose iterations are shared among `threads`; by one alone OpenMP is not entered, which would allocate a team, call the system
 * to wake it, and take a quarter of a microsecond.
 *
 *     PARALLEL_FOR(threads, schedule(static), for (size_t i = 0; i < n; i++) { ... }); */
#define PARALLEL_PRAGMA(x) _Pragma(#x)
#define PARALLEL_FOR(threads, schedule, ...)                                                                                                   \
    do {                                                                                                                                       \
        if ((threads) > 1) {                                                                                                                   \
            PARALLEL_PRAGMA(omp parallel for num_threads(threads) schedule) __VA_ARGS__                                                        \
        } else {                                                                                                                               \
            __VA_ARGS__                                                                                                                        \
        }                                                                                                                                      \
    } while (0)

#endif
