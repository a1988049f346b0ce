/* What is odd about the data of a run, and yet no error. */
#include "train/notes.h"

#include "base/buffer.h"
#include "task/baseline.h"
#include "train/class_weights.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_NAMES = 5 };
static const double USUAL_RATE = 0.01; /* a head alone bears as much */

/* Notes the labels that stand so often in the training data and, with `in_valid`, in the validation data at all: "PREFIX "a", "b" and 3
 * more". */
static bert_status note_labels(train_run *r, const size_t *counts, size_t wanted, const size_t *in_valid, const char *what, bert_err *err)
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
    if (r->task->label == LABEL_NUMBER)
        return BERT_OK;
    size_t *counts = arena_array(&r->memory, labels, sizeof *counts), *in_valid = arena_array(&r->memory, labels, sizeof *in_valid);
    if (!counts || !in_valid)
        return fail_memory(err, "a training run");
    label_counts(&r->train_truth, r->task, labels, counts);
    if (r->valid)
        label_counts(&r->valid_truth, r->task, labels, in_valid);
    for (size_t k = 0; k < labels; k++)
        if (counts[k]) {
            used++;
            last = k;
        }
    if (used == 1)
        run_note(r, "every label of the training data is \"%s\": there is nothing to tell apart", r->model->labels[last]);
    bert_status s = note_labels(r, counts, 1, NULL, "labels that stand once in the training data", err);
    return s || !r->valid ? s : note_labels(r, counts, 0, in_valid, "labels of the validation data that the training data has not", err);
}

bert_status check_tokens(const train_run *r, bert_err *err)
{
    size_t empty = 2 * token_rows_sequences(&r->train_tokens.rows); /* [CLS] and [SEP] */
    if (r->train_tokens.rows.longest > empty)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "every text of the training data is empty; is the text column the right one?");
}

/* ---- a model that has learned nothing ---------------------------------------------------------------------------------------- */

/* The mean squared error of always answering the mean. */
static double least_of_numbers(const train_run *r)
{
    double sum = 0, squares = 0, n = (double)r->train->n;
    for (size_t i = 0; i < r->train->n; i++) {
        sum += r->train_truth.values[i];
        squares += (double)r->train_truth.values[i] * r->train_truth.values[i];
    }
    return squares / n - sum / n * (sum / n);
}

/* The cross-entropy of always answering how often each label is, weighted and smoothed as the loss is. */
static double least_of_labels(const train_run *r, const size_t *counts)
{
    double least = 0;
    for (size_t k = 0; k < r->model->n_labels; k++) {
        double smoothing = r->plan.loss.smoothing, weight = r->plan.loss.class_weights ? r->plan.loss.class_weights[k] : 1;
        double p = (1 - smoothing) * (double)counts[k] / (double)r->train->n + smoothing / 2;
        least -= weight * ((p > 0 ? p * log(p) : 0) + (p < 1 ? (1 - p) * log(1 - p) : 0));
    }
    return least / (double)r->model->n_labels;
}

static void compare_loss(double loss, double least, const char *answer, char *words, size_t size)
{
    if (!(loss < least))
        snprintf(words, size, "loss %.4g is no better than always answering %s (%.4g)", loss, answer, least);
}

static void compare_accuracy(const train_run *r, double accuracy, const size_t *counts, char *words, size_t size)
{
    size_t most = 0, all = 0;
    for (size_t k = 0; k < r->model->n_labels; k++) {
        most = counts[k] > counts[most] ? k : most;
        all += counts[k];
    }
    double share = all ? (double)counts[most] / (double)all : 0;
    if (accuracy <= share)
        snprintf(words, size, "training accuracy %.4g is no better than always answering \"%.100s\" (%.4g)", accuracy, r->model->labels[most],
                 share);
}

/* Without validation data: the mean over the best epoch beside what the training data's labels alone give. */
static void compare_training(const train_run *r, const bert_metrics *of, char *words, size_t size)
{
    if (r->task->label == LABEL_NUMBER) {
        compare_loss(of->loss, least_of_numbers(r), "the mean", words, size);
        return;
    }
    size_t *counts = calloc(r->model->n_labels, sizeof *counts);
    if (!counts)
        return;
    label_counts(&r->train_truth, r->task, r->model->n_labels, counts);
    if (r->task->label == LABEL_CLASSES)
        compare_loss(of->loss, least_of_labels(r, counts), "each label's share", words, size);
    else
        compare_accuracy(r, of->accuracy, counts, words, size);
    free(counts);
}

void note_compare(const train_run *r, const progress *p, char *words, size_t size)
{
    bert_baseline b = r->baseline;
    *words = 0;
    if (!p->best_epoch)
        return;
    if (!r->valid) {
        compare_training(r, &p->best.metrics, words, size);
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
                        "%s: the model has learned nothing of use; try a %s learning rate (learning_rate, %g here), more epochs (%lld here), "
                        "more tuned layers (%lld here)%s; and look whether texts and labels are the right columns",
                        words, r->options.learning_rate > USUAL_RATE ? "lower" : "higher", r->options.learning_rate,
                        (long long)r->options.epochs, (long long)r->model->layer->spec.n_tune_layers,
                        r->task->label == LABEL_NUMBER ? "" : ", for rare labels class_weights balanced");
}
