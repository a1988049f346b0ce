/* Folders: made, removed, filled beside their place and put there whole. */
#include "base/file.h"

#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bert_status folder_create(const char *path, bert_err *err)
{
    char *p = strdup(path);
    if (!p)
        return fail_memory(err, path);
    bert_status s = BERT_OK;
    for (char *slash = p; !s && slash;) { /* each parent, then the folder */
        slash = *slash ? strchr(slash + 1, '/') : NULL;
        if (slash)
            *slash = 0;
        if (mkdir(p, 0777) && !(errno == EEXIST && file_is_folder(p)))
            s = fail_errno(err, "%s: cannot make the folder", p);
        if (slash)
            *slash = '/';
    }
    free(p);
    return s;
}

bert_status folder_remove(const char *path, bert_err *err)
{
    return tree_remove(AT_FDCWD, path) ? fail_errno(err, "%s: cannot remove", path) : BERT_OK;
}

static void folder_writer_clear(folder_writer *w)
{
    free(w->path);
    free(w->temporary);
    *w = (folder_writer){ 0 };
}

bert_status folder_begin(folder_writer *w, const char *path, bert_err *err)
{
    arena a = { 0 };
    const char *above = path_folder(&a, path);
    *w = (folder_writer){ .path = strdup(path) };
    bert_status s = w->path && above ? BERT_OK : fail_memory(err, path);
    if (!s && file_exists(path) && !file_is_folder(path))
        s = fail(err, BERT_ERR_IO, "%s: is a file, expected a folder or a new name", path);
    if (!s)
        s = folder_create(above, err);
    if (!s && (w->folder = temporary_create(path, true, &w->temporary)) < 0)
        s = fail_errno(err, "%s: cannot make the folder", path);
    arena_free(&a);
    if (s)
        folder_writer_clear(w);
    return s;
}

/* Two folders change places: in one step, or where the file system cannot, in three. */
static int folder_exchange(const char *a, const char *b)
{
    if (!renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    char aside[PATH_MAX];
    if ((size_t)snprintf(aside, sizeof aside, "%s-old", a) >= sizeof aside)
        return errno = ENAMETOOLONG, -1;
    if (rename(b, aside))
        return -1;
    if (rename(a, b)) {
        int number = errno;
        rename(aside, b);
        return errno = number, -1;
    }
    return rename(aside, a);
}

bert_status folder_commit(folder_writer *w, bert_err *err)
{
    bool had = file_exists(w->path);
    bert_status s = BERT_OK;
    if ((had ? folder_exchange(w->temporary, w->path) : rename(w->temporary, w->path)) || folder_sync_above(w->path))
        s = fail_errno(err, "%s: cannot write", w->path);
    if (s || had)
        folder_remove(w->temporary, NULL);
    close(w->folder);
    folder_writer_clear(w);
    return s;
}

void folder_abort(folder_writer *w)
{
    if (w->temporary) {
        folder_remove(w->temporary, NULL);
        close(w->folder);
    }
    folder_writer_clear(w);
}

bert_status folder_end(folder_writer *w, bert_status filled, bert_err *err)
{
    if (!filled)
        return folder_commit(w, err);
    folder_abort(w);
    return filled;
}
