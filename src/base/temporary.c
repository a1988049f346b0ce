/* Temporaries are found again by their names and told from those of living processes by their locks: nothing is kept in
 * memory, so a signal handler can remove them as well as the next run. */
#include "base/temporary.h"

#include "bert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_LETTERS = 12, NAME_TRIES = 100, DEPTH_MOST = 24 };
static const char INFIX[] = ".tmp-", LETTERS[] = "abcdefghijklmnopqrstuvwxyz234567";
enum { INFIX_SIZE = sizeof INFIX - 1, SUFFIX_SIZE = INFIX_SIZE + RANDOM_LETTERS };

/* ---- what a folder holds ----------------------------------------------------------------------------------------- */

/* A folder that is read without memory of its own. */
typedef struct entries {
    int folder;
    ssize_t size, at;
    _Alignas(struct dirent64) char bytes[1024];
} entries;

/* The next name; NULL at the end. */
static const char *entries_next(entries *e)
{
    for (;;) {
        if (e->at >= e->size) {
            e->at = 0;
            e->size = getdents64(e->folder, e->bytes, sizeof e->bytes);
            if (e->size <= 0)
                return NULL;
        }
        const struct dirent64 *d = (const struct dirent64 *)(const void *)(e->bytes + e->at);
        e->at += d->d_reclen;
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
            return d->d_name;
    }
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

static int remove_deep(int folder, const char *name, int depth);

/* All that the folder holds. */
static int empty_folder(int folder, int depth)
{
    entries e = { .folder = folder };
    int failed = 0;
    const char *name;
    while (!failed && (name = entries_next(&e)))
        failed = remove_deep(folder, name, depth - 1);
    return failed;
}

static int remove_deep(int folder, const char *name, int depth)
{
    if (!unlinkat(folder, name, 0) || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return -1;
    if (!depth)
        return errno = ELOOP, -1;
    int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return -1;
    int failed = 0;
    for (int tries = 0; tries < 4; tries++) { /* a file system may pass over names while others go */
        failed = lseek(inner, 0, SEEK_SET) || empty_folder(inner, depth) || unlinkat(folder, name, AT_REMOVEDIR);
        if (!failed || errno != ENOTEMPTY)
            break;
    }
    int number = errno;
    close(inner);
    errno = number;
    return failed && number != ENOENT ? -1 : 0;
}

int tree_remove(int folder, const char *name)
{
    struct stat st;
    for (int tries = 0; tries < 2; tries++) /* what failed by a signal, or for want of a descriptor, may go now */
        if (!fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) && !remove_deep(folder, name, DEPTH_MOST))
            return 0;
    return -1;
}

/* ---- leftovers --------------------------------------------------------------------------------------------------- */

/* Whether an entry is a temporary of the name, n bytes; NULL: of any. */
static bool is_temporary(const char *entry, const char *name, size_t n)
{
    size_t size = strlen(entry);
    if (size <= SUFFIX_SIZE || (name && (size - SUFFIX_SIZE != n || memcmp(entry, name, n))))
        return false;
    const char *suffix = entry + size - SUFFIX_SIZE;
    return !memcmp(suffix, INFIX, INFIX_SIZE) && strspn(suffix + INFIX_SIZE, LETTERS) == RANDOM_LETTERS;
}

static void remove_leftovers(int folder, const char *name, size_t n)
{
    entries e = { .folder = folder };
    const char *entry;
    while ((entry = entries_next(&e))) {
        if (!is_temporary(entry, name, n))
            continue;
        int file = openat(folder, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0)
            continue;
        if (!flock(file, LOCK_EX | LOCK_NB))
            tree_remove(folder, entry);
        close(file);
    }
}

/* Length of a path without the slashes at its end, and where in it the last name begins. */
static size_t name_in(const char *path, size_t *start)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') /* "model/" names the folder "model" */
        n--;
    *start = n;
    while (*start && path[*start - 1] != '/')
        --*start;
    return n;
}

void bert_remove_leftovers(const char *path)
{
    int number = errno;
    char above[4096] = ".";
    size_t start, n = name_in(path, &start);
    if (start < sizeof above - 1) {
        if (start) {
            memcpy(above, path, start);
            above[start] = 0;
        }
        int folder = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
            remove_leftovers(folder, path + start, n - start);
            close(folder);
        }
    }
    errno = number;
}

void temporaries_sweep(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    remove_leftovers(folder, NULL, 0);
    close(folder);
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static bool random_letters(char *out)
{
    unsigned char bytes[RANDOM_LETTERS];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (int i = 0; i < RANDOM_LETTERS; i++)
        out[i] = LETTERS[bytes[i] & 31];
    return true;
}

static int make(const char *name, bool folder)
{
    if (!folder)
        return open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (mkdir(name, 0777))
        return -1;
    int file = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), number = errno;
    if (file < 0)
        rmdir(name);
    errno = number;
    return file;
}

/* Between making and locking it, somebody else may have taken it for a leftover. Where a file system knows no locks, it
 * is nobody's leftover. */
static bool temporary_lock(int file)
{
    struct stat st;
    return !(flock(file, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) && (fstat(file, &st) || st.st_nlink > 0);
}

int temporary_create(const char *path, bool folder, char **name)
{
    size_t start, n = name_in(path, &start);
    char *t = malloc(n + SUFFIX_SIZE + 1);
    *name = t;
    if (!t)
        return -1;
    bert_remove_leftovers(path);
    memcpy(t, path, n);
    memcpy(t + n, INFIX, INFIX_SIZE);
    t[n + SUFFIX_SIZE] = 0;
    for (int i = 0; i < NAME_TRIES && random_letters(t + n + INFIX_SIZE); i++) {
        int file = make(t, folder);
        if (file >= 0 && temporary_lock(file))
            return file;
        if (file >= 0)
            close(file);                             /* who took it removes it */
        else if (errno != EEXIST && errno != ENOENT) /* a folder may be swept away before it is opened */
            break;
    }
    int number = errno;
    free(t);
    *name = NULL;
    errno = number;
    return -1;
}

int open_in_place(const char *path)
{
    struct stat st;
    int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (file < 0)
        return -1;
    int wrong = fstat(file, &st) ? errno : !S_ISREG(st.st_mode) ? ENXIO : st.st_nlink > 1 ? EMLINK : 0;
    if (!wrong)
        return file;
    close(file);
    errno = wrong;
    return -1;
}
