/* Files brought over HTTP(S), whole or not at all. */
#include "web/download.h"

#include "base/file.h"
#include "base/sha.h"
#include "web/http.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A download under way. */
typedef struct download_state {
    download *d;
    char *part, *part_etag; /* PATH.part, PATH.part.etag */
    int fd;                 /* of PATH.part, locked; -1: closed */
    uint64_t have;          /* bytes in it */
    uint64_t resumed;       /* of these, bytes that an earlier try left */
    bool begun;             /* this try's body has begun */
    bool another;           /* this try's body is not the rest of what is here */
} download_state;

/* ---- checksums --------------------------------------------------------------------------------------------------- */

/* Git's name of a file's content: the SHA-1 of "blob SIZE\0" and the bytes. */
static void git_blob_hex(const void *bytes, size_t n, char hex[SHA256_HEX])
{
    char head[32];
    int head_size = snprintf(head, sizeof head, "blob %zu", n) + 1;
    unsigned char digest[SHA1_SIZE];
    sha h;
    sha1_begin(&h);
    sha_add(&h, head, (size_t)head_size);
    sha_add(&h, bytes, n);
    sha_end(&h, digest);
    sha_hex(digest, sizeof digest, hex);
}

/* The number of hexadecimal digits that s consists of; 0 where it holds anything else. */
static size_t hex_digits(const char *s)
{
    size_t n = strlen(s);
    return strspn(s, "0123456789abcdefABCDEF") == n ? n : 0;
}

/* Compares a file with a checksum: 64 digits SHA-256, 40 a git blob. found receives the file's. */
static bert_status compare_hash(const char *path, const char *expected, bool *same, char found[SHA256_HEX],
                                bert_err *err)
{
    file_mapping m;
    bert_status s = file_map(&m, path, err);
    if (s)
        return s;
    if (strlen(expected) == 64)
        sha256_hex(m.data, m.size, found);
    else
        git_blob_hex(m.data, m.size, found);
    file_unmap(&m);
    *same = !strcasecmp(found, expected);
    return BERT_OK;
}

/* The checksum that the file must have: the caller's, else the hub's, else NULL. */
static const char *expected_checksum(const download *d, const http_response *r)
{
    size_t digits = hex_digits(r->hub_etag);
    if (d->expected)
        return d->expected;
    return d->from_hub && (digits == 64 || digits == 40) ? r->hub_etag : NULL;
}

/* ---- the partial file -------------------------------------------------------------------------------------------- */

/* Opens PATH.part and takes its lock. Who waited finds that the other has renamed the file: then it opens a new one. */
static bert_status download_open_part(download_state *st, bert_err *err)
{
    for (;;) {
        struct stat ours, named;
        st->fd = open(st->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (st->fd < 0)
            return fail_errno(err, "%s: cannot write", st->part);
        int locked;
        while ((locked = flock(st->fd, LOCK_EX)) && errno == EINTR)
            ;
        if (locked || fstat(st->fd, &ours))
            return fail_errno(err, "%s: cannot lock", st->part);
        if (stat(st->part, &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) {
            st->have = (uint64_t)ours.st_size;
            return BERT_OK;
        }
        close(st->fd);
    }
}

/* Empties the partial file. */
static bert_status restart(download_state *st, bert_err *err)
{
    st->have = st->resumed = 0;
    unlink(st->part_etag);
    if (ftruncate(st->fd, 0) || lseek(st->fd, 0, SEEK_SET))
        return fail_errno(err, "%s: cannot write", st->part);
    return BERT_OK;
}

/* The entity tag that the partial file's bytes were sent under; "" where it is not known or not strong. */
static void read_etag(const download_state *st, char etag[HTTP_ETAG])
{
    etag[0] = 0;
    FILE *f = fopen(st->part_etag, "re");
    if (!f)
        return;
    size_t n = fread(etag, 1, HTTP_ETAG - 1, f);
    etag[n] = 0;
    fclose(f);
    if (etag[0] != '"' || strpbrk(etag, "\r\n"))
        etag[0] = 0;
}

/* ---- one try ----------------------------------------------------------------------------------------------------- */

/* Ends the transfer early where the file that stands at path is what the server is about to send. */
static bool wanted(void *context, const http_response *r)
{
    download *d = ((download_state *)context)->d;
    struct stat st;
    bool redirect = r->status >= 300 && r->status < 400;
    if (!d->from_hub || r->status >= 400 || stat(d->path, &st) || !S_ISREG(st.st_mode))
        return true;
    const char *expected = expected_checksum(d, r);
    char found[SHA256_HEX];
    if (expected) {
        if (compare_hash(d->path, expected, &d->kept, found, NULL))
            d->kept = false;
    } else if (!redirect) {
        d->kept = r->length == (uint64_t)st.st_size && r->status == 200;
    }
    return !d->kept;
}

/* Why a part of a file, status 206, is not the rest of what is here; NULL: it is. */
static const char *not_the_rest(const download_state *st, const http_response *r, const char *etag)
{
    const download *d = st->d;
    if (!st->have)
        return "a part of the file, which was not asked for";
    if (r->range_start != st->have)
        return "another part of the file than was asked for";
    if (r->range_size != HTTP_NO_LENGTH &&
        (r->range_end + 1 != r->range_size || (d->expected_size && r->range_size != d->expected_size)))
        return "a part that does not reach to the file's end";
    if (r->length != HTTP_NO_LENGTH && r->length != r->range_end - r->range_start + 1)
        return "a part of another length than it said";
    if (etag[0] && r->etag[0] && strcmp(etag, r->etag))
        return "a part of another version of the file";
    return NULL;
}

/* Makes the partial file ready for a body that begins: at its end where the server resumes, else from its start. */
static bert_status begin_body(download_state *st, const http_response *r, bert_err *err)
{
    char etag[HTTP_ETAG];
    read_etag(st, etag);
    const char *wrong = r->status == 206 ? not_the_rest(st, r, etag) : NULL;
    st->begun = true;
    if (r->status == 206 && !wrong) {
        if (lseek(st->fd, (off_t)st->have, SEEK_SET) < 0)
            return fail_errno(err, "%s: cannot write", st->part);
        return BERT_OK;
    }
    st->another = wrong && st->have;
    bert_status s = restart(st, err);
    if (!s && wrong)
        return fail(err, BERT_ERR_NETWORK, "%s: the server sent %s", st->d->url, wrong);
    if (!s && r->etag[0] == '"')
        s = file_write_whole(st->part_etag, r->etag, strlen(r->etag), err);
    return s;
}

static const uint64_t MOST_BYTES = (uint64_t)64 << 30;

static uint64_t most_bytes(const download *d)
{
    return d->expected_size ? d->expected_size : d->most ? d->most : MOST_BYTES;
}

/* Nothing of it is kept: what is here is not the file. */
static bert_status too_long(download_state *st, bert_err *err)
{
    uint64_t most = most_bytes(st->d);
    bert_status s = restart(st, err);
    return s ? s
             : fail(err, BERT_ERR_NETWORK, "%s: the server sends more than %s%" PRIu64 " bytes", st->d->url,
                    st->d->expected_size ? "the listed " : "", most);
}

static bool add_body(void *context, const http_response *r, const void *bytes, size_t n, bert_err *err)
{
    download_state *st = context;
    if (r->status != 200 && r->status != 206)
        return true; /* a page about an error */
    if (!st->begun && begin_body(st, r, err))
        return false;
    if (n > most_bytes(st->d) - st->have)
        return too_long(st, err), false;
    for (const char *p = bytes; n;) {
        ssize_t k = write(st->fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            fail_errno(err, "%s: cannot write", st->part);
            return false;
        }
        p += k, n -= (size_t)k, st->have += (uint64_t)k;
    }
    return true;
}

static bool tell_progress(void *context, uint64_t done, uint64_t total)
{
    download_state *st = context;
    const download *d = st->d;
    uint64_t before = st->begun && st->have >= done ? st->have - done : 0; /* resumed bytes are done too */
    return d->progress(d->context, d->name ? d->name : path_name(d->path), before + done, total ? before + total : 0);
}

/* Gives the partial file its name once its checksum is right. A wrong one that was pieced together is worth another try
 * from the start. */
static bert_status download_end(download_state *st, const http_response *r, bool *retry, bert_err *err)
{
    const download *d = st->d;
    const char *expected = expected_checksum(d, r);
    bool same = true, pieced = st->resumed > 0;
    char found[SHA256_HEX];
    if (d->expected_size && st->have != d->expected_size) {
        uint64_t have = st->have;
        bert_status failed = restart(st, err);
        *retry = !failed && pieced;
        return failed ? failed
                      : fail(err, BERT_ERR_NETWORK, "%s: %" PRIu64 " bytes came, %" PRIu64 " are listed", d->url, have,
                             d->expected_size);
    }
    bert_status s = expected ? compare_hash(st->part, expected, &same, found, err) : BERT_OK;
    if (!s && !same) {
        s = restart(st, err);
        *retry = !s && pieced;
        return s ? s
                 : fail(err, BERT_ERR_NETWORK, "%s: %s is %s, expected %s", d->url,
                        strlen(expected) == 64 ? "SHA-256" : "git SHA-1", found, expected);
    }
    if (!s && (fsync(st->fd) || rename(st->part, d->path)))
        s = fail_errno(err, "%s: cannot write", d->path);
    if (!s)
        unlink(st->part_etag);
    return s;
}

/* One transfer and what its status means. *retry: it failed by something that may pass. */
static bert_status try_once(void *context, bool *retry, bert_err *err)
{
    download_state *st = context;
    download *d = st->d;
    char range[32], etag[HTTP_ETAG];
    read_etag(st, etag);
    if (!etag[0] && !d->expected) /* nothing would tell that the rest belongs to these bytes */
        st->have = 0;
    if (st->have > most_bytes(d)) /* what an earlier call has left */
        st->have = 0;
    snprintf(range, sizeof range, "%" PRIu64 "-", st->have);
    http_get get = { .url = d->url,
                     .bearer = d->bearer,
                     .range = st->have ? range : NULL,
                     .if_range = etag[0] ? etag : NULL,
                     .stall_seconds = d->stall_seconds,
                     .headers = wanted,
                     .body = add_body,
                     .progress = d->progress ? tell_progress : NULL,
                     .context = st };
    st->begun = st->another = false;
    st->resumed = st->have;
    bert_status s = http_get_run(&get, err);
    const http_response *r = &get.response;
    *retry = get.retry || st->another;
    if (s || d->kept)
        return s;
    if (r->status == 404 && d->optional) {
        d->missing = true;
        return BERT_OK;
    }
    if (r->status == 416 && st->have) { /* the file has become shorter than what is here */
        *retry = true;
        s = restart(st, err);
        return s ? s : fail(err, BERT_ERR_NETWORK, "%s: the server has no bytes from %s on", d->url, range);
    }
    if (r->status != 200 && r->status != 206)
        return http_fail_status(&get, err);
    if (!st->begun && (s = begin_body(st, r, err))) { /* an empty body */
        *retry = st->another;
        return s;
    }
    return download_end(st, r, retry, err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

bert_status download_file(download *d, bert_err *err)
{
    arena a = { 0 };
    download_state st = { .d = d,
                          .part = arena_printf(&a, "%s.part", d->path),
                          .part_etag = arena_printf(&a, "%s.part.etag", d->path),
                          .fd = -1 };
    d->missing = d->kept = false;
    bert_status s = st.part && st.part_etag ? download_open_part(&st, err) : fail_memory(err, d->path);
    if (!s)
        s = http_retry(try_once, &st, d->pause, err);
    bool useless = st.fd >= 0 && (d->missing || d->kept || st.have == 0);
    if (useless) {
        unlink(st.part);
        unlink(st.part_etag);
    }
    if (st.fd >= 0)
        close(st.fd);
    arena_free(&a);
    return s;
}
