/* A training run as it is followed. */
#include "cli/train_watch.h"
#include "cli/command_line.h"
#include "cli/messages.h"
#include "cli/stop.h"

#include <stdio.h>
#include <unistd.h>

/* The line break is for a terminal, where the bar stands before it. */
static const char ANSWER[] = "\nbert: note: finishing the step and writing a checkpoint; once more ends at once\n";

int train_watch_start(train_watch *w, const char *folder, bool json, bool quiet, bool verbose, bool resumed)
{
    *w = (train_watch){ .folder = folder, .quiet = quiet, .json = json, .resumed = resumed };
    w->bar = (train_bar){ .bar = bar_start(), .checkpoints = verbose };
    stop_watch(quiet ? NULL : ANSWER + !w->bar.bar.terminal);
    return json ? results_open(&w->out, NULL) : STATUS_FINE;
}

void train_watch_data(train_watch *w, const bert_dataset *train, const bert_dataset *valid, const bert_model *model)
{
    char *text = NULL;
    bert_err err;
    if (w->quiet)
        return;
    if (bert_dataset_describe(train, valid, model, w->json, &text, &err))
        w->status = report_failure(&err);
    else if (w->json) { /* {"event": "data", ...} from the object that describes a data set */
        bert_buffer_printf(&w->out.text, "{\"event\": \"data\", %s\n", text + 1);
        w->status = results_flush(&w->out);
    } else
        fputs(text, stderr);
    bert_free(text);
}

static void remember(train_watch *w, const bert_event *event)
{
    if (event->steps) {
        w->step = event->step;
        w->steps = event->steps;
    }
    if (event->epochs) {
        w->epoch = event->epoch;
        w->epochs = event->epochs;
    }
    if (event->kind == BERT_EVENT_EPOCH && event->best)
        train_bar_scores(event, w->scores, sizeof w->scores);
    if (event->best_epoch)
        w->best = event->best_epoch;
}

/* A line for a program; of progress ten a second at most, and the last one of each. */
static void watch_write(train_watch *w, const bert_event *event)
{
    bool progress = event->kind == BERT_EVENT_STEP || event->kind == BERT_EVENT_FROZEN;
    double now = bar_clock();
    if (progress && (w->quiet || (event->done < event->total && now - w->told < 0.1)))
        return;
    w->told = progress ? now : w->told;
    bert_event_write(&w->out.text, event);
    if (results_flush(&w->out))
        w->status = STATUS_FAILED;
}

bool train_watch_event(void *watch, const bert_event *event)
{
    train_watch *w = watch;
    remember(w, event);
    if (w->json)
        watch_write(w, event);
    else if (!w->quiet)
        train_bar_show(&w->bar, event);
    return !w->status && !stop_asked();
}

void train_watch_note(train_watch *w, const char *note)
{
    train_watch_event(w, &(bert_event){ .kind = BERT_EVENT_NOTE, .note = note });
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static int report_stop(const train_watch *w)
{
    int status = report_error("stopped at step %lld of %lld, in epoch %lld of %lld", (long long)w->step,
                              (long long)w->steps, (long long)w->epoch, (long long)w->epochs);
    fputs("go on with: ", stderr);
    command_line_print(stderr, w->resumed ? "\n" : " --resume\n");
    return status;
}

/* "demo/model: epoch 2, val_loss: 0.4290 - val_accuracy: 0.7910" */
static int report_result(const train_watch *w, const bert_model *model)
{
    bert_buffer out = { 0 };
    char page[4096];
    if (w->quiet || w->json)
        return STATUS_FINE;
    bert_buffer_printf(&out, "%s: epoch %lld", w->folder, (long long)w->best);
    bert_buffer_printf(&out, *w->scores ? ", %s" : "%s", w->scores);
    if (bert_model_threshold(model) != 0.5)
        bert_buffer_printf(&out, " - threshold: %.4f", bert_model_threshold(model));
    bert_buffer_printf(&out, "\n");
    snprintf(page, sizeof page, "%s/report.html", w->folder);
    if (!access(page, R_OK))
        bert_buffer_printf(&out, "%s: curves, figures and the worst mistakes\n", page);
    return results_print(&out, STATUS_FINE);
}

int train_watch_end(train_watch *w, bert_status s, const bert_err *err, const bert_model *model)
{
    int status = w->status;
    stop_forget();
    bar_leave(&w->bar.bar);
    if (s == BERT_ERR_STOPPED)
        status = status ? status : report_stop(w);
    else if (s)
        status = report_failure(err);
    else if (!status)
        status = report_result(w, model);
    return w->json ? results_close(&w->out, status) : status;
}
