/* What a run saves, and when. */
#include "base/clock.h"
#include "train/trainer.h"

#include <string.h>

bert_status save_checkpoint(trainer *t, bert_err *err)
{
    if (!t->folder)
        return BERT_OK;
    double began = clock_seconds();
    progress at = t->at;
    at.seconds += t->at.rows ? began - t->began : 0;
    bert_status s = checkpoint_write(t->checkpoint_path, &t->run, &at, &t->history, err);
    t->checkpoint_step = t->at.step;
    t->checkpoint_seconds = clock_seconds();
    t->run.seconds[PART_SAVING] += t->checkpoint_seconds - began;
    if (!s)
        tell(t, BERT_EVENT_CHECKPOINT, NULL, false, t->checkpoint_path);
    return s;
}

static bert_status stopped(const trainer *t, bert_err *err)
{
    if (!t->folder)
        return fail(err, BERT_ERR_STOPPED, "stopped in epoch %lld after step %lld; nothing was saved", (long long)t->at.epoch,
                    (long long)t->at.step);
    return fail(err, BERT_ERR_STOPPED, "stopped in epoch %lld after step %lld; %s holds the run, resume goes on with it", (long long)t->at.epoch,
                (long long)t->at.step, t->checkpoint_path);
}

static bool checkpoint_due(const trainer *t)
{
    const checkpoint_interval *every = &t->run.interval;
    return (every->steps && t->at.step - t->checkpoint_step >= every->steps) ||
           (every->seconds > 0 && clock_seconds() - t->checkpoint_seconds >= every->seconds);
}

bert_status save_within_epoch(trainer *t, bert_err *err)
{
    bool stop = t->stop;
    bool end = t->at.batch == t->order.n; /* which is saved in a moment, measured */
    if (!stop && (end || !checkpoint_due(t)))
        return BERT_OK;
    bool saved = t->at.measured && t->checkpoint_step == t->at.step;
    bert_status s = saved ? BERT_OK : check_weights(t, err);
    if (!s && !saved)
        s = save_checkpoint(t, err);
    return !s && (stop || t->stop) ? stopped(t, err) : s;
}

/* ---- the best epoch ---------------------------------------------------------------------------------------------------------- */

static bert_status keep_best(trainer *t, bert_err *err)
{
    bert_layer *l = t->run.model->layer;
    if (t->folder)
        return bert_model_save(t->run.model, t->folder, t->copy_module, err);
    memcpy(t->best, l->values, l->n_tuned * sizeof *t->best);
    return BERT_OK;
}

/* Makes the epoch that was just measured the best where it is. */
static bert_status compare(trainer *t, const verdict *v, outcomes *out, bool *best, bert_err *err)
{
    *best = !t->at.best_epoch || verdict_better(v, &t->at.best, t->run.watch);
    if (!*best)
        return BERT_OK;
    t->at.best = *v;
    t->at.best_epoch = t->at.epoch;
    t->best_in_place = true;
    t->run.model->threshold = v->threshold;
    outcomes_free(&t->best_outcomes);
    t->best_outcomes = *out;
    *out = (outcomes){ 0 };
    return keep_best(t, err);
}

/* Where the epoch came to its end the next one begins; at the last step of all it may not have. */
static void advance(trainer *t)
{
    t->at.measured = true;
    if (t->at.batch < t->order.n)
        return;
    t->at.epoch++;
    t->at.batch = 0;
    t->at.rows = t->at.targets = t->at.correct = 0;
    t->at.loss = t->at.seconds = 0;
    t->resumed = 0;
    t->began = clock_seconds();
}

static bert_status save_record(trainer *t, bert_err *err)
{
    if (!t->folder)
        return BERT_OK;
    bert_status s = history_write(&t->history, &t->run, &t->at, t->folder, err);
    if (!s && t->run.options.report)
        s = history_report(&t->history, &t->run, &t->at, t->best_outcomes.n ? &t->best_outcomes : NULL, t->folder, err);
    return s;
}

bert_status save_epoch(trainer *t, const verdict *v, outcomes *out, bool *best, bert_err *err)
{
    double began = clock_seconds();
    bert_status s = compare(t, v, out, best, err);
    if (!s)
        s = save_record(t, err);
    t->run.seconds[PART_SAVING] += clock_seconds() - began;
    if (s)
        return s;
    advance(t);
    return save_checkpoint(t, err);
}

bert_status load_best(trainer *t, bert_err *err)
{
    bert_layer *l = t->run.model->layer;
    if (t->best_in_place || !t->at.best_epoch)
        return BERT_OK;
    if (t->folder) {
        tensor_set set = { 0 };
        bert_status s = model_open_weights(t->folder, &set, err);
        if (!s)
            s = model_take_weights(t->run.model, &set, t->folder, err);
        tensors_close(&set);
        if (s)
            return s;
    } else
        memcpy(l->values, t->best, l->n_tuned * sizeof *t->best);
    t->run.model->threshold = t->at.best.threshold;
    t->best_in_place = true;
    return BERT_OK;
}
