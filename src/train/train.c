/* bert_model_train: how a run begins, goes on where another stopped, and ends; and who listens to it. */
#include "base/lock.h"
#include "base/temporary.h"
#include "train/checkpoint.h"
#include "train/listeners.h"
#include "train/notes.h"

typedef struct training {
    train_loop loop;
    best_weights best;
    folder_lock lock;
} training;

/* ---- how it begins ----------------------------------------------------------------------------------------------- */

static bert_status take_folder(training *t, bert_err *err)
{
    train_loop *l = &t->loop;
    const char *folder = t->best.folder;
    l->saved.path = path_join(&l->memory, folder, "checkpoint.safetensors");
    bert_status s = l->saved.path ? folder_create(folder, err) : fail_memory(err, folder);
    if (!s)
        s = lock_take(&t->lock, folder, err);
    if (!s && t->lock.stale)
        run_note(&l->run, "%s was left by a process that did not come to its end", t->lock.path);
    if (!s)
        temporaries_sweep(folder);
    char *architecture = NULL; /* whether it can be written shows now, not after an epoch */
    if (!s && !t->best.copy_module)
        s = bert_model_to_json(l->run.model, folder, &architecture, err);
    bert_free(architecture);
    return s;
}

/* Without a folder the best weights stay in memory. */
static bert_status take_place(training *t, bert_err *err)
{
    if (t->best.folder)
        return take_folder(t, err);
    if (t->loop.run.options.resume)
        return fail(err, BERT_ERR_ARGUMENT, "--resume: there is no folder to go on from");
    t->best.copy = arena_alloc_raw(&t->loop.memory, t->best.model->layer->n_tuned * sizeof *t->best.copy);
    return t->best.copy ? BERT_OK : fail_memory(err, "a training run");
}

static bert_status resume_training(training *t, bert_err *err)
{
    checkpoint c;
    train_loop *l = &t->loop;
    if (!file_exists(l->saved.path))
        return fail(err, BERT_ERR_IO, "%s: is not there: there is nothing to go on with", l->saved.path);
    bert_status s = checkpoint_open(&c, l->saved.path, err);
    if (!s)
        s = checkpoint_check(&c, &l->run, err);
    if (!s)
        s = checkpoint_restore(&c, &l->run, &l->at, &l->record, err);
    checkpoint_close(&c);
    t->best.kept = l->at.best_epoch;
    t->best.step = -1;
    t->best.threshold = l->at.best.threshold;
    return s;
}

/* The run that stood in the folder ends here; its weights stay a model until the first epoch gives others. */
static bert_status throw_away(training *t, bert_err *err)
{
    static const char *const FILES[] = { "checkpoint.safetensors", "history.json", "report.html", NULL };
    const char *folder = t->best.folder;
    bert_status s = BERT_OK;
    for (const char *const *name = FILES; !s && *name; name++) {
        const char *path = path_join(&t->loop.memory, folder, *name);
        s = !path ? fail_memory(err, folder) : file_exists(path) ? folder_remove(path, err) : BERT_OK;
    }
    return s;
}

/* Each is told of an event after those before it: the checkpoint is written last, and the caller hears what is done. */
static bert_status gather_listeners(training *t, bert_on_event on_event, void *context, bert_err *err)
{
    train_loop *l = &t->loop;
    const bert_train_options *o = &l->run.options;
    const char *folder = t->best.folder;
    bert_status s = BERT_OK;
    best_weights_listen(&t->best, l);
    if (folder)
        s = history_listen(l, folder, err);
    if (!s && folder && o->report)
        s = page_listen(l, folder, &t->best, err);
    if (!s && folder && o->tensorboard)
        s = tensorboard_listen(l, folder, err);
    if (folder)
        checkpoint_listen(l);
    return s ? s : caller_listen(l, on_event, context, err);
}

static bert_status begin_training(training *t, bert_err *err)
{
    train_loop *l = &t->loop;
    const bert_train_options *o = &l->run.options;
    bert_status s = take_place(t, err);
    if (!s)
        s = run_prepare(&l->run, true, err);
    loop_start(l);
    if (!s && o->resume)
        s = resume_training(t, err);
    else if (!s && o->force && t->best.folder)
        s = throw_away(t, err);
    l->saved.step = l->at.step;
    l->pace.rate = l->at.step ? schedule_rate(&l->run.schedule, l->at.step - 1) : 0;
    return s;
}

/* ---- how it goes on and ends ------------------------------------------------------------------------------------- */

static bert_status run_epochs(training *t, bert_err *err)
{
    train_loop *l = &t->loop;
    train_run *r = &l->run;
    const char *why;
    bert_status s = BERT_OK;
    size_t pairs = dataset_pairs(r->train);
    for (size_t i = 0; !s && i < r->n_notes; i++)
        s = loop_say(l, BERT_EVENT_NOTE, r->notes[i], err);
    bool was_over = progress_over(&l->at, r, &why, &l->memory);
    if (!s && !was_over)
        s = keep_frozen_first(l, err);
    run_begin(r);
    r->model->texts = !pairs ? 1 : pairs == r->train->n ? 2 : 0;
    while (!s && !progress_over(&l->at, r, &why, &l->memory))
        s = epoch_run(l, err);
    if (!s)
        s = best_weights_load(&t->best, l->at.step, err);
    if (!s && was_over)
        why = arena_printf(&l->memory, "the run was finished before, at step %lld; its best epoch is %lld",
                           (long long)l->at.step, (long long)l->at.best_epoch);
    const char *useless = s ? NULL : note_useless(r, &l->at);
    if (useless)
        s = loop_say(l, BERT_EVENT_NOTE, useless, err);
    return s ? s : loop_say(l, BERT_EVENT_END, why, err);
}

/* Frees all; whatever happened, the model is left with the best weights that there are. */
static bert_status end_training(training *t, bert_status s, bert_err *err)
{
    if (s)
        best_weights_load(&t->best, t->loop.at.step, NULL);
    bert_status closed = loop_end(&t->loop, s ? NULL : err);
    lock_release(&t->lock);
    return s ? s : closed;
}

bert_status bert_model_train(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                             const bert_train_options *options, const char *folder, bool copy_module,
                             bert_on_event on_event, void *context, bert_err *err)
{
    training t = { .best = { .model = model, .folder = folder, .copy_module = copy_module } };
    bert_status s = run_check(&t.loop.run, model, train, valid, options, err);
    if (!s && folder && !t.loop.run.options.resume)
        s = bert_output_check(folder, BERT_OUTPUT_TRAINING, t.loop.run.options.force, err);
    if (!s)
        s = module_verify_read(model->module, err);
    if (!s)
        s = begin_training(&t, err);
    if (!s)
        s = gather_listeners(&t, on_event, context, err);
    return end_training(&t, s ? s : run_epochs(&t, err), err);
}
