/* Where kept outputs lie. */
#include "rows/kept_store.h"

#include "base/size.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_VERSION = 2, KEPT_HEADER = 512, KEPT_PAGE = 4096, KEPT_BYTE_ORDER = 0x01020304 };
static const char MAGIC[16] = "libbert kept\n";

_Static_assert(sizeof(kept_header) == 304 && sizeof(kept_header) <= KEPT_HEADER && sizeof(kept_entry) == 16,
               "the file's layout");

static const char NOTE_OTHER[] =
    "the file of kept outputs is of other data, another module or another version: it is made anew";
static const char NOTE_DAMAGED[] = "the file of kept outputs is damaged: it is made anew";
static const char NOTE_NO_ROOM[] = "the disk has no room for the file of kept outputs: they stay in memory";
static const char NOTE_IN_USE[] =
    "the file of kept outputs is in use by another process: this one keeps them in memory";

/* ---- layout ------------------------------------------------------------------------------------------------------ */

/* Where the data begins; 0: no size of this machine. */
static size_t data_offset(size_t rows)
{
    size_t table, end;
    if (!mul_size(rows, sizeof(kept_entry), &table) || !add_size(table, KEPT_HEADER + KEPT_PAGE - 1, &end))
        return 0;
    return end / KEPT_PAGE * KEPT_PAGE;
}

/* Sets capacity and the size of the whole. */
static void kept_store_plan(kept_store *s, uint64_t budget)
{
    size_t offset = data_offset(s->rows->n), tokens = s->rows->start[s->rows->n];
    s->capacity = 0;
    if (offset && budget > offset)
        s->capacity = (budget - offset) / s->token_bytes < tokens ? (budget - offset) / s->token_bytes : tokens;
    /* no overflow: within the budget, and mapped or refused */
    s->mapped = s->capacity ? offset + (size_t)s->capacity * s->token_bytes : 0;
}

static uint32_t header_crc(const kept_header *h)
{
    return crc32c(0, h, offsetof(kept_header, crc));
}

static kept_header complete(const kept_header *what, uint64_t capacity)
{
    kept_header h = *what;
    memcpy(h.magic, MAGIC, sizeof h.magic);
    h.version = KEPT_VERSION;
    h.byte_order = KEPT_BYTE_ORDER;
    h.capacity = capacity;
    h.zero = 0;
    h.crc = header_crc(&h);
    return h;
}

static bert_status map(kept_store *s, bert_err *err)
{
    int flags = s->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void *p = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE, flags, s->fd, 0);
    if (p == MAP_FAILED)
        return fail_memory(err, "kept outputs");
    s->mapping = p;
    s->entries = (kept_entry *)(void *)(s->mapping + KEPT_HEADER);
    s->data = s->mapping + data_offset(s->rows->n);
    return BERT_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* Looks at what is there. True: it is of the same data, its capacity in *capacity. */
static bool usable(int fd, const kept_header *what, size_t rows, size_t size, uint64_t *capacity, const char **note)
{
    kept_header found;
    size_t bytes;
    if (size == 0)
        return false;
    *note = NOTE_DAMAGED;
    if (pread(fd, &found, sizeof found, 0) != (ssize_t)sizeof found || memcmp(found.magic, MAGIC, sizeof MAGIC) ||
        found.crc != header_crc(&found))
        return false;
    kept_header same = complete(what, found.capacity);
    if (memcmp(&same, &found, sizeof found)) {
        *note = NOTE_OTHER;
        return false;
    }
    if (!mul_size(found.capacity, (size_t)found.token_bytes, &bytes) || !add_size(bytes, data_offset(rows), &bytes) ||
        bytes != size)
        return false;
    *capacity = found.capacity;
    *note = NULL;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const kept_entry *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* True where every entry is of its row, lies in the data and shares no token with another. */
static bool entries_sound(const kept_store *s, kept_entry *sorted, uint64_t capacity)
{
    size_t n = 0;
    for (size_t i = 0; i < s->rows->n; i++) {
        kept_entry e = s->entries[i];
        if (e.place &&
            (e.tokens != token_rows_length(s->rows, i) || e.tokens > capacity || e.place - 1 > capacity - e.tokens))
            return false;
        if (e.place)
            sorted[n++] = e;
    }
    qsort(sorted, n, sizeof *sorted, by_place);
    for (size_t i = 1; i < n; i++)
        if (sorted[i].place - sorted[i - 1].place < sorted[i - 1].tokens)
            return false;
    return true;
}

/* Takes over what an earlier run has left. Rows beyond the capacity of today are left out; where an entry cannot be,
 * all of them are. */
static bert_status take_entries(kept_store *s, uint64_t old_capacity, const char **note, bert_err *err)
{
    kept_entry *sorted = calloc(s->rows->n + 1, sizeof *sorted);
    if (!sorted)
        return fail_memory(err, "kept outputs");
    if (!entries_sound(s, sorted, old_capacity)) {
        memset(s->entries, 0, s->rows->n * sizeof *s->entries);
        *note = NOTE_DAMAGED;
    }
    free(sorted);
    for (size_t i = 0; i < s->rows->n; i++) {
        kept_entry *e = &s->entries[i];
        uint64_t end = e->place ? e->place - 1 + e->tokens : 0;
        if (end > s->capacity)
            *e = (kept_entry){ 0 };
        else if (end) {
            s->kept++;
            s->used = end > s->used ? end : s->used;
        }
    }
    return BERT_OK;
}

/* Gives the file its size; *room tells whether the disk has it. All of it is reserved now: a write to a mapped page
 * that finds no room on the disk would kill the process. */
static bert_status reserve(const kept_store *s, const char *path, size_t old_size, bool *room, bert_err *err)
{
    if (old_size > s->mapped && ftruncate(s->fd, (off_t)s->mapped))
        return fail_errno(err, "%s: cannot shorten", path);
    *room = !posix_fallocate(s->fd, 0, (off_t)s->mapped);
    if (!*room) {
        /* what was reserved in vain; it may fail, too */
        int back = ftruncate(s->fd, (off_t)(old_size < s->mapped ? old_size : s->mapped));
        (void)back;
    }
    return BERT_OK;
}

/* From the file, which stays as it is, to memory. */
static bert_status leave_file(kept_store *s, bert_err *err)
{
    close(s->fd); /* unlocks it */
    free(s->seen);
    s->fd = -1;
    s->seen = NULL;
    return map(s, err);
}

static bert_status fill_file(kept_store *s, const char *path, const kept_header *what, const char **note, bert_err *err)
{
    struct stat st;
    uint64_t old_capacity = 0;
    if (fstat(s->fd, &st))
        return fail_errno(err, "%s: cannot stat", path);
    size_t size = (size_t)st.st_size;
    bool same = usable(s->fd, what, s->rows->n, size, &old_capacity, note);
    if (!same && ftruncate(s->fd, 0))
        return fail_errno(err, "%s: cannot empty", path);
    s->seen = calloc(s->rows->n + 1, sizeof *s->seen);
    bool room;
    bert_status status = s->seen ? reserve(s, path, same ? size : 0, &room, err) : fail_memory(err, "kept outputs");
    if (!status && !room) {
        *note = NOTE_NO_ROOM;
        return leave_file(s, err);
    }
    if (!status)
        status = map(s, err);
    if (!status && same)
        status = take_entries(s, old_capacity, note, err);
    if (status)
        return status;
    kept_header h = complete(what, s->capacity);
    memcpy(s->mapping, &h, sizeof h);
    return BERT_OK;
}

/* Opens and locks the file, not one that a link of that name leads to: what does not fit is emptied. s->fd stays -1
 * where another process has it. */
static bert_status open_file(kept_store *s, const char *path, const char **note, bert_err *err)
{
    int fd = open_in_place(path);
    if (fd < 0)
        return errno == ELOOP
                   ? fail(err, BERT_ERR_IO, "%s: is a symbolic link, which kept outputs are not written through", path)
               : errno == ENXIO ? fail(err, BERT_ERR_IO, "%s: is not a regular file", path)
                                : fail_errno(err, "%s: cannot open", path);
    if (!flock(fd, LOCK_EX | LOCK_NB)) {
        s->fd = fd;
        return BERT_OK;
    }
    bert_status status = errno == EWOULDBLOCK ? BERT_OK : fail_errno(err, "%s: cannot lock", path);
    *note = NOTE_IN_USE;
    close(fd);
    return status;
}

bert_status kept_store_open(kept_store *s, const char *path, const kept_header *what, const token_rows *rows,
                            uint64_t budget, const char **note, bert_err *err)
{
    *s = (kept_store){ .rows = rows, .token_bytes = (size_t)what->token_bytes, .fd = -1 };
    *note = NULL;
    kept_store_plan(s, budget);
    if (!s->capacity)
        return BERT_OK;
    bert_status status = path ? open_file(s, path, note, err) : BERT_OK;
    if (!status)
        status = s->fd < 0 ? map(s, err) : fill_file(s, path, what, note, err);
    if (status)
        kept_store_close(s);
    return status;
}

void kept_store_close(kept_store *s)
{
    if (s->mapping)
        munmap(s->mapping, s->mapped);
    if (s->fd >= 0)
        close(s->fd); /* unlocks it */
    free(s->seen);
    *s = (kept_store){ .fd = -1 };
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static uint32_t row_crc(const kept_store *s, size_t row, const void *tokens)
{
    uint64_t number = row;
    return crc32c(crc32c(0, &number, sizeof number), tokens, token_rows_length(s->rows, row) * s->token_bytes);
}

const void *kept_store_find(kept_store *s, size_t row)
{
    if (!s->mapping)
        return NULL;
    kept_entry *e = &s->entries[row];
    if (!e->place)
        return NULL;
    const void *tokens = s->data + (size_t)(e->place - 1) * s->token_bytes;
    if (s->fd < 0 || s->seen[row] == ROW_WHOLE)
        return tokens;
    if (s->seen[row] == ROW_UNSEEN && row_crc(s, row, tokens) == e->crc) {
        s->seen[row] = ROW_WHOLE;
        return tokens;
    }
    if (s->seen[row] == ROW_UNSEEN)
        __atomic_fetch_sub(&s->kept, 1, __ATOMIC_RELAXED);
    s->seen[row] = ROW_DAMAGED;
    return NULL;
}

/* Room for so many tokens; false: there is none. */
static bool kept_store_grow(kept_store *s, uint64_t tokens, uint64_t *place)
{
    *place = __atomic_load_n(&s->used, __ATOMIC_RELAXED);
    do {
        if (tokens > s->capacity - *place)
            return false;
    } while (!__atomic_compare_exchange_n(&s->used, place, *place + tokens, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

void kept_store_add(kept_store *s, size_t row, const void *tokens)
{
    if (!s->mapping)
        return;
    kept_entry *e = &s->entries[row];
    size_t n = token_rows_length(s->rows, row);
    uint64_t place = e->place; /* a damaged row's is taken again */
    __atomic_store_n(&e->place, 0, __ATOMIC_RELEASE);
    if (place)
        place--;
    else if (!kept_store_grow(s, n, &place))
        return;
    memcpy(s->data + (size_t)place * s->token_bytes, tokens, n * s->token_bytes);
    e->tokens = (uint32_t)n;
    if (s->fd >= 0) {
        e->crc = row_crc(s, row, tokens);
        s->seen[row] = ROW_WHOLE;
    }
    __atomic_store_n(&e->place, place + 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&s->kept, 1, __ATOMIC_RELAXED);
}
