/* What a run tells, and how it ends. */
#include "train/loop.h"

#include "base/clock.h"

#include <math.h>

void loop_start(train_loop *l)
{
    l->at = (progress){ .epoch = 1 };
    l->pace.norm = NAN;
    l->pace.began = l->saved.seconds = clock_seconds();
}

void loop_add(train_loop *l, listener who)
{
    l->listeners[l->n_listeners++] = who;
}

bert_status loop_tell(train_loop *l, const train_event *e, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < l->n_listeners; i++) {
        const listener *to = &l->listeners[i];
        double began = clock_seconds();
        s = to->hear(to->self, l, e, err);
        if (to->saves)
            l->run.seconds[PART_SAVING] += clock_seconds() - began;
    }
    return s;
}

bert_status loop_say(train_loop *l, bert_event_kind kind, const char *note, bert_err *err)
{
    return loop_tell(l, &(train_event){ .told = loop_event(l, kind, note) }, err);
}

bert_event loop_event(const train_loop *l, bert_event_kind kind, const char *note)
{
    const train_run *r = &l->run;
    const progress *p = &l->at;
    double seconds = clock_seconds() - l->pace.began, done = (double)(p->rows - l->pace.resumed);
    double left = (double)(r->train->n - p->rows), n = p->targets ? (double)p->targets : 1;
    return (bert_event){ .kind = kind,
                         .epoch = p->epoch,
                         .epochs = r->options.epochs,
                         .step = p->step,
                         .steps = r->schedule.steps,
                         .done = p->rows,
                         .total = r->train->n,
                         .seconds = seconds,
                         .seconds_left = done > 0 ? seconds / done * left : 0,
                         .samples_per_second = seconds > 0 ? done / seconds : 0,
                         .learning_rate = l->pace.rate,
                         .grad_norm = l->pace.norm,
                         .loss = p->loss / n,
                         .accuracy = r->task->kind->numeric ? NAN : (double)p->correct / n,
                         .watch = r->watch->name,
                         .best_epoch = p->best_epoch,
                         .note = note };
}

bert_status loop_end(train_loop *l, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; i < l->n_listeners; i++) {
        const listener *who = &l->listeners[i];
        bert_status closed = who->close ? who->close(who->self, s ? NULL : err) : BERT_OK;
        s = s ? s : closed;
    }
    run_record_free(&l->record);
    batches_free(&l->order);
    run_end(&l->run);
    arena_free(&l->step);
    arena_free(&l->memory);
    return s;
}
