/* An epoch: batches, steps, and the measurement at its end. */
#include "base/clock.h"
#include "base/finite.h"
#include "task/baseline.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

/* ---- what is not finite ------------------------------------------------------------------------------------------------------ */

static const char ADVICE[] = "try a lower learning rate, a warm-up or clip_norm";

/* "train.tsv:17, train.tsv:3 and 30 more" */
static const char *name_rows(trainer *t, const uint32_t *rows, size_t n)
{
    enum { MOST = 3 };
    buffer text = { 0 };
    char place[DATASET_PLACE];
    for (size_t i = 0; i < n && i < MOST; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", dataset_place(t->run.train, rows[i], place));
    if (n > MOST)
        buffer_printf(&text, " and %zu more", n - MOST);
    const char *copy = text.failed ? NULL : arena_string(&t->memory, text.data);
    buffer_free(&text);
    return copy ? copy : "(no memory to name them)";
}

static bert_status check_loss(trainer *t, double loss, const uint32_t *rows, size_t n, bert_err *err)
{
    if (isfinite(loss))
        return BERT_OK;
    return fail(err, BERT_ERR_NUMERIC, "the loss is %f at step %lld, in epoch %lld; its batch: %s; %s", plain_nan(loss),
                (long long)t->at.step + 1, (long long)t->at.epoch, name_rows(t, rows, n), ADVICE);
}

/* NULL, or what is wrong with the weights. */
static const char *wrong_weights(const bert_layer *l)
{
    size_t first = first_not_finite(l->values, l->n_tuned);
    float sum = 0;
    if (first < l->n_tuned)
        return "a weight is not finite";
    for (size_t i = 0; i < l->n_tuned; i++)
        sum += l->values[i] * l->values[i] * 0; /* not zero where a square is not finite: no norm of it is */
    return sum == 0 ? NULL : "a weight is too large to compute with";
}

bert_status check_weights(trainer *t, bert_err *err)
{
    const char *wrong = wrong_weights(t->run.model->layer);
    if (!wrong)
        return BERT_OK;
    size_t last = t->at.batch ? t->at.batch - 1 : 0;
    return fail(err, BERT_ERR_NUMERIC, "%s after step %lld, in epoch %lld; the last batch: %s; %s", wrong, (long long)t->at.step,
                (long long)t->at.epoch, name_rows(t, t->order.rows + t->order.start[last], t->order.start[last + 1] - t->order.start[last]),
                ADVICE);
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------- */

/* Batches whose gradients make one step with batch k: fewer at the end of an epoch. */
static size_t group_of(const trainer *t, size_t k)
{
    size_t size = (size_t)t->run.options.accumulate, first = k / size * size;
    return t->order.n - first < size ? t->order.n - first : size;
}

static bert_status train_on_batch(trainer *t, size_t k, head_result *result, bert_err *err)
{
    train_run *r = &t->run;
    const uint32_t *rows = t->order.rows + t->order.start[k];
    size_t n = t->order.start[k + 1] - t->order.start[k];
    step_batch batch;
    arena_reset(&t->step);
    /* Each batch of the run has its own masks. */
    uint64_t number = (uint64_t)(t->at.epoch - 1) * t->order.n + k;
    step_dropout drop = { (uint64_t)r->options.seed, number, true, r->options.frozen_dropout };
    bert_status s = run_batch(r, rows, n, &batch, &t->step, err);
    if (!s)
        s = step_run(&r->plan, &batch, drop, NULL, result, r->seconds, &t->step, err);
    if (!s)
        s = check_loss(t, result->loss, rows, n, err);
    if (s)
        return s;
    t->at.rows += n;
    t->at.targets += result->n;
    t->at.correct += result->correct;
    t->at.loss += result->loss;
    t->at.measured = false;
    t->best_in_place = false;
    return BERT_OK;
}

static void take_step(trainer *t, size_t n_batches)
{
    train_run *r = &t->run;
    double began = clock_seconds();
    t->rate = schedule_rate(&r->schedule, t->at.step);
    bert_optimizer_set_rate(r->optimizer, t->rate);
    double norm = optimizer_step(r->optimizer, 1.0 / (double)n_batches);
    t->norm = r->options.clip_norm > 0 ? norm : NAN;
    t->at.step++;
    r->seconds[PART_OPTIMISER] += clock_seconds() - began;
}

/* The batches of one step, from batch t->at.batch on. */
static bert_status run_group(trainer *t, bert_err *err)
{
    size_t first = t->at.batch, n = group_of(t, first);
    double loss = 0, n_targets = 0;
    bert_status s = BERT_OK;
    for (size_t k = first; !s && k < first + n; k++) {
        head_result result;
        s = train_on_batch(t, k, &result, err);
        if (s)
            break;
        loss += result.loss;
        n_targets += (double)result.n;
        if (k + 1 == first + n) {
            take_step(t, n);
            t->at.batch = first + n;
            s = history_step(&t->history, t->at.step, loss / n_targets, t->rate, t->norm, err);
        }
        tell(t, BERT_EVENT_STEP, NULL, false, NULL);
    }
    return s;
}

/* ---- the epoch --------------------------------------------------------------------------------------------------------------- */

static bert_status measure(trainer *t, outcomes *out, verdict *v, bert_err *err)
{
    train_run *r = &t->run;
    double began = clock_seconds();
    bert_status s = check_weights(t, err);
    *out = (outcomes){ 0 };
    if (!s && r->valid)
        s = validation_run(r, out, v, err);
    else if (!s)
        *v = verdict_of_training(r, t->at.loss / (double)t->at.targets, (double)t->at.correct / (double)t->at.targets);
    r->seconds[PART_VALIDATION] += clock_seconds() - began;
    return s;
}

static void note_no_number(trainer *t, const verdict *v)
{
    const bert_metric *watch = t->run.watch;
    if (t->at.best_epoch || !isnan(bert_metric_value(&v->metrics, watch)))
        return;
    tell(t, BERT_EVENT_NOTE, NULL, false,
         arena_printf(&t->memory, "%s has no value on this validation data: the loss tells the best epoch", watch->name));
}

static bert_status finish_epoch(trainer *t, bert_err *err)
{
    verdict v;
    outcomes out;
    bool best = false;
    bert_status s = measure(t, &out, &v, err);
    if (s)
        return s;
    note_no_number(t, &v);
    bert_event event = event_of(t, BERT_EVENT_EPOCH, &v, false, NULL); /* its numbers, before the next epoch's begin */
    bert_baseline baseline = t->run.baseline;
    if (t->run.valid) {
        baseline_compare(&baseline, &v.metrics, t->run.watch);
        event.baseline = &baseline;
    }
    bert_event whole = event;
    whole.seconds += t->at.seconds;
    s = history_epoch(&t->history, &whole, err);
    if (!s)
        s = save_epoch(t, &v, &out, &best, err);
    event.best = best;
    event.best_epoch = t->at.best_epoch;
    if (!s && t->on_event)
        t->stop |= !t->on_event(t->context, &event);
    outcomes_free(&out);
    return s;
}

bert_status epoch_run(trainer *t, bert_err *err)
{
    train_run *r = &t->run;
    batch_order order = { (size_t)r->options.batch_size, (size_t)r->options.length_window, (uint64_t)r->options.seed, (uint64_t)t->at.epoch };
    bert_status s = batches_shuffled(&t->order, &r->train_tokens.rows, &order, err);
    run_unfreeze(r, t->at.epoch);
    t->began = clock_seconds();
    t->resumed = t->at.rows;
    if (!s && t->stop)
        s = save_within_epoch(t, err);
    while (!s && t->at.batch < t->order.n && t->at.step < r->schedule.steps) {
        s = run_group(t, err);
        if (!s)
            s = save_within_epoch(t, err);
    }
    return s ? s : finish_epoch(t, err);
}
