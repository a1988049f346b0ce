/* Figures as JSON: metrics, an evaluation, what happens in training. */
#include "base/fields.h"
#include "base/options.h"

#include <math.h>
#include <sys/resource.h>

static void add_string(buffer *out, const char *string)
{
    field_json(out, string, strlen(string));
}

/* "loss": 0.41, "accuracy": 0.8, ...: a comma behind each; what there is no value for is left out. */
static void add_values(buffer *out, const bert_metrics *metrics)
{
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 0; i < n; i++) {
        double value = bert_metric_value(metrics, &table[i]);
        if (isnan(value))
            continue;
        buffer_printf(out, "\"%s\": ", table[i].name);
        field_number(out, value);
        buffer_string(out, ", ");
    }
}

/* ..., "n": 400 */
static void add_metrics(buffer *out, const bert_metrics *metrics)
{
    add_values(out, metrics);
    if (metrics->labels)
        buffer_printf(out, "\"labels\": %zu, \"labels_seen\": %zu, ", metrics->labels, metrics->labels_seen);
    buffer_printf(out, "\"n\": %zu", metrics->n);
}

/* "baseline": {"accuracy": 0.5, ..., "answer": "\"neg\"", "beaten": true} */
static void add_baseline(buffer *out, const bert_baseline *baseline)
{
    buffer_string(out, "\"baseline\": {");
    add_values(out, &baseline->metrics);
    buffer_string(out, "\"answer\": ");
    add_string(out, baseline->answer);
    buffer_printf(out, ", \"beaten\": %s}", baseline->note[0] ? "false" : "true");
}

void bert_metrics_write(bert_buffer *out, const bert_metrics *metrics)
{
    buffer_char(out, '{');
    add_metrics(out, metrics);
    buffer_string(out, "}\n");
}

void bert_evaluation_write(bert_buffer *out, const bert_evaluation *evaluation)
{
    buffer_char(out, '{');
    add_metrics(out, &evaluation->metrics);
    buffer_string(out, ", ");
    add_baseline(out, &evaluation->baseline);
    buffer_string(out, "}\n");
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* clang-format off */
#define FIELD(name) { #name, offsetof(bert_event, name) }
/* clang-format on */
static const char *const KINDS[] = { "note", "step", "epoch", "checkpoint", "end", "frozen" }; /* as bert_event_kind */
static const struct event_field {
    const char *name;
    size_t offset;
} COUNTS[] = { FIELD(epoch), FIELD(epochs), FIELD(step), FIELD(steps), FIELD(best_epoch) }, /* int64_t */
    SIZES[] = { FIELD(done), FIELD(total) },                                                /* size_t */
    NUMBERS[] = { FIELD(seconds),       FIELD(seconds_left), FIELD(samples_per_second),
                  FIELD(learning_rate), FIELD(grad_norm),    FIELD(loss),
                  FIELD(accuracy) }; /* double */

/* Everything but what the event does not have. */
static void add_numbers(buffer *out, const bert_event *event)
{
    const char *fields = (const char *)event;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++)
        buffer_printf(out, ", \"%s\": %lld", COUNTS[i].name,
                      (long long)*(const int64_t *)(const void *)(fields + COUNTS[i].offset));
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        buffer_printf(out, ", \"%s\": %zu", SIZES[i].name, *(const size_t *)(const void *)(fields + SIZES[i].offset));
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        double value = *(const double *)(const void *)(fields + NUMBERS[i].offset);
        if (isnan(value))
            continue;
        buffer_printf(out, ", \"%s\": ", NUMBERS[i].name);
        field_number(out, value);
    }
}

static void add_words(buffer *out, const char *name, const char *words)
{
    if (!words)
        return;
    buffer_printf(out, ", \"%s\": ", name);
    add_string(out, words);
}

/* The most memory that the process has had so far, in MB (what it maps and reads counts, too). */
static void add_memory(buffer *out)
{
    struct rusage usage;
    locale_t before = uselocale(plain_locale());
    if (!getrusage(RUSAGE_SELF, &usage))
        buffer_printf(out, ", \"peak_memory_mb\": %.1f", (double)usage.ru_maxrss * 1024 / 1e6);
    uselocale(before);
}

void bert_event_write(bert_buffer *out, const bert_event *event)
{
    buffer_printf(out, "{\"event\": \"%s\"", KINDS[event->kind]);
    add_words(out, "note", event->note);
    if (event->kind != BERT_EVENT_NOTE)
        add_numbers(out, event);
    if (event->kind == BERT_EVENT_EPOCH)
        buffer_printf(out, ", \"best\": %s", event->best ? "true" : "false");
    if (event->kind == BERT_EVENT_EPOCH || event->kind == BERT_EVENT_END)
        add_memory(out);
    add_words(out, "watch", event->watch);
    if (event->valid) {
        buffer_string(out, ", \"valid\": {");
        add_metrics(out, event->valid);
        buffer_char(out, '}');
    }
    if (event->baseline) {
        buffer_string(out, ", ");
        add_baseline(out, event->baseline);
    }
    buffer_string(out, "}\n");
}
