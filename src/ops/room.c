/* Scratch memory of the operations. */
#include "ops/ops.h"

#include "base/size.h"

#include <omp.h>

ops_room ops_room_create(arena *a)
{
    size_t threads = omp_in_parallel() ? 1 : (size_t)omp_get_max_threads(), bytes;
    ops_room room = { .threads = threads };
    if (mul_size(threads, OPS_ROOM, &bytes))
        room.bytes = arena_alloc_raw(a, bytes);
    return room;
}
