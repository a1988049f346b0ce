/* Folders: made, removed, filled beside their place and put there whole. */
#include "base/file.h"

#include "base/temporary.h"

#include <dirent.h>
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

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Room for another name; false: out of memory. */
static bool grow_names(folder_names *list, size_t *capacity, arena *a)
{
    if (list->n < *capacity)
        return true;
    *capacity = *capacity ? 2 * *capacity : 32;
    char **more = arena_array(a, *capacity, sizeof *more);
    if (more && list->n)
        memcpy(more, list->names, list->n * sizeof *more);
    list->names = more;
    return more;
}

bert_status folder_list(folder_names *list, arena *a, const char *folder, bert_err *err)
{
    size_t capacity = 0;
    bert_status s = BERT_OK;
    *list = (folder_names){ 0 };
    DIR *d = opendir(folder);
    if (!d)
        return fail_errno(err, "%s: cannot open the folder", folder);
    for (struct dirent *e; !s && (errno = 0, e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
            (!grow_names(list, &capacity, a) || !(list->names[list->n++] = arena_string(a, e->d_name))))
            s = fail_memory(err, folder);
    if (!s && errno)
        s = fail_errno(err, "%s: cannot list", folder);
    closedir(d);
    if (s)
        list->n = 0;
    else if (list->n)
        qsort(list->names, list->n, sizeof *list->names, compare_names);
    return s;
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
