/* A stream into memory. */
#include "cli/memory_stream.h"

#include <stdlib.h>
#include <string.h>

static ssize_t add(void *into, const char *bytes, size_t n)
{
    memory_text *m = into;
    char *longer = realloc(m->text, m->size + n + 1);
    if (!longer)
        return 0; /* stdio's word for a failed write */
    memcpy(longer + m->size, bytes, n);
    m->text = longer;
    m->size += n;
    longer[m->size] = 0;
    return (ssize_t)n;
}

FILE *memory_stream(memory_text *into)
{
    *into = (memory_text){ 0 };
    return fopencookie(into, "w", (cookie_io_functions_t){ .write = add });
}
