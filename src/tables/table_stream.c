/* The bytes of a table, plain or gzip. */
#include "tables/table_stream.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_SIZE = 1 << 16 };

static bert_status stream_read_file(table_stream *s, void *to, size_t room, size_t *n, bert_err *err)
{
    ssize_t got;
    do
        got = read(s->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_errno(err, "%s: cannot read", s->name);
    *n = (size_t)got;
    s->taken += *n;
    return BERT_OK;
}

/* More bytes into input behind those that are there. */
static bert_status stream_read_input(table_stream *s, bert_err *err)
{
    if (s->at == s->n) {
        s->before += s->n;
        s->at = s->n = 0;
    }
    size_t n = 0;
    bert_status status = stream_read_file(s, s->input + s->n, INPUT_SIZE - s->n, &n, err);
    if (status)
        return status;
    s->ended = n == 0;
    s->n += n;
    return BERT_OK;
}

/* ---- gzip ---- */

static bert_status gzip_damaged(const table_stream *s, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_FORMAT, "%s: byte %" PRIu64 ": %s", s->name, s->before + s->at, why);
}

/* One step of unpacking: *n bytes came out, perhaps none. */
static bert_status gzip_step(table_stream *s, char *to, size_t room, size_t *n, bert_err *err)
{
    uInt most = room > INPUT_SIZE ? INPUT_SIZE : (uInt)room;
    s->z.next_in = s->input + s->at;
    s->z.avail_in = (uInt)(s->n - s->at);
    s->z.next_out = (Bytef *)to;
    s->z.avail_out = most;
    int result = inflate(&s->z, Z_NO_FLUSH);
    s->at = s->n - s->z.avail_in;
    *n = most - s->z.avail_out;
    if (result == Z_STREAM_END)
        s->between_members = true;
    if (*n || result == Z_STREAM_END || result == Z_OK)
        return BERT_OK; /* a failure behind good bytes comes again at the next step */
    if (result == Z_MEM_ERROR)
        return fail_memory(err, s->name);
    if (result == Z_BUF_ERROR) /* it wants more input */
        return s->ended ? gzip_damaged(s, "the gzip data is cut off here", err) : BERT_OK;
    return gzip_damaged(s, s->z.msg ? s->z.msg : "damaged gzip data", err);
}

static bert_status read_gzip(table_stream *s, char *to, size_t room, size_t *n, bert_err *err)
{
    bert_status status = BERT_OK;
    for (*n = 0; !status && !*n;) {
        if (s->at == s->n && !s->ended && (status = stream_read_input(s, err)))
            break;
        if (s->between_members) {
            while (s->at < s->n && !s->input[s->at]) /* zeros behind a member are padding, as gzip(1) has it */
                s->at++;
            if (s->at == s->n) {
                if (s->ended)
                    break;
                continue;
            }
            inflateReset(&s->z);
            s->between_members = false;
        }
        status = gzip_step(s, to, room, n, err);
    }
    return status;
}

/* Decides between plain and gzip by the first two bytes; waits for the second only where the first leaves it open. */
static bert_status detect_gzip(table_stream *s, const char *path, bert_err *err)
{
    bert_status status = BERT_OK;
    while (!status && !s->ended && (s->n == 0 || (s->n == 1 && s->input[0] == 0x1f)))
        status = stream_read_input(s, err);
    if (status)
        return status;
    s->gzip = s->n >= 2 && s->input[0] == 0x1f && s->input[1] == 0x8b;
    if (!s->gzip && path_ends(path, ".gz"))
        return gzip_damaged(s, "not gzip data, though the name says so", err);
    if (s->gzip && inflateInit2(&s->z, 15 + 16) != Z_OK) { /* 16: gzip alone */
        s->gzip = false;
        return fail_memory(err, s->name);
    }
    return BERT_OK;
}

/* ---- either ---- */

/* Standard input may have been read by another program before. */
static uint64_t regular_size(int fd)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return 0;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
}

bert_status table_stream_open(table_stream *s, const char *path, bert_err *err)
{
    bool standard = !strcmp(path, "-");
    *s = (table_stream){ .name = standard ? "standard input" : path };
    s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return fail_errno(err, "%s: cannot open", s->name);
    s->open = true;
    s->size = regular_size(s->fd);
    s->input = malloc(INPUT_SIZE);
    bert_status status = s->input ? detect_gzip(s, path, err) : fail_memory(err, s->name);
    if (status)
        table_stream_close(s);
    return status;
}

bert_status table_stream_read(table_stream *s, char *to, size_t room, size_t *n, bert_err *err)
{
    if (s->gzip)
        return read_gzip(s, to, room, n, err);
    if (s->at == s->n) /* large reads go past input */
        return stream_read_file(s, to, room, n, err);
    *n = s->n - s->at < room ? s->n - s->at : room;
    memcpy(to, s->input + s->at, *n);
    s->at += *n;
    return BERT_OK;
}

bool table_stream_would_wait(const table_stream *s)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    return !s->gzip && s->at == s->n && poll(&p, 1, 0) == 0;
}

void table_stream_close(table_stream *s)
{
    if (s->gzip)
        inflateEnd(&s->z);
    if (s->open && s->fd != STDIN_FILENO)
        close(s->fd);
    free(s->input);
    *s = (table_stream){ 0 };
}
