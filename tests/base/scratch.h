/* What tests of files share: a folder of the test's own, files in it, errors pinned by code and words, and the shared
 * data. */
#pragma once

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder; made by scratch_make, removed with all it holds by scratch_remove: a test's setup and teardown. */
static char scratch_folder[32];

static inline int scratch_make(void **state)
{
    (void)state;
    strcpy(scratch_folder, "/tmp/libbert-test-XXXXXX");
    return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return folder_remove(scratch_folder, NULL) ? -1 : 0;
}

/* The same for who works in the folder: a whole program's setup and teardown. */
static inline int scratch_enter(void **state)
{
    return scratch_make(state) || chdir(scratch_folder);
}

static inline int scratch_leave(void **state)
{
    return chdir("/") || scratch_remove(state);
}

/* A test in a folder of its own. */
#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

/* A path in the folder; good until the sixteenth call after it. */
static inline const char *scratch(const char *name)
{
    static char paths[16][512];
    static unsigned next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/* Writes a file in the folder and returns its path. */
static inline const char *scratch_file(const char *name, const void *bytes, size_t n)
{
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *scratch_text(const char *name, const char *text)
{
    return scratch_file(name, text, strlen(text));
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

/* How many entries the folder has. */
static inline size_t scratch_entries(void)
{
    size_t n = 0;
    DIR *d = opendir(scratch_folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

static inline bool in_scratch(const char *message)
{
    size_t n = strlen(scratch_folder);
    return n && !strncmp(message, scratch_folder, n) && message[n] == '/';
}

/* The error of a call: `message` is the whole message, or what follows the scratch folder and its slash. */
static inline void assert_error(bert_status status, const bert_err *err, bert_status code, const char *message)
{
    bool rest = in_scratch(err->message) && !in_scratch(message);
    assert_string_equal(rest ? err->message + strlen(scratch_folder) + 1 : err->message, message);
    assert_int_equal(status, code);
    assert_int_equal(err->code, code);
}

/* call uses `err`, a bert_err of the macro's own. */
#define assert_fails(call, code, message)          \
    do {                                           \
        bert_err failure = { 0 }, *err = &failure; \
        bert_status failed = (call);               \
        assert_error(failed, err, code, message);  \
    } while (0)

#define assert_works(call)                         \
    do {                                           \
        bert_err failure = { 0 }, *err = &failure; \
        bert_status worked = (call);               \
        if (worked)                                \
            print_error("%s\n", failure.message);  \
        assert_int_equal(worked, BERT_OK);         \
    } while (0)

/* A path in the shared data ($BERT_SHARED, else ../shared). The test is skipped where it is absent. */
static inline const char *shared(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    const char *root = getenv("BERT_SHARED");
    snprintf(path, sizeof paths[0], "%s/%s", root ? root : "../shared", name);
    if (access(path, R_OK)) {
        print_message("skipped: %s is absent\n", path);
        skip();
    }
    return path;
}
