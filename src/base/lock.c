/* The lock is flock's, which dies with its process however that ends; the file and the id in it are for people. The
 * file is removed while it is locked, so who waited for nothing and got the lock looks whether the file is still the
 * one of that name. */
#include "base/lock.h"

#include "base/file.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char NAME[] = "train.lock";

static long read_id(int file)
{
    char text[32] = "";
    ssize_t n = pread(file, text, sizeof text - 1, 0);
    return n > 0 ? atol(text) : 0;
}

static bool lock_still_there(const char *path, int file)
{
    struct stat by_name, by_file;
    return !stat(path, &by_name) && !fstat(file, &by_file) && by_name.st_ino == by_file.st_ino &&
           by_name.st_dev == by_file.st_dev;
}

/* The locked file, or -1: `taken` tells whether somebody else holds it. */
static int open_locked(const char *path, bool *taken, long *holder)
{
    for (;;) {
        int file = open_in_place(path);
        if (file < 0)
            return -1;
        if (flock(file, LOCK_EX | LOCK_NB)) {
            *taken = errno == EWOULDBLOCK;
            *holder = read_id(file);
            close(file);
            return -1;
        }
        if (lock_still_there(path, file))
            return file;
        close(file);
    }
}

bert_status lock_take(folder_lock *l, const char *folder, bert_err *err)
{
    bool taken = false;
    long holder = 0;
    l->path = path_join(&l->memory, folder, NAME);
    if (!l->path)
        return fail_memory(err, folder);
    int file = open_locked(l->path, &taken, &holder);
    if (file < 0 && !taken && (errno == ELOOP || errno == EMLINK || errno == ENXIO))
        return fail(err, BERT_ERR_IO, "%s: is a link or no regular file; remove it", l->path);
    if (file < 0 && !taken)
        return fail_errno(err, "%s: cannot write", l->path);
    if (file < 0)
        return fail(err, BERT_ERR_ARGUMENT, "%s: process %ld is training into this folder (%s)", folder, holder,
                    path_name(l->path));
    l->file = file + 1;
    l->stale = read_id(file) != 0;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(file, 0) || pwrite(file, text, (size_t)n, 0) != n)
        return fail_errno(err, "%s: cannot write", l->path);
    return BERT_OK;
}

long lock_holder(const char *folder)
{
    arena a = { 0 };
    const char *path = path_join(&a, folder, NAME);
    int file = path ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    bool taken = file >= 0 && flock(file, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    long holder = taken ? read_id(file) : 0;
    if (file >= 0)
        close(file);
    arena_free(&a);
    return holder;
}

void lock_release(folder_lock *l)
{
    if (l->file) {
        unlink(l->path);
        close(l->file - 1);
    }
    arena_free(&l->memory);
    *l = (folder_lock){ 0 };
}
