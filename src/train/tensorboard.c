/* Event files for TensorBoard. */
#include "base/clock.h"
#include "base/options.h"
#include "formats/event_file.h"
#include "train/listeners.h"

#include <math.h>

static const double FLUSH_SECONDS = 5;

typedef struct tensorboard {
    event_file *file;
    double flushed; /* the clock then */
} tensorboard;

/* The options as a table in Markdown. */
static bert_status write_options(event_file *file, const train_run *r, int64_t step, bert_err *err)
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
        event_file_text(file, step, "options", text.data);
    buffer_free(&text);
    return s;
}

static void write_scalar(event_file *file, int64_t step, const char *tag, double value)
{
    if (!isnan(value))
        event_file_scalar(file, step, tag, value);
}

static void write_step(event_file *file, const step_record *step, double grad_norm)
{
    write_scalar(file, step->step, "loss", step->loss);
    write_scalar(file, step->step, "learning_rate", step->learning_rate);
    write_scalar(file, step->step, "grad_norm", grad_norm);
}

static void write_epoch(event_file *file, const epoch_record *epoch)
{
    epoch_number number;
    for (size_t i = 0; epoch_number_at(i, &number); i++) {
        char tag[64];
        snprintf(tag, sizeof tag, "epoch/%s", number.name);
        write_scalar(file, epoch->step, tag, epoch_value(epoch, number.offset));
    }
}

static bert_status tensorboard_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    tensorboard *t = self;
    if (e->step)
        write_step(t->file, e->step, e->told.grad_norm);
    if (e->epoch)
        write_epoch(t->file, e->epoch);
    bool due = e->epoch || (e->step && clock_seconds() - t->flushed >= FLUSH_SECONDS);
    if (due)
        t->flushed = clock_seconds();
    return (void)l, due ? event_file_flush(t->file, err) : BERT_OK;
}

static bert_status tensorboard_close(void *self, bert_err *err)
{
    return event_file_close(((tensorboard *)self)->file, err);
}

bert_status tensorboard_listen(train_loop *l, const char *folder, bert_err *err)
{
    int64_t step = l->at.step;
    const char *logs = path_join(&l->memory, folder, "logs");
    tensorboard *t = arena_alloc(&l->memory, sizeof *t);
    if (!t || !logs)
        return fail_memory(err, folder);
    loop_add(l, (listener){ .self = t, .hear = tensorboard_hear, .close = tensorboard_close });
    t->flushed = clock_seconds();
    bert_status s = event_file_create(&t->file, logs, step ? step : -1, err);
    if (!s)
        s = write_options(t->file, &l->run, step, err);
    return s ? s : event_file_flush(t->file, err);
}
