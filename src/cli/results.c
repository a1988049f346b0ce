/* Where results go. */
#include "cli/results.h"
#include "cli/command.h"
#include "cli/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORTH_A_CALL = 1 << 16 };

bool results_special(const char *path)
{
    struct stat st;
    return !path || !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

int results_open(results *r, const char *path)
{
    *r = (results){ .fd = STDOUT_FILENO };
    if (!path || !strcmp(path, "-"))
        return STATUS_FINE;
    r->path = strdup(path);
    r->fd = r->path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (r->fd >= 0)
        return STATUS_FINE;
    int status = report_error("%s: %s", path, strerror(errno));
    free(r->path);
    return status;
}

int results_write(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written ? errno : EIO;
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

bool results_push(results *r)
{
    if (!r->error)
        r->error = r->text.failed ? ENOMEM : results_write(r->fd, r->text.data, r->text.size);
    bert_buffer_clear(&r->text);
    return !r->error;
}

void results_line_done(results *r)
{
    if (r->text.size >= WORTH_A_CALL || r->text.failed)
        results_push(r);
}

int results_flush(results *r)
{
    if (results_push(r))
        return STATUS_FINE;
    if (r->error == EPIPE)
        return STATUS_FAILED;
    return report_error("%s: %s", r->path ? r->path : "standard output", strerror(r->error));
}

int results_close(results *r, int status)
{
    if (status)
        results_push(r); /* what went wrong has been told already */
    else
        status = results_flush(r);
    if (r->path && close(r->fd) && !status)
        status = report_error("%s: %s", r->path, strerror(errno));
    bert_buffer_free(&r->text);
    free(r->path);
    return status;
}

void results_size(bert_buffer *text, double bytes)
{
    bert_buffer_printf(text, bytes < 1e6 ? "%.1f kB" : "%.1f MB", bytes < 1e6 ? bytes / 1e3 : bytes / 1e6);
}

int results_print(bert_buffer *text, int status)
{
    results r = { .fd = STDOUT_FILENO, .text = *text };
    return results_close(&r, status);
}

int results_print_lines(char *lines)
{
    bert_buffer text = { 0 };
    size_t n = strlen(lines);
    bert_buffer_add(&text, lines, n);
    if (!n || lines[n - 1] != '\n')
        bert_buffer_add(&text, "\n", 1);
    bert_free(lines);
    return results_print(&text, STATUS_FINE);
}
