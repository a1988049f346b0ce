/* The log of a part. */
#include "cli/part_log.h"
#include "cli/results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_SIZE = 160 };

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

static void print_state(char line[STATE_SIZE], const part_state *s)
{
    snprintf(line, STATE_SIZE,
             "{\"rows\": %zu, \"bytes\": %" PRIu64 ", \"hash\": \"%016" PRIx64 "\", \"input\": \"%016" PRIx64 "\"}",
             s->rows, s->bytes, s->hash, s->input);
}

/* A line counts if it is what would be written of the numbers in it: one that was cut off by a kill is passed over. */
static void read_state(const char *line, part_state *state)
{
    char again[STATE_SIZE];
    part_state read = { 0 };
    sscanf(line, "{\"rows\": %zu, \"bytes\": %" SCNu64 ", \"hash\": \"%" SCNx64 "\", \"input\": \"%" SCNx64, &read.rows,
           &read.bytes, &read.hash, &read.input);
    print_state(again, &read);
    if (!strcmp(line, again))
        *state = read;
}

part_log_answer part_log_read(const char *path, const char *record, part_state *state, char *what, size_t size)
{
    *state = (part_state){ 0 };
    char *text = read_text(path);
    const char *lines;
    if (!text)
        return LOG_ABSENT;
    part_log_answer answer = compare(text, record, &lines, what, size);
    char *line = text + (lines - text);
    for (char *end; answer == LOG_SAME && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        read_state(line, state);
    }
    free(text);
    return answer;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int write_whole(int log, const char *text)
{
    errno = results_write(log, text, strlen(text));
    return errno || (fdatasync(log) && errno != EINVAL) ? -1 : 0;
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
    return log < 0 ? -1 : or_close(log, write_whole(log, record));
}

/* A line that was cut off ends here. */
int part_log_resume(const char *path)
{
    int log = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    return log < 0 ? -1 : or_close(log, write_whole(log, "\n"));
}

int part_log_add(int log, const part_state *s)
{
    char line[STATE_SIZE];
    print_state(line, s);
    strcat(line, "\n");
    return write_whole(log, line);
}
