/* The training loop: how a run begins, goes on where another stopped, and ends. */
#include "train/trainer.h"

#include "base/clock.h"
#include "train/notes.h"
#include "base/temporary.h"

#include <math.h>
#include <string.h>

/* ---- what is told ------------------------------------------------------------------------------------------------------------ */

bert_event event_of(const trainer *t, bert_event_kind kind, const verdict *v, bool best, const char *note)
{
    const train_run *r = &t->run;
    const progress *p = &t->at;
    double seconds = clock_seconds() - t->began, done = (double)(p->rows - t->resumed), left = (double)(r->train->n - p->rows);
    double n = p->targets ? (double)p->targets : 1;
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
                         .learning_rate = t->rate,
                         .grad_norm = t->norm,
                         .loss = p->loss / n,
                         .accuracy = r->task->kind->numeric ? NAN : (double)p->correct / n,
                         .valid = v && r->valid ? &v->metrics : NULL,
                         .watch = r->watch->name,
                         .best = best,
                         .best_epoch = p->best_epoch,
                         .note = note };
}

void tell(trainer *t, bert_event_kind kind, const verdict *v, bool best, const char *note)
{
    if (!t->on_event)
        return;
    bert_event e = event_of(t, kind, v, best, note);
    t->stop |= !t->on_event(t->context, &e);
}

/* ---- going on ---------------------------------------------------------------------------------------------------------------- */

/* The report shows what the best weights say: they are asked once more. */
static bert_status judge_best(trainer *t, bert_err *err)
{
    verdict v;
    if (!t->run.valid || !t->run.options.report || !t->at.best_epoch)
        return BERT_OK;
    bert_status s = load_best(t, err);
    t->best_in_place = false;
    return s ? s : validation_run(&t->run, &t->best_outcomes, &v, err);
}

/* The checkpoint's weights go in last: those of the best epoch have been in their place to be judged. */
static bert_status resume(trainer *t, bert_err *err)
{
    checkpoint c;
    if (!file_exists(t->checkpoint_path))
        return fail(err, BERT_ERR_IO, "%s: is not there: there is nothing to go on with", t->checkpoint_path);
    bert_status s = checkpoint_open(&c, t->checkpoint_path, err);
    if (!s)
        s = checkpoint_check(&c, &t->run, err);
    if (!s)
        s = checkpoint_restore(&c, &t->run, &t->at, &t->history, err);
    if (!s)
        s = judge_best(t, err);
    if (!s && t->best_outcomes.n) { /* the record is there already */
        history again = { 0 };
        s = checkpoint_restore(&c, &t->run, &t->at, &again, err);
        json_decref(again.epochs);
        json_decref(again.steps);
    }
    checkpoint_close(&c);
    return s;
}

/* The run that stood in the folder ends here; its weights stay a model until the first epoch gives others. */
static bert_status throw_away(trainer *t, bert_err *err)
{
    static const char *const FILES[] = { "checkpoint.safetensors", "history.json", "report.html", NULL };
    bert_status s = BERT_OK;
    for (const char *const *name = FILES; !s && *name; name++) {
        const char *path = path_join(&t->memory, t->folder, *name);
        s = !path ? fail_memory(err, t->folder) : file_exists(path) ? folder_remove(path, err) : BERT_OK;
    }
    return s;
}

/* ---- a run ------------------------------------------------------------------------------------------------------------------- */

static bert_status take_folder(trainer *t, bert_err *err)
{
    t->checkpoint_path = path_join(&t->memory, t->folder, "checkpoint.safetensors");
    bert_status s = t->checkpoint_path ? folder_create(t->folder, err) : fail_memory(err, t->folder);
    if (!s)
        s = lock_take(&t->lock, t->folder, err);
    if (!s && t->lock.stale)
        run_note(&t->run, "%s was left by a process that did not come to its end", t->lock.path);
    if (!s)
        temporaries_sweep(t->folder);
    char *architecture = NULL; /* whether it can be written shows now, not after an epoch */
    if (!s && !t->copy_module)
        s = bert_model_to_json(t->run.model, t->folder, &architecture, err);
    bert_free(architecture);
    return s;
}

/* Without a folder the best weights stay in memory. */
static bert_status make_room(trainer *t, bert_err *err)
{
    size_t n = t->run.model->layer->n_tuned;
    if (t->folder)
        return take_folder(t, err);
    if (t->run.options.resume)
        return fail(err, BERT_ERR_ARGUMENT, "--resume: there is no folder to go on from");
    t->best = arena_alloc_raw(&t->memory, n * sizeof *t->best);
    return t->best ? BERT_OK : fail_memory(err, "a training run");
}

static bert_status begin(trainer *t, bert_err *err)
{
    const bert_train_options *o = &t->run.options;
    bert_status s = make_room(t, err);
    if (!s)
        s = run_prepare(&t->run, true, err);
    t->at = (progress){ .epoch = 1 };
    t->norm = NAN;
    t->began = t->checkpoint_seconds = clock_seconds();
    if (!s && o->resume)
        s = resume(t, err);
    else if (!s && o->force && t->folder)
        s = throw_away(t, err);
    t->checkpoint_step = t->at.step;
    t->rate = t->at.step ? schedule_rate(&t->run.schedule, t->at.step - 1) : 0;
    const char *logs = t->folder && o->tensorboard ? path_join(&t->memory, t->folder, "logs") : NULL;
    return s ? s : history_begin(&t->history, &t->run, logs, t->at.step, err);
}

/* What was known before the first step. */
static void tell_notes(trainer *t)
{
    for (size_t i = 0; i < t->run.n_notes; i++)
        tell(t, BERT_EVENT_NOTE, NULL, false, t->run.notes[i]);
}

static bert_status run_epochs(trainer *t, bert_err *err)
{
    const char *why;
    bert_status s = BERT_OK;
    size_t pairs = dataset_pairs(t->run.train);
    run_begin(&t->run);
    t->run.model->texts = !pairs ? 1 : pairs == t->run.train->n ? 2 : 0;
    bool was_over = progress_over(&t->at, &t->run, &why, &t->memory);
    while (!s && !progress_over(&t->at, &t->run, &why, &t->memory))
        s = epoch_run(t, err);
    if (!s)
        s = load_best(t, err);
    if (!s && was_over)
        why = arena_printf(&t->memory, "the run was finished before, at step %lld; its best epoch is %lld", (long long)t->at.step,
                           (long long)t->at.best_epoch);
    const char *useless = s ? NULL : note_useless(&t->run, &t->at);
    if (useless)
        tell(t, BERT_EVENT_NOTE, NULL, false, useless);
    if (!s)
        tell(t, BERT_EVENT_END, NULL, false, why);
    return s;
}

/* Frees all; whatever happened, the model is left with the best weights that there are. */
static bert_status end(trainer *t, bert_status s, bert_err *err)
{
    if (s)
        load_best(t, NULL);
    bert_status closed = history_end(&t->history, s ? NULL : err);
    outcomes_free(&t->best_outcomes);
    batches_free(&t->order);
    lock_release(&t->lock);
    run_end(&t->run);
    arena_free(&t->step);
    arena_free(&t->memory);
    return s ? s : closed;
}

bert_status bert_model_train(bert_model *model, const bert_dataset *train, const bert_dataset *valid, const bert_train_options *options,
                             const char *folder, bool copy_module, bert_on_event on_event, void *context, bert_err *err)
{
    trainer t = { .folder = folder, .copy_module = copy_module, .on_event = on_event, .context = context };
    bert_status s = run_check(&t.run, model, train, valid, options, err);
    if (!s && folder && !t.run.options.resume)
        s = bert_output_check(folder, BERT_OUTPUT_TRAINING, t.run.options.force, err);
    if (!s)
        s = module_verify_read(model->module, err);
    if (!s)
        s = begin(&t, err);
    if (!s)
        tell_notes(&t);
    return end(&t, s ? s : run_epochs(&t, err), err);
}
