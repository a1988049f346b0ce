/* Results that outlive a run which is stopped. */
#include "cli/output.h"
#include "cli/bar.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/hash.h"
#include "cli/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const double SYNC_SECONDS = 5; /* what a kill loses at most; a run that is asked to stop loses nothing */

/* ---- what is complete -------------------------------------------------------------------------------------------- */

uint64_t output_hash(uint64_t hash, const bert_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++)
        for (int k = 0; k < (rows->pairs ? 2 : 1); k++) {
            const bert_text *text = k ? &rows->pairs[i] : &rows->texts[i];
            uint64_t size = text->size;
            hash = hash_bytes(hash_bytes(hash, &size, sizeof size), text->data, text->size);
        }
    return hash;
}

static uint64_t header_size(const output *o)
{
    return o->target.form == OUTPUT_NPY ? BERT_NPY_HEADER : 0;
}

static part_state nothing(const output *o)
{
    return (part_state){ 0, header_size(o), HASH_START, HASH_START };
}

/* Hashes the part's bytes from `from` to `to`; false: they are not there. */
static bool hash_part(int part, uint64_t from, uint64_t to, uint64_t *hash)
{
    char bytes[8192];
    while (from < to) {
        size_t wanted = to - from < sizeof bytes ? (size_t)(to - from) : sizeof bytes;
        ssize_t n = pread(part, bytes, wanted, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        *hash = hash_bytes(*hash, bytes, (size_t)n);
        from += (uint64_t)n;
    }
    return true;
}

/* The rows that are complete on the disk, then in the log. */
static int sync_part(output *o)
{
    o->synced = bar_clock();
    return fdatasync(o->to.fd) || part_log_add(o->log, &o->whole) ? -1 : 0;
}

void output_wrote(output *o, const bert_rows *rows)
{
    struct stat st;
    part_state now = o->whole;
    if (!o->path || o->to.error)
        return;
    errno = EIO;
    if (fstat(o->to.fd, &st) || !hash_part(o->to.fd, now.bytes, (uint64_t)st.st_size, &now.hash)) {
        o->to.error = errno;
        return;
    }
    now.rows += rows->n;
    now.bytes = (uint64_t)st.st_size;
    now.input = output_hash(now.input, rows);
    o->whole = now;
    if (bar_clock() - o->synced >= SYNC_SECONDS)
        sync_part(o); /* where it fails, an earlier line counts */
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void write_header(output *o, size_t rows)
{
    char header[BERT_NPY_HEADER];
    if (o->target.form != OUTPUT_NPY)
        return;
    bert_npy_header(header, rows, o->target.cols);
    bert_buffer_add(&o->to.text, header, sizeof header);
}

static int begin_part(output *o)
{
    o->whole = nothing(o);
    if (ftruncate(o->to.fd, 0))
        return report_error("%s: %s", o->path, strerror(errno));
    lseek(o->to.fd, 0, SEEK_SET);
    write_header(o, 0);
    if ((o->log = part_log_begin(o->record, o->target.record)) < 0)
        return report_error("%s: %s", o->record, strerror(errno));
    return STATUS_FINE;
}

static int resume_part(output *o, part_state state)
{
    uint64_t hash = HASH_START;
    if (!hash_part(o->to.fd, header_size(o), state.bytes, &hash) || hash != state.hash)
        return report_error("%s: is damaged: what the first %zu rows gave is not what was written; --force begins anew",
                            o->part, state.rows);
    if ((o->log = part_log_resume(o->record)) < 0)
        return report_error("%s: %s", o->record, strerror(errno));
    o->whole = state;
    o->done = state.rows;
    return STATUS_FINE;
}

/* What an earlier run left is gone on with, or not lost without a word. */
static int take_part(output *o)
{
    struct stat st;
    part_state state = { 0 };
    char what[512];
    const pipeline_target *t = &o->target;
    if ((t->force && !t->resume) || fstat(o->to.fd, &st) || (uint64_t)st.st_size <= header_size(o))
        return begin_part(o);
    switch (part_log_read(o->record, t->record, &state, what, sizeof what)) {
    case LOG_ABSENT:
        return report_error("%s: what %s was made with is not known; --force begins anew", o->record, o->part);
    case LOG_OTHER:
        return report_error("%s: %s; --force begins anew", o->part, what);
    case LOG_SAME:
        break;
    }
    if (!state.rows)
        return begin_part(o);
    if (!t->resume)
        return report_error("%s: has what the first %zu row%s of a run that was stopped gave; --resume goes on with "
                            "it, --force begins anew",
                            o->part, state.rows, state.rows == 1 ? "" : "s");
    return resume_part(o, state);
}

/* Whether the file is still the one of that name: who waited may find that it has become OUT. */
static bool still_there(const char *path, int fd)
{
    struct stat by_name, by_file;
    return !lstat(path, &by_name) && !fstat(fd, &by_file) && by_name.st_ino == by_file.st_ino &&
           by_name.st_dev == by_file.st_dev;
}

/* A file of its own: no link, no second name, no pipe. */
static int open_own(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0 || (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink <= 1))
        return fd;
    close(fd);
    return errno = ELOOP, -1;
}

/* Opens the part for this process alone. */
static int open_part(output *o)
{
    int fd;
    for (;;) {
        fd = open_own(o->part);
        if (fd < 0)
            return errno == ELOOP ? report_error("%s: is a link or no regular file; remove it", o->part)
                                  : report_error("%s: %s", o->path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) || still_there(o->part, fd))
            break;
        close(fd);
    }
    bool taken = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    o->to = (results){ .fd = fd, .path = o->path };
    if (!taken)
        return STATUS_FINE;
    close(fd);
    return report_error("%s: another process is writing it", o->part);
}

static void close_part(output *o)
{
    close(o->to.fd);
    bert_buffer_free(&o->to.text);
}

static void forget(output *o)
{
    if (o->log >= 0)
        close(o->log);
    free(o->path);
    free(o->part);
    free(o->record);
    *o = (output){ .log = -1 };
}

static output_state open_kept(output *o)
{
    const char *path = o->target.path;
    o->path = strdup(path);
    if (!o->path || asprintf(&o->part, "%s.part", path) < 0 || asprintf(&o->record, "%s.part.json", path) < 0) {
        report_error("out of memory: the name of %s", path);
        return OUTPUT_FAILED;
    }
    bool there = !access(o->part, F_OK);
    if (o->target.resume && !there && !access(path, F_OK)) {
        report_note("%s is done already", path);
        return OUTPUT_DONE;
    }
    if (open_part(o))
        return OUTPUT_FAILED;
    if (!take_part(o))
        return OUTPUT_READY;
    close_part(o);
    if (!there)
        unlink(o->part);
    return OUTPUT_FAILED;
}

output_state output_open(output *o, const pipeline_target *target)
{
    *o = (output){ .target = *target, .log = -1 };
    if (results_special(target->path))
        return results_open(&o->to, target->path) ? OUTPUT_FAILED : OUTPUT_READY;
    output_state state = open_kept(o);
    if (state != OUTPUT_READY)
        forget(o);
    return state;
}

int output_continue(output *o, uint64_t input)
{
    o->refused = input != o->whole.input;
    if (o->refused)
        return report_error("%s: the first %zu row%s of the input %s not what it was made from; --force begins anew",
                            o->part, o->done, o->done == 1 ? "" : "s", o->done == 1 ? "is" : "are");
    if (ftruncate(o->to.fd, (off_t)o->whole.bytes) || lseek(o->to.fd, (off_t)o->whole.bytes, SEEK_SET) < 0)
        return report_error("%s: %s", o->part, strerror(errno));
    return STATUS_FINE;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static int sync_folder(const char *path)
{
    char above[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) < sizeof above - 1)
        snprintf(above, sizeof above, "%.*s", (int)(slash - path) + 1, path);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) /* one that may be written and not read */
        return 0;
    int failed = fsync(fd) && errno != EINVAL && errno != ENOTSUP ? -1 : 0, number = errno;
    close(fd);
    return errno = number, failed;
}

static int put_in_place(output *o)
{
    if (o->target.form == OUTPUT_NPY && !o->to.error && !lseek(o->to.fd, 0, SEEK_SET))
        write_header(o, o->whole.rows);
    int status = results_flush(&o->to);
    if (status)
        return status;
    if (fsync(o->to.fd) || rename(o->part, o->path) || sync_folder(o->path))
        return report_error("%s: %s", o->path, strerror(errno));
    unlink(o->record);
    return STATUS_FINE;
}

/* Cuts off what is half there, so that the part is a sound file of its rows, and says so in the log. */
static int trim(output *o)
{
    char header[BERT_NPY_HEADER];
    int part = o->to.fd;
    bool npy = o->target.form == OUTPUT_NPY;
    bert_npy_header(header, o->whole.rows, o->target.cols);
    if (ftruncate(part, (off_t)o->whole.bytes) ||
        (npy && pwrite(part, header, sizeof header, 0) != (ssize_t)sizeof header) || sync_part(o))
        return report_error("%s: %s", o->part, strerror(errno));
    return STATUS_FINE;
}

static void keep(output *o)
{
    size_t rows = o->whole.rows;
    if (!rows) {
        unlink(o->part);
        unlink(o->record);
        return;
    }
    if (trim(o))
        return;
    report_note("%s has what the first %zu row%s gave", o->part, rows, rows == 1 ? "" : "s");
    fputs("go on with: ", stderr);
    command_line_print(stderr, o->target.resume ? "\n" : " --resume\n");
}

int output_close(output *o, int status)
{
    if (!o->path)
        return results_close(&o->to, status);
    if (!status)
        status = put_in_place(o);
    else
        results_push(&o->to); /* what went wrong has been told already */
    if (status && !o->refused && !access(o->part, F_OK))
        keep(o);
    close_part(o);
    forget(o);
    return status;
}
