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
    bert_status s = BERT_OK;
    if (w->error) {
        unlink(w->temporary);
        errno = w->error;
        s = fail_errno(err, "%s: cannot write", w->path);
    }
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
    for (char *slash = p + 1; !s; slash++) {
        bool last = *slash == 0;
        if (!last && *slash != '/')
            continue;
        *slash = 0;
        if (mkdir(p, 0777) && !(errno == EEXIST && file_is_folder(p)))
            s = fail_errno(err, "%s: cannot make the folder", p);
        if (last || *p == 0)
            break;
        *slash = '/';
    }
    free(p);
    return s;
}

bert_status folder_remove(const char *path, bert_err *err)
{
    DIR *d = opendir(path);
    if (!d)
        return fail_errno(err, "%s: cannot open the folder", path);
    bert_status s = BERT_OK;
    arena a = { 0 };
    for (struct dirent *e; !s && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        char *inner = path_join(&a, path, e->d_name);
        struct stat st;
        if (!inner)
            s = fail_memory(err, path);
        else if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            s = folder_remove(inner, err);
        else if (unlink(inner))
            s = fail_errno(err, "%s: cannot remove", inner);
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

bert_status folder_commit(folder_writer *w, bert_err *err)
{
    bert_status s = BERT_OK;
    /* A folder cannot be renamed over one that is not empty: the old one steps aside first and comes back if the rename fails. */
    size_t size = strlen(w->temporary) + 8;
    char *aside = malloc(size);
    if (!aside) {
        folder_abort(w);
        return fail_memory(err, "a folder's name");
    }
    snprintf(aside, size, "%s-old", w->temporary);
    bool had = file_is_folder(w->path);
    if (had && rename(w->path, aside))
        s = fail_errno(err, "%s: cannot replace", w->path);
    else if (rename(w->temporary, w->path)) {
        s = fail_errno(err, "%s: cannot write", w->path);
        if (had)
            rename(aside, w->path);
    } else if (had)
        folder_remove(aside, NULL);
    free(aside);
    if (s) {
        folder_abort(w);
        return s;
    }
    free(w->path);
    free(w->temporary);
    *w = (folder_writer){ 0 };
    return BERT_OK;
}

void folder_abort(folder_writer *w)
{
    if (w->temporary)
        folder_remove(w->temporary, NULL);
    free(w->path);
    free(w->temporary);
    *w = (folder_writer){ 0 };
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
    size_t common = 0; /* length of the shared leading folders, their last slash included */
    size_t i = 0;
    for (; to[i] && to[i] == from[i]; i++)
        if (to[i] == '/')
            common = i + 1;
    if ((!to[i] || to[i] == '/') && (!from[i] || from[i] == '/') && (to[i] || from[i]))
        common = i + (to[i] || from[i]);
    else if (!to[i] && !from[i])
        return arena_string(a, ".");
    size_t n = strlen(to), m = strlen(from);
    char up[PATH_MAX * 2] = "";
    size_t used = 0;
    for (size_t k = common; k < m && used + 4 < sizeof up; k++)
        if (k == common || from[k - 1] == '/') {
            memcpy(up + used, "../", 4);
            used += 3;
        }
    const char *rest = common < n ? to + common : "";
    if (!*rest && used)
        up[used - 1] = 0;
    return arena_printf(a, "%s%s", up, rest);
}
