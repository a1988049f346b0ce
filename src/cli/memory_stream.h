/* A stream into memory. Not open_memstream: glibc's ends the process where memory runs out in it. */
#ifndef CLI_MEMORY_STREAM_H
#define CLI_MEMORY_STREAM_H

#include <stddef.h>
#include <stdio.h>

typedef struct memory_text {
    char *text; /* ends with a NUL that size does not count; NULL: nothing was written */
    size_t size;
} memory_text;

/* What is written stands in `into`, whose text is to be freed, once the stream is closed; a write or the closing fails where memory runs out. NULL:
 * it ran out here. */
FILE *memory_stream(memory_text *into);

#endif
