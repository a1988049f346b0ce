/* One arena per lifetime: a list of blocks, each at least twice as large as the last. */
#include "base/arena.h"

#include "base/size.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "file formats are read in place: little-endian machines only");

struct arena_block {
    arena_block *next;
    size_t size;   /* of the data behind the header */
    size_t dirty;  /* so many first bytes may hold something; the others are zero, as they came from the system */
    size_t mapped; /* bytes in all, where they are a mapping of their own; 0: they are malloc's */
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

enum { FIRST_BLOCK = 1 << 16, LARGEST_DOUBLING = 1 << 26, LEAST_MAPPED = 1 << 24 };

/* Large ones straight from the system: pages that nobody has touched take no memory, not even to be zero. */
static arena_block *block_create(size_t total)
{
    if (total < (size_t)LEAST_MAPPED) {
        arena_block *b = aligned_alloc(ARENA_ALIGN, total);
        if (b)
            *b = (arena_block){ .dirty = total };
        return b;
    }
    arena_block *b = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED)
        return NULL;
    b->mapped = total;
    return b;
}

static void block_free(arena_block *b)
{
    if (b->mapped)
        munmap(b, b->mapped);
    else
        free(b);
}

/* Puts a block with room for need bytes in front. */
static bool arena_grow(arena *a, size_t need)
{
    size_t block = a->first ? a->first->size * 2 : a->hint > (size_t)FIRST_BLOCK ? a->hint : (size_t)FIRST_BLOCK;
    if (block > (size_t)LARGEST_DOUBLING && a->first)
        block = LARGEST_DOUBLING;
    if (block < need)
        block = need;
    size_t total;
    if (!add_size(block, sizeof(arena_block) + ARENA_ALIGN, &total))
        return false;
    arena_block *b = block_create(total & ~(size_t)(ARENA_ALIGN - 1));
    if (!b)
        return false;
    b->next = a->first;
    b->size = block;
    a->first = b;
    a->used = 0;
    return true;
}

/* *dirty: so many of its first bytes may hold something. */
static void *arena_take(arena *a, size_t size, size_t *dirty)
{
    size_t need;
    if (!add_size(size ? size : 1, ARENA_ALIGN - 1, &need))
        return NULL;
    need &= ~(size_t)(ARENA_ALIGN - 1);
    if ((!a->first || a->first->size - a->used < need) && !arena_grow(a, need))
        return NULL;
    arena_block *b = a->first;
    void *p = b->data + a->used;
    *dirty = b->dirty > a->used ? size_least(b->dirty - a->used, size) : 0;
    a->used += need;
    b->dirty = b->dirty > a->used ? b->dirty : a->used;
    return p;
}

void *arena_alloc_raw(arena *a, size_t size)
{
    size_t dirty;
    return arena_take(a, size, &dirty);
}

void *arena_alloc(arena *a, size_t size)
{
    size_t dirty;
    void *p = arena_take(a, size, &dirty);
    return p ? memset(p, 0, dirty) : NULL;
}

void arena_populate(void *memory, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    enum { PAGE = 4096 };
    uintptr_t first = ((uintptr_t)memory + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)memory + size) & ~(uintptr_t)(PAGE - 1);
    if (first < end) /* a system that does not know it does without */
        madvise((void *)first, end - first, MADV_POPULATE_WRITE);
#else
    (void)memory, (void)size;
#endif
}

void *arena_array(arena *a, size_t n, size_t size)
{
    size_t bytes;
    return mul_size(n, size, &bytes) ? arena_alloc(a, bytes) : NULL;
}

char *arena_copy(arena *a, const char *bytes, size_t n)
{
    size_t size;
    char *p = add_size(n, 1, &size) ? arena_alloc(a, size) : NULL;
    if (p && n)
        memcpy(p, bytes, n);
    return p;
}

char *arena_string(arena *a, const char *string)
{
    return arena_copy(a, string, strlen(string));
}

char *arena_printf(arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void arena_reset(arena *a)
{
    a->used = 0;
    if (!a->first || !a->first->next)
        return;
    size_t hint = 0;
    for (const arena_block *b = a->first; b; b = b->next)
        hint += b->size;
    arena_free(a);
    a->hint = hint;
}

void arena_free(arena *a)
{
    while (a->first) {
        arena_block *next = a->first->next;
        block_free(a->first);
        a->first = next;
    }
    a->used = 0;
}
