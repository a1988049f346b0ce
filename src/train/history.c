/* The record of a run, and its three forms. */
#include "train/history.h"

#include "base/clock.h"
#include "base/options.h"
#include "io/json_build.h"
#include "report/report.h"
#include "task/baseline.h"
#include "train/notes.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 2000 };
static const double FLUSH_SECONDS = 5;

/* ---- the record -------------------------------------------------------------------------------------------------------------- */

/* The options as a table in Markdown. */
static bert_status write_options(event_file *e, const train_run *r, int64_t step, bert_err *err)
{
    buffer text = { 0 };
    bert_option_table table = bert_train_option_table();
    buffer_string(&text, "|option|value|\n|---|---|\n");
    for (size_t i = 0; i < table.n; i++) {
        buffer_printf(&text, "|%s|", table.options[i].name);
        option_text(&r->options, &table.options[i], &text);
        buffer_string(&text, "|\n");
    }
    bert_status s = text.failed ? fail_memory(err, "a run's options") : BERT_OK;
    if (!s)
        event_file_text(e, step, "options", text.data);
    buffer_free(&text);
    return s;
}

bert_status history_begin(history *h, const train_run *r, const char *logs, int64_t resumed_at, bert_err *err)
{
    if (!h->epochs)
        h->epochs = json_array();
    if (!h->steps)
        h->steps = json_array();
    h->stride = r->schedule.steps / MOST_STEPS + 1;
    if (!h->epochs || !h->steps)
        return fail_memory(err, "a run's history");
    if (!logs)
        return BERT_OK;
    bert_status s = event_file_create(&h->events, logs, resumed_at ? resumed_at : -1, err);
    if (!s)
        s = write_options(h->events, r, resumed_at, err);
    h->flushed = clock_seconds();
    return s ? s : event_file_flush(h->events, err);
}

bert_status history_end(history *h, bert_err *err)
{
    bert_status s = h->events ? event_file_close(h->events, err) : BERT_OK;
    json_decref(h->epochs);
    json_decref(h->steps);
    *h = (history){ 0 };
    return s;
}

static void scalar(history *h, int64_t step, const char *tag, double value)
{
    if (h->events && !isnan(value))
        event_file_scalar(h->events, step, tag, value);
}

bert_status history_step(history *h, int64_t step, double loss, double rate, double norm, bert_err *err)
{
    if (step % h->stride)
        return BERT_OK;
    if (json_array_append_new(h->steps, json_pack("[I, f, f]", (json_int_t)step, loss, rate)))
        return fail_memory(err, "a run's history");
    scalar(h, step, "loss", loss);
    scalar(h, step, "learning_rate", rate);
    scalar(h, step, "grad_norm", norm);
    if (!h->events || clock_seconds() - h->flushed < FLUSH_SECONDS)
        return BERT_OK;
    h->flushed = clock_seconds();
    return event_file_flush(h->events, err);
}

/* Adds a number to an epoch's object and, under epoch/, to the events; NaN to neither. */
static void epoch_number(history *h, json_t **epoch, const bert_event *e, const char *name, double value)
{
    char tag[64];
    snprintf(tag, sizeof tag, "epoch/%s", name);
    if (!isnan(value))
        json_put(epoch, name, json_real(value));
    scalar(h, e->step, tag, value);
}

bert_status history_epoch(history *h, const bert_event *e, bert_err *err)
{
    json_t *epoch = json_pack("{s:I, s:I}", "epoch", (json_int_t)e->epoch, "step", (json_int_t)e->step);
    epoch_number(h, &epoch, e, "loss", e->loss);
    epoch_number(h, &epoch, e, "accuracy", e->accuracy);
    epoch_number(h, &epoch, e, "learning_rate", e->learning_rate);
    epoch_number(h, &epoch, e, "seconds", e->seconds);
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 0; e->valid && i < n; i++) {
        char name[48];
        snprintf(name, sizeof name, "val_%s", table[i].name);
        epoch_number(h, &epoch, e, name, bert_metric_value(e->valid, &table[i]));
    }
    if (json_array_append_new(h->epochs, epoch))
        return fail_memory(err, "a run's history");
    h->flushed = clock_seconds();
    return h->events ? event_file_flush(h->events, err) : BERT_OK;
}

/* ---- its forms --------------------------------------------------------------------------------------------------------------- */

json_t *seconds_to_json(const double seconds[N_PARTS])
{
    json_t *json = json_object();
    for (int i = 0; i < N_PARTS; i++)
        json_put(&json, PART_NAMES[i], json_real(seconds[i]));
    return json;
}

bert_status history_write(const history *h, const train_run *r, const progress *p, const char *folder, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, folder, "history.json");
    json_t *json = json_pack("{s:s, s:O, s:I, s:s, s:f, s:o, s:o}", "format", "libbert.history", "epochs", h->epochs, "best_epoch",
                             (json_int_t)p->best_epoch, "watch", r->watch->name, "threshold", p->best.threshold, "seconds",
                             seconds_to_json(r->seconds), "options", options_to_json(&r->options, bert_train_option_table()));
    bert_status s = path && json ? json_write_file(json, path, err) : fail_memory(err, "history.json");
    json_decref(json);
    arena_free(&a);
    return s;
}

/* What the page lists: how the layer is used, and how it was trained. */
static json_t *all_options(const train_run *r)
{
    json_t *json = layer_spec_to_json(&r->model->layer->spec, r->model->layer->spec.module);
    json_put_all(&json, options_to_json(&r->options, bert_train_option_table()));
    return json;
}

bert_status history_report(const history *h, const train_run *r, const progress *p, const outcomes *out, const char *folder, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, folder, "report.html");
    char useless[NOTE_WORDS];
    bert_baseline baseline = r->baseline;
    note_compare(r, p, useless, sizeof useless);
    if (out)
        baseline_compare(&baseline, &p->best.metrics, r->watch);
    json_t *options = all_options(r), *parts = seconds_to_json(r->seconds);
    report page = { .title = "Training report",
                    .model = r->model,
                    .history = h->epochs,
                    .steps = h->steps,
                    .best_epoch = p->best_epoch,
                    .options = options,
                    .parts = parts,
                    .outcomes = out,
                    .metrics = out ? &p->best.metrics : NULL,
                    .baseline = out ? &baseline : NULL,
                    .useless = useless,
                    .threshold = p->best.threshold,
                    .data = r->valid,
                    .tokens = r->valid ? &r->valid_tokens.rows : NULL,
                    .train_tokens = &r->train_tokens.rows,
                    .seq_len = (size_t)r->model->layer->spec.seq_len };
    bert_status s = path && options && parts ? report_write(&page, path, err) : fail_memory(err, "report.html");
    json_decref(options);
    json_decref(parts);
    arena_free(&a);
    return s;
}
