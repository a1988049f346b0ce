/* A fuzz target's input as a file, for readers that open one by its path. */
#pragma once

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char input_folder[40]; /* made at the first input, removed at exit */

static inline void input_remove(void)
{
    folder_remove(input_folder, NULL);
}

/* Writes a file in the folder and returns its path, which stays until the next call. */
static inline const char *input_file(const char *name, const void *data, size_t size)
{
    static char path[128];
    if (!*input_folder) {
        /* no disk */
        snprintf(input_folder, sizeof input_folder, "%s/libbert-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
        if (!mkdtemp(input_folder))
            exit(1);
        atexit(input_remove);
    }
    snprintf(path, sizeof path, "%s/%s", input_folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f))
        exit(1);
    return path;
}
