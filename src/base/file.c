/* Files: mapped for reading, written whole or not at all. */
#include "base/file.h"

#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char EMPTY[1];

bert_status file_map(file_mapping *m, const char *path, bert_err *err)
{
    *m = (file_mapping){ 0 };
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* a pipe is refused, not waited for */
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
            *m = (file_mapping){ p, (size_t)st.st_size, p };
    }
    close(fd);
    return s;
}

void file_unmap(file_mapping *m)
{
    if (m->pages)
        munmap(m->pages, m->size);
    *m = (file_mapping){ 0 };
}

void file_release(const file_mapping *m, const void *bytes, size_t n)
{
    /* Counted from the mapping's start, which is that of a page; what lies before it wraps around. */
    size_t page = (size_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)bytes - (uintptr_t)m->pages;
    size_t first = (begin + page - 1) / page * page, last = (begin + n) / page * page;
    if (begin <= m->size && n <= m->size - begin && first < last)
        madvise((char *)m->pages + first, last - first, MADV_DONTNEED);
}

enum { PIECE = 1 << 20 };

size_t file_piece(const file_mapping *m, size_t at)
{
    size_t before = at < PIECE ? at : PIECE;
    file_release(m, m->data + at - before, before);
    return m->size - at < PIECE ? m->size - at : PIECE;
}

size_t file_begins(const char *path, void *bytes, size_t n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t got = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) ? pread(fd, bytes, n, 0) : 0;
    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A stream's way to its file: all of it, however often the system is interrupted. */
static ssize_t file_write_all(void *cookie, const char *bytes, size_t n)
{
    int fd = (int)(intptr_t)cookie;
    for (size_t done = 0; done < n;) {
        ssize_t k = write(fd, bytes + done, n - done);
        if (k < 0 && errno != EINTR)
            return 0;
        done += k > 0 ? (size_t)k : 0;
    }
    return (ssize_t)n;
}

/* For who writes the beginning last. */
static int seek_to(void *cookie, off64_t *offset, int from)
{
    return (*offset = lseek((int)(intptr_t)cookie, *offset, from)) < 0 ? -1 : 0;
}

static int sync_file(int fd)
{
    int failed;
    while ((failed = fsync(fd)) && errno == EINTR)
        ;
    return failed;
}

int folder_sync_above(const char *path)
{
    arena a = { 0 };
    const char *folder = path_folder(&a, path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    arena_free(&a);
    if (fd < 0) /* one that may be written and not read */
        return 0;
    int failed = sync_file(fd) && errno != EINVAL && errno != ENOTSUP ? -1 : 0, number = errno;
    close(fd);
    errno = number;
    return failed;
}

static void file_writer_clear(file_writer *w)
{
    free(w->path);
    free(w->temporary);
    *w = (file_writer){ 0 };
}

bert_status file_create(file_writer *w, const char *path, bert_err *err)
{
    struct stat st;
    *w = (file_writer){ 0 };
    /* The rename at the end would put a file in the place of a device or pipe. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fail(err, BERT_ERR_IO, "%s: is %s, expected the name of a file", path,
                    S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
    if (!(w->path = strdup(path)))
        return fail_memory(err, path);
    w->file = temporary_create(path, false, &w->temporary);
    if (w->file >= 0)
        w->stream = fopencookie((void *)(intptr_t)w->file, "w",
                                (cookie_io_functions_t){ .write = file_write_all, .seek = seek_to });
    if (w->stream)
        return BERT_OK;
    bert_status s = errno == ENOMEM ? fail_memory(err, path) : fail_errno(err, "%s: cannot write", path);
    if (w->file >= 0) {
        unlink(w->temporary);
        close(w->file);
    }
    file_writer_clear(w);
    return s;
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

/* Remembers the first failure. */
static void note_failure(file_writer *w, bool failed)
{
    if (failed && !w->error)
        w->error = errno ? errno : EIO;
}

bert_status file_commit(file_writer *w, bert_err *err)
{
    errno = 0;
    note_failure(w, fflush(w->stream) || ferror(w->stream));
    fclose(w->stream); /* all of it is written: it only frees */
    note_failure(w, !w->error && sync_file(w->file));
    bool renamed = !w->error && !rename(w->temporary, w->path);
    note_failure(w, !renamed);
    note_failure(w, renamed && folder_sync_above(w->path));
    if (!renamed)
        unlink(w->temporary);
    note_failure(w, close(w->file)); /* the last: it unlocks */
    bert_status s = file_failed(w, err);
    file_writer_clear(w);
    return s;
}

bert_status file_commit_opened(file_writer *w, file_opens *opens, bert_err *err)
{
    errno = 0;
    note_failure(w, fflush(w->stream) || ferror(w->stream));
    bert_status s = w->error ? BERT_OK : opens(w->temporary, err);
    if (!s)
        return file_commit(w, err);
    fail_in(err, s, "%s: what was written does not open", w->path);
    file_abort(w);
    return s;
}

void file_abort(file_writer *w)
{
    if (w->stream) {
        fclose(w->stream);
        unlink(w->temporary);
        close(w->file);
    }
    file_writer_clear(w);
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
    return !lstat(path, &st) || (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

bool folder_holds(const char *folder, const char *name)
{
    struct stat st;
    int above = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool absent = above < 0 ? errno == ENOENT || errno == ENOTDIR
                            : fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
    if (above >= 0)
        close(above);
    return !absent;
}

bool file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
