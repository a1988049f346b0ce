/* Scratch memory of the operations. */
#include "ops/ops.h"

#include "base/size.h"
#include "base/threads.h"

ops_room ops_room_create(arena *a)
{
    size_t threads = threads_allowed(), bytes;
    ops_room room = { .threads = threads };
    if (mul_size(threads, OPS_ROOM, &bytes))
        room.bytes = arena_alloc_raw(a, bytes);
    return room;
}
