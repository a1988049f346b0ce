/* What is seen of a training run. */
#include "cli/train_bar.h"

#include <stdio.h>
#include <string.h>

train_bar train_bar_start(bool quiet)
{
    return (train_bar){ .quiet = quiet, .bar = bar_start() };
}

void train_bar_scores(const bert_event *event, char *out, size_t size)
{
    if (event->valid)
        snprintf(out, size, "val_loss: %.4f - val_acc: %.4f", event->valid->loss, event->valid->accuracy);
    else
        snprintf(out, size, "loss: %.4f - acc: %.4f", event->loss, event->accuracy);
}

/* "4ms/sample" */
static void pace(const bert_event *event, char *out, size_t size)
{
    double s = event->done ? event->seconds / (double)event->done : 0;
    if (s >= 1)
        snprintf(out, size, "%.0fs/sample", s);
    else if (s >= 1e-3)
        snprintf(out, size, "%.0fms/sample", s * 1e3);
    else
        snprintf(out, size, "%.0fus/sample", s * 1e6);
}

/* What stands behind the bar: " - ETA: 2:31 - 4ms/sample - loss: 0.4890 - acc: 0.7460"; at the end of an epoch the time that it took, and the
 * validation's figures. */
static void describe_progress(const bert_event *event, char *out, size_t size)
{
    char time[48], each[48], scores[96] = "";
    bool over = event->kind == BERT_EVENT_EPOCH;
    double left = event->done ? event->seconds / (double)event->done * (double)(event->total - event->done) : 0;
    if (over)
        snprintf(time, sizeof time, "%.0fs", event->seconds);
    else
        bar_time(time, sizeof time, left);
    pace(event, each, sizeof each);
    if (over && event->valid) {
        memcpy(scores, " - ", 4);
        train_bar_scores(event, scores + 3, sizeof scores - 3);
    }
    snprintf(out, size, " - %s%s%s%s - loss: %.4f - acc: %.4f%s", over ? "" : "ETA: ", time, over ? " " : " - ", each, event->loss,
             event->accuracy, scores);
}

/* " 3200/34000 [==>...] - ...". Where there is no terminal a bar is only noise; where it is narrow, the bar gives way. */
static void describe(const train_bar *t, const bert_event *event, char *line, size_t size)
{
    char total[32], filled[BAR_SIZE] = "", progress[256];
    int width = snprintf(total, sizeof total, "%zu", event->total);
    describe_progress(event, progress, sizeof progress);
    if (t->bar.terminal) {
        int taken = 2 * width + 2 + (int)strlen(progress); /* the numbers, '/' and a space */
        bar_fill(filled, event->kind == BERT_EVENT_EPOCH ? BAR_SIZE : bar_columns() - taken, event->done, event->total);
    }
    snprintf(line, size, "%*zu/%s%s%s%s", width, event->done, total, *filled ? " " : "", filled, progress);
}

void train_bar_show(train_bar *t, const bert_event *event)
{
    if (t->quiet)
        return;
    if (t->epoch != event->epoch) {
        char heading[64];
        snprintf(heading, sizeof heading, "Epoch %lld/%lld", (long long)event->epoch, (long long)event->epochs);
        bar_finish(&t->bar, heading);
        t->epoch = event->epoch;
        t->quarter = 0;
    }
    char line[384];
    describe(t, event, line, sizeof line);
    int quarter = event->total ? (int)(4 * event->done / event->total) : 0;
    if (event->kind == BERT_EVENT_EPOCH)
        bar_finish(&t->bar, line);
    else if (event->done == event->total ? t->bar.terminal : bar_due(&t->bar))
        bar_draw(&t->bar, line);
    else if (!t->bar.terminal && quarter > t->quarter && quarter < 4)
        bar_finish(&t->bar, line);
    t->quarter = quarter;
}
