/* What a fuzz target promises of its subject. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A broken promise ends the run, with its words. */
static inline void expect(bool kept, const char *promise)
{
    if (kept)
        return;
    fprintf(stderr, "not kept: %s\n", promise);
    abort();
}
