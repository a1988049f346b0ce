/* An epoch: batches, steps, what is saved between them, and the measurement at its end. */
#include "base/clock.h"
#include "task/baseline.h"
#include "train/loop.h"

#include <math.h>

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* Batches whose gradients make one step with batch k: fewer at the end of an epoch. */
static size_t batches_of_step(const train_loop *l, size_t k)
{
    size_t size = (size_t)l->run.options.accumulate, first = k / size * size;
    return l->order.n - first < size ? l->order.n - first : size;
}

static bert_status train_on_batch(train_loop *l, size_t k, head_result *result, bert_err *err)
{
    train_run *r = &l->run;
    const uint32_t *rows = l->order.rows + l->order.start[k];
    size_t n = l->order.start[k + 1] - l->order.start[k];
    /* Each batch of the run has its own masks. */
    uint64_t number = (uint64_t)(l->at.epoch - 1) * l->order.n + k;
    step_dropout drop = { (uint64_t)r->options.seed, number, true, r->options.frozen_dropout };
    bert_status s = run_step(r, rows, n, drop, result, &l->step, err);
    if (!s)
        s = check_batch_loss(l, result->loss, rows, n, err);
    if (s)
        return s;
    l->at.rows += n;
    l->at.targets += result->n;
    l->at.correct += result->correct;
    l->at.loss += result->loss;
    l->at.measured = false;
    return BERT_OK;
}

static void take_step(train_loop *l, size_t n_batches)
{
    train_run *r = &l->run;
    double began = clock_seconds();
    l->pace.rate = schedule_rate(&r->schedule, l->at.step);
    bert_optimizer_set_rate(r->optimizer, l->pace.rate);
    double norm = optimizer_step(r->optimizer, 1.0 / (double)n_batches);
    l->pace.norm = r->options.clip_norm > 0 ? norm : NAN;
    l->at.step++;
    r->seconds[PART_OPTIMISER] += clock_seconds() - began;
}

/* Remembers a step in so many that about MOST are remembered of the run; *kept: where it stands, or NULL. */
static bert_status remember_step(train_loop *l, double loss, const step_record **kept, bert_err *err)
{
    enum { MOST = 2000 };
    *kept = NULL;
    if (l->at.step % (l->run.schedule.steps / MOST + 1))
        return BERT_OK;
    if (!run_record_room(&l->record))
        return fail_memory(err, "a run's history");
    step_record *step = &l->record.steps[l->record.n_steps++];
    *step = (step_record){ l->at.step, loss, l->pace.rate };
    *kept = step;
    return BERT_OK;
}

/* The batches of one step, from batch l->at.batch on. */
static bert_status run_batches_of_step(train_loop *l, bert_err *err)
{
    size_t first = l->at.batch, n = batches_of_step(l, first);
    double loss = 0, n_targets = 0;
    bert_status s = BERT_OK;
    for (size_t k = first; !s && k < first + n; k++) {
        head_result result;
        train_event done = { 0 };
        s = train_on_batch(l, k, &result, err);
        if (s)
            break;
        loss += result.loss;
        n_targets += (double)result.n;
        if (k + 1 == first + n) {
            take_step(l, n);
            l->at.batch = first + n;
            s = remember_step(l, loss / n_targets, &done.step, err);
        }
        done.told = loop_event(l, BERT_EVENT_STEP, NULL);
        if (!s)
            s = loop_tell(l, &done, err);
    }
    return s;
}

/* ---- between two steps ------------------------------------------------------------------------------------------- */

static bool save_due(const train_loop *l)
{
    const checkpoint_interval *every = &l->run.interval;
    return (every->steps && l->at.step - l->saved.step >= every->steps) ||
           (every->seconds > 0 && clock_seconds() - l->saved.seconds >= every->seconds);
}

static bert_status tell_saved(train_loop *l, const train_event *e, bert_err *err)
{
    bert_status s = loop_tell(l, e, err);
    l->saved.step = l->at.step;
    l->saved.seconds = clock_seconds();
    return s;
}

static bert_status stopped(const train_loop *l, bert_err *err)
{
    const char *path = l->saved.path;
    return fail(err, BERT_ERR_STOPPED, "stopped in epoch %lld after step %lld; %s%s", (long long)l->at.epoch,
                (long long)l->at.step, path ? path : "nothing was saved",
                path ? " holds the run, resume goes on with it" : "");
}

/* Saves where that is due or a listener wants to stop. Fails with BERT_ERR_STOPPED, BERT_ERR_IO. */
static bert_status pause_run(train_loop *l, bert_err *err)
{
    bool stop = l->stop, end = l->at.batch == l->order.n; /* which is saved in a moment, measured */
    if (!stop && (end || !save_due(l)))
        return BERT_OK;
    bool saved = l->at.measured && l->saved.step == l->at.step;
    bert_status s = saved ? BERT_OK : check_tuned_weights(l, err);
    if (!s && !saved)
        s = tell_saved(l, &(train_event){ .told = loop_event(l, BERT_EVENT_CHECKPOINT, NULL) }, err);
    return !s && (stop || l->stop) ? stopped(l, err) : s;
}

/* ---- the end of an epoch ----------------------------------------------------------------------------------------- */

static bert_status measure_epoch(train_loop *l, outcomes *out, verdict *v, bert_err *err)
{
    train_run *r = &l->run;
    double began = clock_seconds(), n = (double)l->at.targets;
    bert_status s = check_tuned_weights(l, err);
    if (!s && r->valid)
        s = validation_run(r, out, v, err);
    else if (!s)
        *v = verdict_of_training(r, l->at.loss / n, (double)l->at.correct / n);
    r->seconds[PART_VALIDATION] += clock_seconds() - began;
    return s;
}

static bert_status note_no_number(train_loop *l, const verdict *v, bert_err *err)
{
    const bert_metric *watch = l->run.watch;
    if (l->at.best_epoch || !isnan(bert_metric_value(&v->metrics, watch)))
        return BERT_OK;
    static const char WORDS[] = "%s has no value on this validation data: the loss tells the best epoch";
    return loop_say(l, BERT_EVENT_NOTE, arena_printf(&l->memory, WORDS, watch->name), err);
}

/* Makes the epoch that was just measured the best where it is. */
static bool take_if_best(train_loop *l, const verdict *v)
{
    if (l->at.best_epoch && !verdict_better(v, &l->at.best, l->run.watch))
        return false;
    l->at.best = *v;
    l->at.best_epoch = l->at.epoch;
    l->run.model->threshold = v->threshold;
    return true;
}

/* Where the epoch came to its end the next one begins; at the last step of all it may not have. */
static void advance(train_loop *l)
{
    l->at.measured = true;
    if (l->at.batch < l->order.n)
        return;
    l->at.epoch++;
    l->at.batch = 0;
    l->at.rows = l->at.targets = l->at.correct = 0;
    l->at.loss = l->at.seconds = 0;
    l->pace.resumed = 0;
    l->pace.began = clock_seconds();
}

/* Remembers the epoch and tells of it; its event is made before the next one begins. */
static bert_status tell_epoch(train_loop *l, const verdict *v, outcomes *out, bert_err *err)
{
    bert_baseline baseline = l->run.baseline;
    train_event e = { .told = loop_event(l, BERT_EVENT_EPOCH, NULL), .outcomes = out };
    if (!run_record_room(&l->record))
        return fail_memory(err, "a run's history");
    epoch_record *epoch = &l->record.epochs[l->record.n_epochs++];
    *epoch = (epoch_record){ .epoch = e.told.epoch,
                             .step = e.told.step,
                             .loss = e.told.loss,
                             .accuracy = e.told.accuracy,
                             .learning_rate = e.told.learning_rate,
                             .seconds = e.told.seconds + l->at.seconds,
                             .valid = l->run.valid ? v->metrics : metrics_unknown() };
    e.epoch = epoch;
    if (l->run.valid) {
        baseline_compare(&baseline, &v->metrics, l->run.watch);
        e.told.valid = &v->metrics;
        e.told.baseline = &baseline;
    }
    e.told.best = take_if_best(l, v);
    e.told.best_epoch = l->at.best_epoch;
    advance(l);
    return tell_saved(l, &e, err);
}

bert_status epoch_run(train_loop *l, bert_err *err)
{
    train_run *r = &l->run;
    const bert_train_options *o = &r->options;
    batch_order order = { (size_t)o->batch_size, (size_t)o->length_window, (uint64_t)o->seed, (uint64_t)l->at.epoch };
    verdict v;
    outcomes out = { 0 };
    bert_status s = batches_shuffled(&l->order, &r->train_tokens.rows, &order, err);
    run_unfreeze(r, l->at.epoch);
    l->pace.began = clock_seconds();
    l->pace.resumed = l->at.rows;
    if (!s && l->stop)
        s = pause_run(l, err);
    while (!s && l->at.batch < l->order.n && l->at.step < r->schedule.steps) {
        s = run_batches_of_step(l, err);
        if (!s)
            s = pause_run(l, err);
    }
    if (!s)
        s = measure_epoch(l, &out, &v, err);
    if (!s)
        s = note_no_number(l, &v, err);
    if (!s)
        s = tell_epoch(l, &v, &out, err);
    outcomes_free(&out);
    return s;
}
