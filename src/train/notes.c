/* What is odd about the data of a run, and yet no error. */
#include "train/notes.h"

#include "base/buffer.h"
#include "task/baseline.h"
#include "train/class_weights.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_NAMES = 5 };
static const double USUAL_RATE = 0.01; /* a head alone bears as much */

/* Notes the labels that stand so often in the training data and, with `in_valid`, in the validation data at all:
 * "PREFIX "a", "b" and 3 more". */
static bert_status note_labels(train_run *r, const size_t *counts, size_t wanted, const size_t *in_valid,
                               const char *what, bert_err *err)
{
    buffer names = { 0 };
    size_t n = 0;
    for (size_t k = 0; k < r->model->n_labels; k++)
        if (counts[k] == wanted && (!in_valid || in_valid[k]) && n++ < MOST_NAMES)
            buffer_printf(&names, "%s\"%s\"", names.size ? ", " : "", r->model->labels[k]);
    if (n > MOST_NAMES)
        buffer_printf(&names, " and %zu more", n - MOST_NAMES);
    if (n && !names.failed)
        run_note(r, "%s: %s", what, names.data);
    bert_status s = names.failed ? fail_memory(err, "a note") : BERT_OK;
    buffer_free(&names);
    return s;
}

bert_status note_data(train_run *r, bert_err *err)
{
    size_t labels = r->model->n_labels, used = 0, last = 0;
    if ((uint64_t)r->options.batch_size > r->train->n)
        run_note(r, "the batch size of %lld is more than the %zu rows of the training data: an epoch is one batch",
                 (long long)r->options.batch_size, r->train->n);
    if (r->task->kind->numeric)
        return BERT_OK;
    size_t *counts = arena_array(&r->memory, labels, sizeof *counts),
           *in_valid = arena_array(&r->memory, labels, sizeof *in_valid);
    if (!counts || !in_valid)
        return fail_memory(err, "a training run");
    targets_count_labels(&r->train_truth, labels, counts);
    if (r->valid)
        targets_count_labels(&r->valid_truth, labels, in_valid);
    for (size_t k = 0; k < labels; k++)
        if (counts[k]) {
            used++;
            last = k;
        }
    if (used == 1)
        run_note(r, "every label of the training data is \"%s\": there is nothing to tell apart",
                 r->model->labels[last]);
    bert_status s = note_labels(r, counts, 1, NULL, "labels that stand once in the training data", err);
    return s || !r->valid ? s
                          : note_labels(r, counts, 0, in_valid,
                                        "labels of the validation data that the training data has not", err);
}

bert_status check_tokens(const train_run *r, bert_err *err)
{
    size_t empty = special_count(module_specials(r->model->module), false) *
                   token_rows_sequences(&r->train_tokens.rows);
    if (r->train_tokens.rows.longest > empty)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "every text of the training data is empty; is the text column the right one?");
}

/* ---- a model that has learned nothing ---------------------------------------------------------------------------- */

void note_compare(const train_run *r, const progress *p, char *words, size_t size)
{
    bert_baseline b = r->baseline;
    *words = 0;
    if (!p->best_epoch)
        return;
    if (!r->valid) {
        r->task->kind->compare_training(&r->train_truth, r->model, &r->plan.loss, &p->best.metrics, words, size);
        return;
    }
    baseline_compare(&b, &p->best.metrics, r->watch);
    snprintf(words, size, "%s", b.note);
}

const char *note_useless(train_run *r, const progress *p)
{
    char words[NOTE_WORDS];
    note_compare(r, p, words, sizeof words);
    if (!words[0])
        return NULL;
    return arena_printf(&r->memory,
                        "%s: the model has learned nothing of use; try a %s learning rate (learning_rate, %g here), "
                        "more epochs (%lld here), "
                        "more tuned layers (%lld here)%s; and look whether texts and labels are the right columns",
                        words, r->options.learning_rate > USUAL_RATE ? "lower" : "higher", r->options.learning_rate,
                        (long long)r->options.epochs, (long long)r->model->layer->spec.n_tune_layers,
                        r->task->kind->numeric ? "" : ", for rare labels class_weights balanced");
}
