/* report.html: a run to look at, and what its best epoch says of the validation data. */
#include "report/report.h"
#include "task/baseline.h"
#include "train/listeners.h"
#include "train/notes.h"

#include <stdlib.h>
#include <string.h>

typedef struct training_page {
    char *path;
    outcomes best; /* of the validation data; none: not known */
} training_page;

static bert_status write_training_page(const training_page *t, const train_loop *l, bert_err *err)
{
    const train_run *r = &l->run;
    const bert_layer_spec *spec = &r->model->layer->spec;
    const option_set options[] = { { spec, bert_layer_option_table(), false },
                                   { &r->options, bert_train_option_table(), true } };
    const outcomes *out = t->best.n ? &t->best : NULL;
    bert_baseline baseline = r->baseline;
    char useless[NOTE_WORDS];
    part_time parts[N_PARTS];
    note_compare(r, &l->at, useless, sizeof useless);
    if (out)
        baseline_compare(&baseline, &l->at.best.metrics, r->watch);
    for (int i = 0; i < N_PARTS; i++)
        parts[i] = (part_time){ PART_NAMES[i], r->seconds[i] };
    report page = { .title = "Training report",
                    .model = r->model,
                    .run = &l->record,
                    .best_epoch = l->at.best_epoch,
                    .watch = r->options.watch,
                    .options = options,
                    .n_options = sizeof options / sizeof *options,
                    .parts = parts,
                    .n_parts = N_PARTS,
                    .outcomes = out,
                    .metrics = out ? &l->at.best.metrics : NULL,
                    .baseline = out ? &baseline : NULL,
                    .useless = useless,
                    .threshold = l->at.best.threshold,
                    .data = r->valid,
                    .tokens = r->valid ? &r->valid_tokens.rows : NULL,
                    .train_tokens = &r->train_tokens.rows,
                    .seq_len = (size_t)spec->seq_len };
    return report_write(&page, t->path, err);
}

static bert_status page_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    training_page *t = self;
    if (!e->epoch)
        return BERT_OK;
    if (e->told.best) {
        outcomes_free(&t->best);
        t->best = *e->outcomes;
        *e->outcomes = (outcomes){ 0 };
    }
    return write_training_page(t, l, err);
}

static bert_status page_close(void *self, bert_err *err)
{
    outcomes_free(&((training_page *)self)->best);
    return (void)err, BERT_OK;
}

/* The run's own weights are put aside meanwhile. */
static bert_status judge_best(training_page *t, train_loop *l, const best_weights *best, bert_err *err)
{
    verdict unused;
    bert_model *m = l->run.model;
    size_t size = m->layer->n_tuned * sizeof(float);
    double threshold = m->threshold;
    float *own = malloc(size);
    if (!own)
        return fail_memory(err, "a report");
    memcpy(own, m->layer->values, size);
    bert_status s = best_weights_load(best, l->at.step, err);
    if (!s)
        s = validation_run(&l->run, &t->best, &unused, err);
    memcpy(m->layer->values, own, size);
    m->threshold = threshold;
    free(own);
    return s;
}

bert_status page_listen(train_loop *l, const char *folder, const best_weights *best, bert_err *err)
{
    training_page *t = arena_alloc(&l->memory, sizeof *t);
    if (!t || !(t->path = path_join(&l->memory, folder, "report.html")))
        return fail_memory(err, folder);
    loop_add(l, (listener){ .self = t, .saves = true, .hear = page_hear, .close = page_close });
    return best->kept && l->run.valid ? judge_best(t, l, best, err) : BERT_OK;
}
