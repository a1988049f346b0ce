/* A bar over a table's bytes, with rows a second and the time that is left. */
#include "cli/meter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE = 1; /* seconds without a bar */

meter meter_start(int results, const bert_table *table)
{
    uint64_t total;
    meter m = { .bar = bar_start(), .began = bar_clock() };
    bert_table_progress(table, &m.read, &total);
    if (isatty(results) || (!total && isatty(STDIN_FILENO)))
        m.bar.terminal = false;
    return m;
}

static double pace(const meter *m, size_t n)
{
    double seconds = bar_clock() - m->began;
    return seconds > 0 ? (double)n / seconds : 0;
}

/* "51200 [======>.......] 42% - ETA: 2:31 - 612 rows/s"; without a total "51200 - 1:02 - 612 rows/s" */
static void describe_rows(const meter *m, size_t rows, size_t n, uint64_t read, uint64_t total, char *line, size_t size)
{
    char time[32], filled[BAR_SIZE], tail[96];
    double seconds = bar_clock() - m->began;
    if (total && read > m->read) {
        bar_time(time, sizeof time, seconds * (double)(total - read) / (double)(read - m->read));
        int taken = snprintf(tail, sizeof tail, "%d%% - ETA: %s - %.0f rows/s", (int)(100 * read / total), time,
                             pace(m, n));
        bar_fill(filled, bar_columns() - taken - 24, read, total);
        snprintf(line, size, "%zu %s%s%s", rows, filled, *filled ? " " : "", tail);
    } else {
        bar_time(time, sizeof time, seconds);
        snprintf(line, size, "%zu - %s - %.0f rows/s", rows, time, pace(m, n));
    }
}

void meter_show(meter *m, size_t rows, size_t n, uint64_t read, uint64_t total)
{
    char line[256];
    if (!bar_due(&m->bar) || bar_clock() - m->began < PATIENCE)
        return;
    describe_rows(m, rows, n, read, total, line, sizeof line);
    bar_draw(&m->bar, line);
}

void meter_end(meter *m, size_t rows, size_t n, bool complete)
{
    char line[256], time[32], filled[BAR_SIZE];
    if (!m->bar.terminal || m->bar.drawn <= 0)
        return;
    if (!complete) {
        bar_leave(&m->bar);
        return;
    }
    bar_time(time, sizeof time, bar_clock() - m->began);
    bar_fill(filled, BAR_SIZE, 1, 1);
    snprintf(line, sizeof line, "%zu/%zu %s - %s - %.0f rows/s", rows, rows, filled, time, pace(m, n));
    bar_finish(&m->bar, line);
}
