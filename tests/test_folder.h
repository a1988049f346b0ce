/* A folder for what a test writes, and short ways to read and write files in it. */
#ifndef TESTS_TEST_FOLDER_H
#define TESTS_TEST_FOLDER_H

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char test_folder[64];

/* cmocka's set-up and tear-down of a test that wants an empty folder. */
static inline int folder_set_up(void **state)
{
    (void)state;
    strcpy(test_folder, "/tmp/bert-test-XXXXXX");
    return mkdtemp(test_folder) ? 0 : -1;
}

static inline int folder_tear_down(void **state)
{
    (void)state;
    return folder_remove(test_folder, NULL) ? -1 : 0;
}

/* FOLDER/name, in one of a few buffers that are used in turn. */
static inline const char *in_folder(const char *name)
{
    static char paths[16][512];
    static int next;
    char *path = paths[next++ % 16];
    if (snprintf(path, sizeof paths[0], "%s/%s", test_folder, name) >= (int)sizeof paths[0])
        abort();
    return path;
}

/* True where the file holds exactly these bytes. */
static inline bool file_holds(const char *path, const char *bytes, size_t n)
{
    file_mapping m;
    if (file_map(&m, path, NULL))
        return false;
    bool same = m.size == n && !memcmp(m.data, bytes, n);
    file_unmap(&m);
    return same;
}

#endif
