/* A line on standard error that is drawn again and again. */
#include "cli/bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double bar_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bar bar_start(void)
{
    return (bar){ .terminal = isatty(STDERR_FILENO) };
}

bool bar_due(const bar *b)
{
    return b->terminal && bar_clock() - b->drawn >= 0.1;
}

int bar_columns(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

void bar_draw(bar *b, const char *line)
{
    fprintf(stderr, "\r%.*s\033[K", bar_columns(), line);
    fflush(stderr);
    b->drawn = bar_clock();
}

void bar_finish(bar *b, const char *line)
{
    if (b->terminal)
        fputs("\r\033[K", stderr);
    fprintf(stderr, "%s\n", line);
    b->drawn = 0;
}

void bar_leave(bar *b)
{
    if (b->terminal && b->drawn > 0)
        fputc('\n', stderr);
    b->drawn = 0;
}

void bar_clear(bar *b)
{
    if (b->terminal && b->drawn > 0)
        fputs("\r\033[K", stderr);
    b->drawn = 0;
}

void bar_fill(char out[BAR_SIZE], int room, size_t done, size_t total)
{
    enum { NARROWEST = 5 };
    out[0] = 0;
    if (room - 2 < NARROWEST)
        return;
    size_t width = room - 2 < BAR_WIDTH ? (size_t)room - 2 : BAR_WIDTH;
    size_t filled = !total || done >= total ? width : (size_t)((double)done / (double)total * (double)width);
    out[0] = '[';
    memset(out + 1, '=', filled);
    memset(out + 1 + filled, '.', width - filled);
    if (filled && done < total)
        out[filled] = '>';
    memcpy(out + 1 + width, "]", 2);
}

void bar_time(char *out, size_t size, double seconds)
{
    long s = seconds < 0 ? 0 : (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s % 3600 / 60, s % 60);
    else if (s >= 60)
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, size, "%lds", s);
}
