/* .tar.gz archives. A tar is a row of blocks of 512 bytes: a header for each entry, then its bytes filled up to whole
 * blocks; two blocks of zeros end it. POSIX.1-2008 (pax) gives long names in an entry of type x before the one they
 * belong to ("LENGTH path=NAME\n"), GNU tar in one of type L. Here only names are taken from either; type g (global pax
 * headers, git's comment) is skipped. */
#include "formats/tar_gz.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/size.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BLOCK = 512,
    MOST_NAME = 4096,
    MOST_DEPTH = 16,
    MOST_PAX = 1 << 20,
    MOST_ENTRIES = 1 << 16,
    PIECE = 1 << 16,
    DEFLATE_MOST = 1032
};

/* A header block, ustar. Numbers are octal text. */
typedef struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
} tar_header;
_Static_assert(sizeof(tar_header) == BLOCK, "a tar header is one block");

/* An archive that is being unpacked. */
typedef struct tar_reader {
    gzFile gz;
    const char *archive;
    const char *folder;
    uint64_t most;    /* bytes that gzip can have packed into a file of this size */
    uint64_t at;      /* bytes of the tar read so far */
    buffer long_name; /* of the next entry, where it has one */
    buffer pax;
    unsigned char piece[PIECE];
    bert_err *err;
} tar_reader;

/* What zlib says after a read that failed or came up short. */
static bert_status fail_damaged(tar_reader *t)
{
    int code;
    const char *words = gzerror(t->gz, &code);
    if (code == Z_MEM_ERROR || (code == Z_ERRNO && errno == ENOMEM))
        return fail_memory(t->err, t->archive);
    if (code == Z_ERRNO)
        return fail_errno(t->err, "%s: cannot read", t->archive);
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return fail(t->err, BERT_ERR_FORMAT, "%s: truncated, ends behind byte %" PRIu64 " of the tar", t->archive,
                    t->at);
    return fail(t->err, BERT_ERR_FORMAT, "%s: damaged gzip data behind byte %" PRIu64 " of the tar: %s", t->archive,
                t->at, words);
}

/* Reads n bytes, all of them. */
static bert_status read_bytes(tar_reader *t, void *out, size_t n)
{
    if (gzread(t->gz, out, (unsigned)n) != (int)n)
        return fail_damaged(t);
    t->at += n;
    return BERT_OK;
}

static bert_status skip_bytes(tar_reader *t, uint64_t n)
{
    bert_status s = BERT_OK;
    while (n && !s) {
        size_t k = n < PIECE ? (size_t)n : PIECE;
        s = read_bytes(t, t->piece, k);
        n -= k;
    }
    return s;
}

/* The bytes that fill an entry's last block. */
static size_t filling_bytes(uint64_t size)
{
    return (size_t)(-size % BLOCK);
}

/* A number of n octal digits, with spaces around; false where it is none (base-256 numbers, 8 GiB and more, count as
 * none). */
static bool read_octal(const char *digits, size_t n, uint64_t *out)
{
    size_t i = 0, first;
    while (i < n && digits[i] == ' ')
        i++;
    first = i;
    for (*out = 0; i < n && digits[i] >= '0' && digits[i] <= '7'; i++)
        *out = *out * 8 + (uint64_t)(digits[i] - '0');
    return i > first && (i == n || digits[i] == ' ' || digits[i] == 0);
}

/* The header's checksum: the sum of its bytes, those of the checksum taken as spaces. */
static bool checksum_holds(const tar_header *h)
{
    const unsigned char *p = (const unsigned char *)h;
    uint64_t stored, sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= offsetof(tar_header, checksum) && i < offsetof(tar_header, type) ? ' ' : p[i];
    return read_octal(h->checksum, sizeof h->checksum, &stored) && stored == sum;
}

static bool is_zero(const tar_header *h)
{
    static const tar_header ZERO;
    return !memcmp(h, &ZERO, sizeof ZERO);
}

/* The value of the record "path" in a pax header; empty where there is none. False where the header is damaged. */
static bool pax_path(const buffer *pax, buffer *path)
{
    for (const char *p = pax->data, *end = pax->data + pax->size; p < end;) {
        char *digits_end;
        /* of the record, digits and newline included; pax ends with NUL */
        unsigned long length = strtoul(p, &digits_end, 10);
        if (digits_end == p || *digits_end != ' ' || length > (size_t)(end - p) ||
            length < (size_t)(digits_end - p) + 2 || p[length - 1] != '\n')
            return false;
        const char *record = digits_end + 1;
        size_t n = length - (size_t)(record - p) - 1;
        if (n >= 5 && !memcmp(record, "path=", 5)) {
            buffer_clear(path);
            buffer_add(path, record + 5, n - 5);
        }
        p += length;
    }
    return true;
}

/* Reads an entry whose bytes tell the name of the next one: type x or L. */
static bert_status read_long_name(tar_reader *t, char type, uint64_t size)
{
    if (size > MOST_PAX)
        return fail(t->err, BERT_ERR_FORMAT,
                    "%s: a header of %" PRIu64 " bytes at byte %" PRIu64 " of the tar, at most %d are read", t->archive,
                    size, t->at, MOST_PAX);
    buffer *b = type == 'L' ? &t->long_name : &t->pax;
    buffer_clear(b);
    if (!buffer_reserve(b, (size_t)size + filling_bytes(size)))
        return fail_memory(t->err, t->archive);
    bert_status s = read_bytes(t, b->data, (size_t)size + filling_bytes(size));
    if (s)
        return s;
    b->size = (size_t)size;
    b->data[size] = 0;
    if (type == 'L')
        b->size = strlen(b->data);
    else if (!pax_path(&t->pax, &t->long_name))
        return fail(t->err, BERT_ERR_FORMAT, "%s: damaged pax header before byte %" PRIu64 " of the tar", t->archive,
                    t->at);
    return t->long_name.failed ? fail_memory(t->err, t->archive) : BERT_OK;
}

/* Appends at most n characters of a field that may lack its NUL. */
static void add_field(buffer *b, const char *field, size_t n)
{
    buffer_add(b, field, strnlen(field, n));
}

/* The entry's name: the long one, else prefix and name of the header. Uses up the long one. */
static void take_name(tar_reader *t, const tar_header *h, buffer *name)
{
    buffer_clear(name);
    if (t->long_name.size) {
        buffer_add(name, t->long_name.data, t->long_name.size);
    } else {
        if (!memcmp(h->magic, "ustar", 6) && h->prefix[0]) {
            add_field(name, h->prefix, sizeof h->prefix);
            buffer_char(name, '/');
        }
        add_field(name, h->name, sizeof h->name);
    }
    buffer_clear(&t->long_name);
}

/* Why an entry may not have this name; NULL where it may. Leading "./" and double slashes are harmless. */
static const char *forbidden(const buffer *name)
{
    if (!name->size || name->size > MOST_NAME || memchr(name->data, 0, name->size))
        return "a name that is empty, too long or holds a NUL";
    if (name->data[0] == '/')
        return "an absolute name";
    int depth = 0;
    for (const char *p = name->data; p; p = strchr(p, '/')) {
        if (depth++ > MOST_DEPTH)
            return "a name of too many folders";
        p += *p == '/';
        if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
            return "a name with \"..\"";
    }
    return NULL;
}

/* Writes the next `size` bytes as the file `path`. */
static bert_status unpack_bytes(tar_reader *t, const char *path, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_errno(t->err, "%s: cannot write", path);
    bert_status s = BERT_OK;
    for (uint64_t left = size; left && !s;) {
        size_t k = left < PIECE ? (size_t)left : PIECE;
        s = read_bytes(t, t->piece, k);
        for (size_t done = 0; !s && done < k;) {
            ssize_t n = write(fd, t->piece + done, k - done);
            if (n <= 0)
                s = fail_errno(t->err, "%s: cannot write", path);
            else
                done += (size_t)n;
        }
        left -= k;
    }
    if (close(fd) && !s)
        s = fail_errno(t->err, "%s: cannot write", path);
    return s ? s : skip_bytes(t, filling_bytes(size));
}

/* A file with the folders above it. */
static bert_status unpack_file(tar_reader *t, const char *path, uint64_t size)
{
    arena a = { 0 };
    char *above = path_folder(&a, path);
    bert_status s = above ? folder_create(above, t->err) : fail_memory(t->err, path);
    arena_free(&a);
    return s ? s : unpack_bytes(t, path, size);
}

/* One entry behind its header. */
static bert_status unpack_entry(tar_reader *t, const tar_header *h, uint64_t size, buffer *name, buffer *path)
{
    take_name(t, h, name);
    if (name->failed)
        return fail_memory(t->err, t->archive);
    const char *why = forbidden(name);
    if (why)
        return fail(t->err, BERT_ERR_FORMAT, "%s: refused, an entry has %s: %.200s", t->archive, why, name->data);
    buffer_clear(path);
    buffer_printf(path, "%s/%s", t->folder, name->data);
    if (path->failed)
        return fail_memory(t->err, t->archive);
    bool folder = h->type == '5' || ((h->type == '0' || !h->type) && name->data[name->size - 1] == '/');
    if (folder) {
        bert_status s = folder_create(path->data, t->err);
        return s ? s : skip_bytes(t, size + filling_bytes(size));
    }
    if (h->type == '0' || h->type == 0 || h->type == '7')
        return unpack_file(t, path->data, size);
    return fail(t->err, BERT_ERR_FORMAT, "%s: refused, %.200s is neither a file nor a folder (type '%c')", t->archive,
                name->data, h->type > ' ' && h->type <= '~' ? h->type : '?');
}

/* One header and what belongs to it; *end where it was the end's block. */
static bert_status unpack_next(tar_reader *t, buffer *name, buffer *path, bool *end)
{
    tar_header h;
    uint64_t size, start = t->at;
    bert_status s = read_bytes(t, &h, sizeof h);
    if (s)
        return s;
    if ((*end = is_zero(&h)))
        return BERT_OK;
    if (!checksum_holds(&h) || !read_octal(h.size, sizeof h.size, &size))
        return fail(t->err, BERT_ERR_FORMAT, "%s: no tar header at byte %" PRIu64 " of the tar", t->archive, start);
    if (size > t->most)
        return fail(t->err, BERT_ERR_FORMAT,
                    "%s: an entry of %" PRIu64 " bytes at byte %" PRIu64
                    " of the tar, the archive can hold at most %" PRIu64,
                    t->archive, size, start, t->most);
    if (h.type == 'x' || h.type == 'L')
        return read_long_name(t, h.type, size);
    if (h.type == 'g')
        return skip_bytes(t, size + filling_bytes(size));
    return unpack_entry(t, &h, size, name, path);
}

/* Reads on behind the tar's end: gzip's checksum stands at its own. */
static bert_status read_rest(tar_reader *t)
{
    int n, code;
    while ((n = gzread(t->gz, t->piece, PIECE)) > 0)
        ;
    gzerror(t->gz, &code);
    return n < 0 || code != Z_OK ? fail_damaged(t) : BERT_OK;
}

static bert_status unpack_all(tar_reader *t)
{
    buffer name = { 0 }, path = { 0 };
    bert_status s = BERT_OK;
    bool end = false;
    for (size_t i = 0; !s && !end; i++)
        s = i < MOST_ENTRIES ? unpack_next(t, &name, &path, &end)
                             : fail(t->err, BERT_ERR_FORMAT, "%s: more than %d entries", t->archive, MOST_ENTRIES);
    if (!s)
        s = read_rest(t);
    buffer_free(&name);
    buffer_free(&path);
    return s;
}

/* Opens the archive and learns how much it can hold. */
static bert_status open_archive(tar_reader *t)
{
    struct stat st;
    int fd = open(t->archive, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(t->err, "%s: cannot open", t->archive);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return fail(t->err, BERT_ERR_IO, "%s: is not a regular file", t->archive);
    }
    t->most = (uint64_t)st.st_size * DEFLATE_MOST;
    t->gz = gzdopen(fd, "rb");
    if (!t->gz) {
        close(fd);
        return fail_memory(t->err, t->archive);
    }
    errno = 0;
    if (gzdirect(t->gz)) /* zlib reads what is not gzip as it is, and says so, too, where it had no memory to look */
        return fail_elsewhere(t->err, BERT_ERR_FORMAT, "%s: not a gzip file", t->archive);
    return BERT_OK;
}

bert_status tar_gz_unpack(const char *archive, const char *folder, bert_err *err)
{
    tar_reader *t = calloc(1, sizeof *t);
    if (!t)
        return fail_memory(err, archive);
    t->archive = archive;
    t->folder = folder;
    t->err = err;
    bert_status s = open_archive(t);
    if (!s)
        s = folder_create(folder, err);
    if (!s)
        s = unpack_all(t);
    if (t->gz)
        gzclose(t->gz);
    buffer_free(&t->long_name);
    buffer_free(&t->pax);
    free(t);
    return s;
}
