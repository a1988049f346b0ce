/* What a program sees of a training run. */
#include "cli/train_events.h"
#include "cli/bar.h"

int train_events_open(train_events *t)
{
    t->told = 0;
    return results_open(&t->out, NULL);
}

int train_events_data(train_events *t, const char *json)
{
    bert_buffer_printf(&t->out.text, "{\"event\": \"data\", %s\n", json + 1);
    return results_flush(&t->out);
}

int train_events_show(train_events *t, const bert_event *event)
{
    double now = bar_clock();
    bool often = event->kind == BERT_EVENT_STEP || event->kind == BERT_EVENT_FROZEN;
    if (often && event->done < event->total && now - t->told < 0.1)
        return 0;
    if (often)
        t->told = now;
    bert_event_write(&t->out.text, event);
    return results_flush(&t->out);
}

int train_events_close(train_events *t, int status)
{
    return results_close(&t->out, status);
}
