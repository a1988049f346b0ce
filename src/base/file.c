/* Files: mapped for reading, written whole or not at all. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char EMPTY[1];

bert_status file_map(file_mapping *m, const char *path, bert_err *err)
{
    *m = (file_mapping){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "%s: cannot open", path);
    struct stat st;
    bert_status s = BERT_OK;
    if (fstat(fd, &st))
        s = fail_errno(err, "%s: cannot stat", path);
    else if (S_ISDIR(st.st_mode))
        s = fail(err, BERT_ERR_IO, "%s: is a folder, expected a file", path);
    else if (!S_ISREG(st.st_mode))
        s = fail(err, BERT_ERR_IO, "%s: is not a regular file", path);
    else if (st.st_size == 0)
        m->data = EMPTY;
    else {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            s = fail_errno(err, "%s: cannot map %lld bytes", path, (long long)st.st_size);
        else
            *m = (file_mapping){ p, (size_t)st.st_size };
    }
    close(fd);
    return s;
}

void file_unmap(file_mapping *m)
{
    if (m->size)
        munmap((void *)(uintptr_t)m->data, m->size);
    *m = (file_mapping){ 0 };
}

static char *temporary_name(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') /* "model/" names the folder "model" */
        n--;
    size_t size = n + 32;
    char *t = malloc(size);
    if (t)
        snprintf(t, size, "%.*s.tmp-%ld", (int)n, path, (long)getpid());
    return t;
}

bert_status file_create(file_writer *w, const char *path, bert_err *err)
{
    struct stat st;
    *w = (file_writer){ 0 };
    /* The rename at the end would put a file in the place of a device or pipe. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fail(err, BERT_ERR_IO, "%s: is %s, expected the name of a file", path, S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
    *w = (file_writer){ .path = strdup(path), .temporary = temporary_name(path) };
    if (!w->path || !w->temporary) {
        file_abort(w);
        return fail_memory(err, path);
    }
    w->stream = fopen(w->temporary, "wbe");
    if (!w->stream) {
        bert_status s = fail_errno(err, "%s: cannot write", path);
        free(w->path);
        free(w->temporary);
        *w = (file_writer){ 0 };
        return s;
    }
    return BERT_OK;
}

void file_write(file_writer *w, const void *bytes, size_t n)
{
    if (n && !w->error && fwrite(bytes, 1, n, w->stream) != n)
        w->error = errno ? errno : EIO;
}

bert_status file_failed(const file_writer *w, bert_err *err)
{
    if (!w->error)
        return BERT_OK;
    errno = w->error;
    return fail_errno(err, "%s: cannot write", w->path);
}

bert_status file_commit(file_writer *w, bert_err *err)
{
    if (!w->error && (fflush(w->stream) || fsync(fileno(w->stream))))
        w->error = errno;
    if (!w->error && ferror(w->stream))
        w->error = EIO;
    if (fclose(w->stream) && !w->error)
        w->error = errno;
    w->stream = NULL;
    if (!w->error && rename(w->temporary, w->path))
        w->error = errno;
    if (w->error)
        unlink(w->temporary);
    bert_status s = file_failed(w, err);
    free(w->path);
    free(w->temporary);
    *w = (file_writer){ 0 };
    return s;
}

void file_abort(file_writer *w)
{
    if (w->stream) {
        fclose(w->stream);
        unlink(w->temporary);
    }
    free(w->path);
    free(w->temporary);
    *w = (file_writer){ 0 };
}

bert_status file_write_whole(const char *path, const void *bytes, size_t n, bert_err *err)
{
    file_writer w;
    bert_status s = file_create(&w, path, err);
    if (s)
        return s;
    file_write(&w, bytes, n);
    return file_commit(&w, err);
}

bert_status file_copy(const char *from, const char *to, bert_err *err)
{
    file_mapping m;
    bert_status s = file_map(&m, from, err);
    if (s)
        return s;
    s = file_write_whole(to, m.data, m.size, err);
    file_unmap(&m);
    return s;
}

bool file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

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
    struct stat st;
    if (lstat(path, &st) || !S_ISDIR(st.st_mode)) /* a link goes, what it leads to stays */
        return unlink(path) ? fail_errno(err, "%s: cannot remove", path) : BERT_OK;
    DIR *d = opendir(path);
    if (!d)
        return fail_errno(err, "%s: cannot open the folder", path);
    bert_status s = BERT_OK;
    arena a = { 0 };
    for (struct dirent *e; !s && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        char *inner = path_join(&a, path, e->d_name);
        s = inner ? folder_remove(inner, err) : fail_memory(err, path);
    }
    closedir(d);
    arena_free(&a);
    if (!s && rmdir(path))
        s = fail_errno(err, "%s: cannot remove the folder", path);
    return s;
}

/* True where path is a folder that may be replaced: empty, or holding the file that marks it as ours. */
static bool folder_is_ours(const char *path, const char *mark)
{
    DIR *d = opendir(path);
    if (!d)
        return false;
    size_t n = 0;
    bool marked = false;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        n++;
        marked |= !strcmp(e->d_name, mark);
    }
    closedir(d);
    return n == 0 || marked;
}

bert_status folder_begin(folder_writer *w, const char *path, const char *replaceable, bert_err *err)
{
    *w = (folder_writer){ strdup(path), temporary_name(path) };
    bert_status s = BERT_OK;
    if (!w->path || !w->temporary)
        s = fail_memory(err, path);
    else if (file_exists(path) && !file_is_folder(path))
        s = fail(err, BERT_ERR_IO, "%s: is a file, expected a folder or a new name", path);
    else if (file_exists(path) && !folder_is_ours(path, replaceable))
        s = fail(err, BERT_ERR_IO, "%s: holds other files (no %s among them); give a new name or an empty folder", path, replaceable);
    else if (!file_exists(w->temporary) || !(s = folder_remove(w->temporary, err)))
        s = folder_create(w->temporary, err);
    if (s) {
        free(w->path);
        free(w->temporary);
        *w = (folder_writer){ 0 };
    }
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
    if (had ? folder_exchange(w->temporary, w->path) : rename(w->temporary, w->path))
        s = fail_errno(err, "%s: cannot write", w->path);
    if (s || had)
        folder_remove(w->temporary, NULL);
    free(w->path);
    free(w->temporary);
    *w = (folder_writer){ 0 };
    return s;
}

void folder_abort(folder_writer *w)
{
    if (w->temporary)
        folder_remove(w->temporary, NULL);
    free(w->path);
    free(w->temporary);
    *w = (folder_writer){ 0 };
}

bert_status folder_end(folder_writer *w, bert_status filled, bert_err *err)
{
    if (!filled)
        return folder_commit(w, err);
    folder_abort(w);
    return filled;
}

char *path_join(arena *a, const char *folder, const char *name)
{
    if (name[0] == '/')
        return arena_string(a, name);
    size_t n = strlen(folder);
    return arena_printf(a, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *path_folder(arena *a, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? arena_copy(a, path, n) : arena_string(a, ".");
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_ends(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && !memcmp(path + n - m, suffix, m);
}

char *path_relative(arena *a, const char *target, const char *folder)
{
    char to[PATH_MAX], from[PATH_MAX];
    if (!realpath(target, to) || !realpath(folder, from))
        return NULL;
    if (!to[1])
        to[0] = 0; /* the root is "": every folder starts with its slash */
    if (!from[1])
        from[0] = 0;
    size_t shared = 0; /* length of the folders that both are in */
    for (size_t i = 0;; i++) {
        if ((!to[i] || to[i] == '/') && (!from[i] || from[i] == '/'))
            shared = i;
        if (to[i] != from[i] || !to[i])
            break;
    }
    char *path = arena_string(a, to[shared] ? to + shared + 1 : "");
    for (const char *p = from + shared; path && *p; p++)
        if (*p == '/')
            path = arena_printf(a, "..%s%s", *path ? "/" : "", path);
    return path && !*path ? arena_string(a, ".") : path;
}
