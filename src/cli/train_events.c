/* What a program sees of a training run. */
#include "cli/train_events.h"
#include "cli/bar.h"
#include "cli/metrics.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

static const char *const KINDS[] = { "note", "step", "epoch", "checkpoint", "end" }; /* as bert_event_kind */

typedef struct event_field {
    const char *name;
    size_t offset;
} event_field;
#define FIELD(name)                       \
    {                                     \
#name, offsetof(bert_event, name) \
    }

static const event_field COUNTS[] = { FIELD(epoch), FIELD(epochs), FIELD(step), FIELD(steps), FIELD(best_epoch) }; /* int64_t */
static const event_field SIZES[] = { FIELD(done), FIELD(total) };                                                  /* size_t */
static const event_field NUMBERS[] = { FIELD(seconds),       FIELD(seconds_left), FIELD(samples_per_second),       /* double */
                                       FIELD(learning_rate), FIELD(grad_norm),    FIELD(loss),
                                       FIELD(accuracy) };
enum { N_COUNTS = sizeof COUNTS / sizeof *COUNTS, N_SIZES = sizeof SIZES / sizeof *SIZES, N_NUMBERS = sizeof NUMBERS / sizeof *NUMBERS };

int train_events_open(train_events *t)
{
    t->told = 0;
    return results_open(&t->out, NULL);
}

int train_events_data(train_events *t, const char *json)
{
    results_string(&t->out, "{\"event\": \"data\", ");
    for (const char *p = json + strspn(json, " \n{"); *p; p++) /* a line break in JSON is white space, and never in a string */
        if (*p != '\n') {
            results_printf(&t->out, "%c", *p);
        } else {
            results_string(&t->out, p[-1] == ',' ? " " : "");
            p += strspn(p + 1, " ");
        }
    results_string(&t->out, "\n");
    return results_flush(&t->out);
}

/* Everything but what the event does not have. */
static void write_numbers(results *out, const bert_event *event)
{
    const char *fields = (const char *)event;
    for (size_t i = 0; i < N_COUNTS; i++)
        results_printf(out, ", \"%s\": %lld", COUNTS[i].name, (long long)*(const int64_t *)(fields + COUNTS[i].offset));
    for (size_t i = 0; i < N_SIZES; i++)
        results_printf(out, ", \"%s\": %zu", SIZES[i].name, *(const size_t *)(fields + SIZES[i].offset));
    for (size_t i = 0; i < N_NUMBERS; i++) {
        double value = *(const double *)(fields + NUMBERS[i].offset);
        if (isnan(value))
            continue;
        results_printf(out, ", \"%s\": ", NUMBERS[i].name);
        results_number(out, value);
    }
}

static void write_text(results *out, const char *name, const char *text)
{
    if (!text)
        return;
    results_printf(out, ", \"%s\": ", name);
    results_json_string(out, text, strlen(text));
}

/* The most memory that the process has had so far, in MB (what it maps and reads counts, too). */
static void write_memory(results *out)
{
    struct rusage usage;
    if (!getrusage(RUSAGE_SELF, &usage))
        results_printf(out, ", \"peak_memory_mb\": %.1f", (double)usage.ru_maxrss * 1024 / 1e6);
}

int train_events_show(train_events *t, const bert_event *event)
{
    double now = bar_clock();
    if (event->kind == BERT_EVENT_STEP && event->done < event->total && now - t->told < 0.1)
        return 0;
    if (event->kind == BERT_EVENT_STEP)
        t->told = now;
    results_printf(&t->out, "{\"event\": \"%s\"", KINDS[event->kind]);
    write_text(&t->out, "note", event->note);
    if (event->kind != BERT_EVENT_NOTE)
        write_numbers(&t->out, event);
    if (event->kind == BERT_EVENT_EPOCH)
        results_printf(&t->out, ", \"best\": %s", event->best ? "true" : "false");
    if (event->kind == BERT_EVENT_EPOCH || event->kind == BERT_EVENT_END)
        write_memory(&t->out);
    write_text(&t->out, "watch", event->watch);
    if (event->valid) {
        results_string(&t->out, ", \"valid\": {");
        metrics_write(&t->out, event->valid);
        results_string(&t->out, "}");
    }
    if (event->baseline) {
        results_string(&t->out, ", ");
        metrics_write_baseline(&t->out, event->baseline);
    }
    results_string(&t->out, "}\n");
    return results_flush(&t->out);
}

int train_events_close(train_events *t, int status)
{
    return results_close(&t->out, status);
}
