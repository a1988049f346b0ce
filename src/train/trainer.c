/* The training loop: epochs of batches, validation, the best weights kept, the history written. */
#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "data/batches.h"
#include "io/json.h"
#include "task/classifier.h"
#include "train/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const bert_option TRAIN[] = {
    OPTION_INT(bert_train_options, epochs, "5", 1, 100000, "N", "times through the training data"),
    OPTION_INT(bert_train_options, batch_size, "32", 1, 65536, "N", "texts in a step"),
    OPTION_FLOAT(bert_train_options, learning_rate, "1e-5", 0, INFINITY, "X", "learning rate of Adam"),
    OPTION_FLOAT(bert_train_options, beta_1, "0.9", 0, 0.999999, "X", "Adam's decay of the mean of gradients"),
    OPTION_FLOAT(bert_train_options, beta_2, "0.999", 0, 0.999999, "X", "Adam's decay of the mean of squared gradients"),
    OPTION_FLOAT(bert_train_options, epsilon, "1e-7", 0, 1, "X", "Adam's addend to the root of the mean of squares"),
    OPTION_INT(bert_train_options, seed, "42", 0, 9007199254740991, "N", "of the order of rows, dropout and the head's first weights"),
    OPTION_BOOL(bert_train_options, frozen_dropout, "true", "dropout in the layers that are not tuned, too, as the original Keras layer"),
    OPTION_INT(bert_train_options, length_window, "50", 1, 100000, "N", "batches of like length are cut from windows of N batches; 1: none"),
};

bert_option_table bert_train_option_table(void)
{
    return OPTION_TABLE(TRAIN);
}

void bert_train_defaults(bert_train_options *options)
{
    bert_options_defaults(options, bert_train_option_table());
}

/* A run in progress. All zero before it begins. */
typedef struct trainer {
    bert_model *model;
    const task *task;
    const bert_dataset *train, *valid;
    bert_train_options options;
    const char *folder; /* NULL: nothing is saved */
    bool copy_module;
    bert_on_event on_event;
    void *context;

    bert_optimizer *optimizer;
    token_rows rows;
    batches order;
    arena memory;    /* of the run */
    arena step;      /* of a step */
    int32_t *labels; /* (train->n) */
    float *best;     /* (tuned) the tuned weights of the best epoch */
    double best_accuracy, best_loss;
    int64_t best_epoch;
    uint64_t steps;
    json_t *history; /* an array, an object an epoch */
} trainer;

/* What an epoch has seen so far. */
typedef struct epoch_sum {
    double began, loss;
    size_t done, correct;
} epoch_sum;

static bool tell(const trainer *t, bert_event_kind kind, int64_t epoch, const epoch_sum *sum, const bert_metrics *valid, bool best)
{
    if (!t->on_event)
        return true;
    double n = sum->done ? (double)sum->done : 1;
    bert_event e = { .kind = kind,
                     .epoch = epoch,
                     .epochs = t->options.epochs,
                     .done = sum->done,
                     .total = t->train->n,
                     .seconds = clock_seconds() - sum->began,
                     .loss = sum->loss / n,
                     .accuracy = (double)sum->correct / n,
                     .valid = valid,
                     .best = best };
    return t->on_event(t->context, &e);
}

static bert_status stopped(const trainer *t, int64_t epoch, bert_err *err)
{
    if (t->best_epoch && t->folder)
        return fail(err, BERT_ERR_STOPPED, "stopped in epoch %lld; %s holds the weights of epoch %lld", (long long)epoch, t->folder,
                    (long long)t->best_epoch);
    return fail(err, BERT_ERR_STOPPED, "stopped in epoch %lld; nothing was saved", (long long)epoch);
}

/* ---- an epoch ------------------------------------------------------------------------------------------------------------- */

static bert_status run_batch(trainer *t, int64_t epoch, size_t k, epoch_sum *sum, bert_err *err)
{
    const uint32_t *rows = t->order.rows + t->order.start[k];
    size_t n = t->order.start[k + 1] - t->order.start[k];
    arena_reset(&t->step);
    packed_batch batch;
    bert_status s = token_rows_pack(&t->rows, rows, n, &batch, &t->step, err);
    int32_t *labels = arena_array(&t->step, n, sizeof *labels);
    if (!s && !labels)
        s = fail_memory(err, "a training step");
    for (size_t i = 0; !s && i < n; i++)
        labels[i] = t->labels[rows[i]];
    step_dropout drop = { (uint64_t)t->options.seed, t->steps++, true, t->options.frozen_dropout };
    step_result result;
    if (!s)
        s = step_run(t->model, t->task, &batch, labels, drop, NULL, &result, &t->step, err);
    if (s)
        return s;
    if (!isfinite(result.loss)) {
        char place[DATASET_PLACE];
        return fail(err, BERT_ERR_NUMERIC, "the loss is %f at step %llu of epoch %lld (a batch with %s); try a lower learning rate", result.loss,
                    (unsigned long long)t->steps, (long long)epoch, dataset_place(t->train, rows[0], place));
    }
    bert_optimizer_step(t->optimizer);
    sum->loss += result.loss;
    sum->correct += result.correct;
    sum->done += n;
    return BERT_OK;
}

static bert_status run_epoch(trainer *t, int64_t epoch, epoch_sum *sum, bert_err *err)
{
    batch_order order = { (size_t)t->options.batch_size, (size_t)t->options.length_window, (uint64_t)t->options.seed, (uint64_t)epoch };
    bert_status s = batches_shuffled(&t->order, &t->rows, &order, err);
    *sum = (epoch_sum){ .began = clock_seconds() };
    for (size_t k = 0; !s && k < t->order.n; k++) {
        s = run_batch(t, epoch, k, sum, err);
        if (!s && !tell(t, BERT_EVENT_STEP, epoch, sum, NULL, false))
            s = stopped(t, epoch, err);
    }
    return s;
}

static bert_status validate(trainer *t, bert_metrics *metrics, bert_err *err)
{
    text_encoder texts = { 0 };
    classifier c = { 0 };
    bert_status s = text_encoder_create(&texts, t->model, BERT_POOLING_AUTO, (size_t)t->model->layer->spec.seq_len, err);
    if (!s)
        s = classifier_create(&c, t->model, &texts, err);
    if (!s)
        s = classifier_evaluate(&c, t->valid, metrics, err);
    classifier_free(&c);
    text_encoder_free(&texts);
    return s;
}

/* ---- what is kept --------------------------------------------------------------------------------------------------------- */

/* The loss that a batch shows is that before its step: the last step of an epoch is checked by what it left. */
static bert_status check_weights(const trainer *t, int64_t epoch, bert_err *err)
{
    const bert_layer *l = t->model->layer;
    float sum = 0;
    for (size_t i = 0; i < l->n_tuned; i++)
        sum += l->values[i] * 0; /* not zero where a weight is not finite */
    return sum == 0 ? BERT_OK
                    : fail(err, BERT_ERR_NUMERIC, "a weight is not finite after epoch %lld; try a lower learning rate", (long long)epoch);
}

/* The options are numbers and booleans, whose text is JSON. NULL: out of memory. */
static json_t *options_to_json(const bert_train_options *options)
{
    json_t *json = json_object();
    buffer text = { 0 };
    for (size_t i = 0; i < OPTION_TABLE(TRAIN).n; i++) {
        buffer_clear(&text);
        option_text(options, &TRAIN[i], &text);
        json_object_set_new(json, TRAIN[i].name, json_loadb(text.data, text.size, JSON_DECODE_ANY, NULL));
    }
    bool whole = json_object_size(json) == OPTION_TABLE(TRAIN).n;
    buffer_free(&text);
    if (!whole)
        json_decref(json);
    return whole ? json : NULL;
}

static bert_status write_history(const trainer *t, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, t->folder, "history.json");
    json_t *json = json_pack("{s:s, s:O, s:I}", "format", "libbert.history", "epochs", t->history, "best_epoch", (json_int_t)t->best_epoch);
    if (json_object_set_new(json, "options", options_to_json(&t->options))) {
        json_decref(json);
        json = NULL;
    }
    bert_status s = path && json ? json_write_file(json, path, err) : fail_memory(err, "history.json");
    json_decref(json);
    arena_free(&a);
    return s;
}

static void add_history(trainer *t, int64_t epoch, const epoch_sum *sum, const bert_metrics *valid)
{
    double n = (double)sum->done;
    json_t *e = json_pack("{s:I, s:f, s:f, s:f}", "epoch", (json_int_t)epoch, "loss", sum->loss / n, "accuracy", (double)sum->correct / n,
                          "seconds", clock_seconds() - sum->began);
    if (valid) {
        json_object_set_new(e, "val_loss", json_real(valid->loss));
        json_object_set_new(e, "val_accuracy", json_real(valid->accuracy));
        json_object_set_new(e, "val_precision", json_real(valid->precision));
        json_object_set_new(e, "val_recall", json_real(valid->recall));
        json_object_set_new(e, "val_f1", json_real(valid->f1));
    }
    json_array_append_new(t->history, e);
}

/* Validation, the best kept and saved, the history, the event. */
static bert_status end_epoch(trainer *t, int64_t epoch, const epoch_sum *sum, bert_err *err)
{
    bert_layer *l = t->model->layer;
    bert_metrics valid;
    bert_status s = check_weights(t, epoch, err);
    if (!s && t->valid)
        s = validate(t, &valid, err);
    if (s)
        return s;
    /* The better accuracy, and of equal ones the lower loss. */
    double accuracy = t->valid ? valid.accuracy : 0, loss = t->valid ? valid.loss : sum->loss;
    bool best = !t->best_epoch || accuracy > t->best_accuracy || (accuracy == t->best_accuracy && loss < t->best_loss);
    if (best) {
        t->best_accuracy = accuracy;
        t->best_loss = loss;
        t->best_epoch = epoch;
        memcpy(t->best, l->values, l->n_tuned * sizeof *t->best);
        if (t->folder)
            s = bert_model_save(t->model, t->folder, t->copy_module, err);
    }
    add_history(t, epoch, sum, t->valid ? &valid : NULL);
    if (!s && t->folder)
        s = write_history(t, err);
    if (!s && !tell(t, BERT_EVENT_EPOCH, epoch, sum, t->valid ? &valid : NULL, best))
        s = stopped(t, epoch, err);
    return s;
}

/* ---- the run -------------------------------------------------------------------------------------------------------------- */

/* A folder that cannot be written is found now, not after an epoch. */
static bert_status check_folder(const char *folder, bert_err *err)
{
    arena a = { 0 };
    file_writer probe = { 0 };
    char *path = path_join(&a, folder, "history.json");
    bert_status s = path ? folder_create(folder, err) : fail_memory(err, folder);
    if (!s)
        s = file_create(&probe, path, err);
    file_abort(&probe);
    arena_free(&a);
    return s;
}

static bert_status begin(trainer *t, bert_err *err)
{
    bert_layer *l = t->model->layer;
    bert_status s = options_check(&t->options, bert_train_option_table(), err);
    if (!s && (!t->model->task || t->model->module->frozen))
        s = fail(err, BERT_ERR_ARGUMENT, "only a model with a head that is made on a module can be trained");
    if (!s)
        s = task_of_model(t->model, &t->task, err);
    if (s)
        return s;
    t->labels = arena_array(&t->memory, t->train->n, sizeof *t->labels);
    t->best = arena_alloc_raw(&t->memory, l->n_tuned * sizeof *t->best);
    t->history = json_array();
    if (!t->labels || !t->best || !t->history)
        return fail_memory(err, "a training run");
    s = dataset_label_ids(t->train, t->model->labels, t->model->n_labels, t->labels, err);
    /* What validation would find wrong after an epoch is found now. */
    int32_t *valid_labels = t->valid && !s ? arena_array(&t->memory, t->valid->n, sizeof *valid_labels) : NULL;
    if (!s && t->valid)
        s = valid_labels ? dataset_label_ids(t->valid, t->model->labels, t->model->n_labels, valid_labels, err)
                         : fail_memory(err, "a training run");
    if (!s && t->folder)
        s = check_folder(t->folder, err);
    if (!s)
        s = token_rows_create(&t->rows, t->train, t->model->module->tokenizer, (size_t)l->spec.seq_len, err);
    const bert_train_options *o = &t->options;
    bert_optimizer_options adam = { o->learning_rate, o->beta_1, o->beta_2, o->epsilon };
    return s ? s : bert_optimizer_create(l->weights.items, l->weights.n, &adam, &t->optimizer, err);
}

static void end(trainer *t)
{
    bert_optimizer_free(t->optimizer);
    token_rows_free(&t->rows);
    batches_free(&t->order);
    json_decref(t->history);
    arena_free(&t->step);
    arena_free(&t->memory);
}

bert_status bert_model_train(bert_model *model, const bert_dataset *train, const bert_dataset *valid, const bert_train_options *options,
                             const char *folder, bool copy_module, bert_on_event on_event, void *context, bert_err *err)
{
    trainer t = {
        .model = model, .train = train, .valid = valid, .folder = folder, .copy_module = copy_module, .on_event = on_event, .context = context
    };
    if (options)
        t.options = *options;
    else
        bert_train_defaults(&t.options);
    bert_status s = begin(&t, err);
    epoch_sum sum;
    for (int64_t epoch = 1; !s && epoch <= t.options.epochs; epoch++) {
        s = run_epoch(&t, epoch, &sum, err);
        if (!s)
            s = end_epoch(&t, epoch, &sum, err);
    }
    if (t.best_epoch)
        memcpy(model->layer->values, t.best, model->layer->n_tuned * sizeof *t.best);
    bert_layer_zero_grad(model->layer);
    end(&t);
    return s;
}
