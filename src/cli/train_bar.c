/* What a person sees of a training run. */
#include "cli/train_bar.h"
#include "cli/messages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "loss: 0.4890 - accuracy: 0.7460" of the epoch so far; a task without accuracy has the loss alone. */
static void training_scores(const bert_event *event, char *out, size_t size)
{
    int n = snprintf(out, size, "loss: %.4f", event->loss);
    if (!isnan(event->accuracy))
        snprintf(out + n, size - (size_t)n, " - accuracy: %.4f", event->accuracy);
}

/* ` (always "0": 0.6300)`; a correlation, which a constant does not have, is left out. */
static size_t baseline_text(const bert_baseline *baseline, const bert_metric *watched, char *out, size_t size)
{
    double value = bert_metric_value(&baseline->metrics, watched);
    int n = isnan(value) ? snprintf(out, size, " (always %s)", baseline->answer)
                         : snprintf(out, size, " (always %s: %.4f)", baseline->answer, value);
    return (size_t)n;
}

/* "val_loss: 0.4100 - val_accuracy: 0.8000": loss, accuracy and the one that is watched (may be NULL); behind that,
 * where it is no better, what always the same answer has: " (always \"neg\": 0.8000)" (baseline: NULL for none of
 * it). */
static void valid_scores(const bert_metrics *metrics, const bert_baseline *baseline, const char *watch, char *out,
                         size_t size)
{
    size_t n, at = 0;
    const bert_metric *table = bert_metric_table(&n);
    *out = 0;
    for (size_t i = 0; i < n && at < size; i++) {
        const char *name = table[i].name;
        double value = bert_metric_value(metrics, &table[i]);
        bool watched = watch && !strcmp(name, watch);
        if (isnan(value) || (!watched && strcmp(name, "loss") && strcmp(name, "accuracy")))
            continue;
        at += (size_t)snprintf(out + at, size - at, "%sval_%s: %.4f", at ? " - " : "", name, value);
        if (watched && baseline && baseline->note[0] && at < size)
            at += baseline_text(baseline, &table[i], out + at, size - at);
    }
}

void train_bar_scores(const bert_event *event, char *out, size_t size)
{
    if (event->valid)
        valid_scores(event->valid, NULL, event->watch, out, size);
    else
        training_scores(event, out, size);
}

/* "4ms/sample" */
static void pace_words(const bert_event *event, char *out, size_t size)
{
    double s = event->samples_per_second > 0 ? 1 / event->samples_per_second : 0;
    if (s >= 1)
        snprintf(out, size, "%.0fs/sample", s);
    else if (s >= 1e-3)
        snprintf(out, size, "%.0fms/sample", s * 1e3);
    else
        snprintf(out, size, "%.0fus/sample", s * 1e6);
}

/* What stands behind the bar: " - ETA: 2:31 - 4ms/sample - loss: 0.4890 - accuracy: 0.7460"; at the end of an epoch the
 * time that it took, and the validation's figures, beside that of always the same answer where they are no better. */
static void describe_progress(const bert_event *event, char *out, size_t size)
{
    char time[48], each[48], scores[64], valid[320] = "";
    bool frozen = event->kind == BERT_EVENT_FROZEN;
    bool over = frozen ? event->done == event->total : event->kind == BERT_EVENT_EPOCH;
    bar_time(time, sizeof time, over ? event->seconds : event->seconds_left);
    pace_words(event, each, sizeof each);
    training_scores(event, scores, sizeof scores);
    if (over && event->valid) {
        memcpy(valid, " - ", 4);
        valid_scores(event->valid, event->baseline, event->watch, valid + 3, sizeof valid - 3);
    }
    snprintf(out, size, " - %s%s%s%s%s%s%s", over ? "" : "ETA: ", time, over ? " " : " - ", each, frozen ? "" : " - ",
             frozen ? "" : scores, valid);
}

/* " 3200/34000 [==>...] - ...". Where there is no terminal a bar is only noise; where it is narrow, the bar gives
 * way. */
static void describe_bar(const train_bar *t, const bert_event *event, char *line, size_t size)
{
    char total[32], filled[BAR_SIZE] = "", progress[576];
    int width = snprintf(total, sizeof total, "%zu", event->total);
    describe_progress(event, progress, sizeof progress);
    if (t->bar.terminal) {
        int taken = 2 * width + 2 + (int)strlen(progress); /* the numbers, '/' and a space */
        bar_fill(filled, event->kind == BERT_EVENT_EPOCH ? BAR_SIZE : bar_columns() - taken, event->done, event->total);
    }
    snprintf(line, size, "%*zu/%s%s%s%s", width, event->done, total, *filled ? " " : "", filled, progress);
}

static void head_epoch(train_bar *t, const bert_event *event)
{
    char heading[64];
    if (t->epoch == event->epoch)
        return;
    snprintf(heading, sizeof heading, "Epoch %lld/%lld", (long long)event->epoch, (long long)event->epochs);
    bar_finish(&t->bar, heading);
    t->epoch = event->epoch;
    t->quarter = 0;
}

static void show_step(train_bar *t, const bert_event *event)
{
    char line[768];
    int quarter = event->total ? (int)(4 * event->done / event->total) : 0;
    describe_bar(t, event, line, sizeof line);
    if (event->done == event->total ? t->bar.terminal : bar_due(&t->bar))
        bar_draw(&t->bar, line);
    else if (!t->bar.terminal && quarter > t->quarter && quarter < 4)
        bar_finish(&t->bar, line);
    t->quarter = quarter;
}

static void show_frozen(train_bar *t, const bert_event *event)
{
    char line[768];
    if (!t->frozen)
        bar_finish(&t->bar, "Frozen layers, once for all epochs");
    t->frozen = true;
    if (event->done < event->total) {
        show_step(t, event);
        return;
    }
    describe_bar(t, event, line, sizeof line);
    bar_finish(&t->bar, line);
    t->quarter = 0;
}

static void show_epoch(train_bar *t, const bert_event *event)
{
    char line[768];
    head_epoch(t, event);
    describe_bar(t, event, line, sizeof line);
    bar_finish(&t->bar, line);
    if (!event->best && event->best_epoch)
        fprintf(stderr, "no better than epoch %lld, which is kept\n", (long long)event->best_epoch);
}

void train_bar_show(train_bar *t, const bert_event *event)
{
    bool told = event->kind == BERT_EVENT_CHECKPOINT ? t->checkpoints
                                                     : event->kind == BERT_EVENT_NOTE || event->kind == BERT_EVENT_END;
    if (event->kind == BERT_EVENT_STEP) {
        head_epoch(t, event);
        show_step(t, event);
    } else if (event->kind == BERT_EVENT_FROZEN)
        show_frozen(t, event);
    else if (event->kind == BERT_EVENT_EPOCH)
        show_epoch(t, event);
    else if (told && event->note) {
        bar_clear(&t->bar);
        report_note("%s%s", event->kind == BERT_EVENT_CHECKPOINT ? "checkpoint: " : "", event->note);
    }
}
