/* The log of a part. */
#include "cli/part_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    ssize_t n = f ? getdelim(&text, &room, 0, f) : -1;
    if (f)
        fclose(f);
    else if (fd >= 0)
        close(fd);
    if (n > 0 && (size_t)n == strlen(text))
        return text;
    free(text);
    return NULL;
}

/* A member without what stands around it. */
static int member_size(const char **line)
{
    *line += strspn(*line, " ");
    size_t n = strcspn(*line, "\n");
    return (int)(n && (*line)[n - 1] == ',' ? n - 1 : n);
}

/* Both are written by the same program: where they differ, it is in the value of one member. *end: where the record
 * ends in `then`. */
static part_log_answer compare(const char *then, const char *now, const char **end, char *what, size_t size)
{
    const char *a = then, *b = now;
    while (*b && strcspn(a, "\n") == strcspn(b, "\n") && !strncmp(a, b, strcspn(b, "\n") + 1)) {
        a += strcspn(a, "\n") + (a[strcspn(a, "\n")] == '\n');
        b += strcspn(b, "\n") + (b[strcspn(b, "\n")] == '\n');
    }
    *end = a;
    if (!*b)
        return LOG_SAME;
    int na = member_size(&a), nb = member_size(&b);
    snprintf(what, size, "made with %.*s, this run has %.*s", na, a, nb, b);
    return *then == '{' ? LOG_OTHER : LOG_ABSENT;
}

static bool read_number(const json_t *object, const char *name, int base, uint64_t *out)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    char *end = NULL;
    if (base == 10) {
        *out = (uint64_t)json_integer_value(value);
        return json_is_integer(value) && json_integer_value(value) >= 0;
    }
    *out = text ? strtoull(text, &end, base) : 0;
    return text && end == text + 16 && !*end;
}

static void read_line(const char *line, size_t n, part_state *state)
{
    uint64_t rows = 0;
    part_state read = { 0 };
    json_t *json = json_loadb(line, n, 0, NULL);
    bool sound = read_number(json, "rows", 10, &rows) && read_number(json, "bytes", 10, &read.bytes) &&
                 read_number(json, "hash", 16, &read.hash) && read_number(json, "input", 16, &read.input);
    read.rows = (size_t)rows;
    json_decref(json);
    if (sound)
        *state = read;
}

part_log_answer part_log_read(const char *path, const char *record, part_state *state, char *what, size_t size)
{
    *state = (part_state){ 0 };
    char *text = read_text(path);
    const char *line;
    if (!text)
        return LOG_ABSENT;
    part_log_answer answer = compare(text, record, &line, what, size);
    for (const char *end; answer == LOG_SAME && (end = strchr(line, '\n')); line = end + 1)
        read_line(line, (size_t)(end - line), state); /* one that was cut off by a kill is passed over */
    free(text);
    return answer;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int write_whole(int log, const char *bytes, size_t n)
{
    while (n) {
        ssize_t k = write(log, bytes, n);
        if (k < 0 && errno != EINTR)
            return -1;
        bytes += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return fdatasync(log) && errno != EINVAL ? -1 : 0;
}

static int or_close(int log, int failed)
{
    if (!failed)
        return log;
    int number = errno;
    close(log);
    errno = number;
    return -1;
}

int part_log_begin(const char *path, const char *record)
{
    if (unlink(path) && errno != ENOENT)
        return -1;
    int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return log < 0 ? -1 : or_close(log, write_whole(log, record, strlen(record)));
}

/* A line that was cut off ends here. */
int part_log_resume(const char *path)
{
    int log = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    return log < 0 ? -1 : or_close(log, write_whole(log, "\n", 1));
}

int part_log_add(int log, const part_state *s)
{
    char line[160];
    int n = snprintf(line, sizeof line,
                     "{\"rows\": %zu, \"bytes\": %" PRIu64 ", \"hash\": \"%016" PRIx64 "\", \"input\": \"%016" PRIx64
                     "\"}\n",
                     s->rows, s->bytes, s->hash, s->input);
    return write_whole(log, line, (size_t)n);
}
