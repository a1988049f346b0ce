/* bert train: a module and a table with labels into a model. */
#include "cli/command.h"
#include "cli/labelled.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/rows.h"
#include "cli/train_watch.h"

#include <stdio.h>

typedef struct train_options {
    const char *train, *valid, *output;
    double valid_split;
    bool copy_module, dry_run, json, quiet, verbose;
    bert_layer_spec layer;
    bert_head_spec head;
    bert_train_options training;
    bert_table_options table;
} train_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(train_options, train, "FILE", "the table to learn from"),
    OPTION_STRING(train_options, valid, "FILE", "a table to measure each epoch by; the best epoch is kept"),
    OPTION_FLOAT(
        train_options, valid_split, "0", 0, 0.9, "X",
        "without --valid: measure by this share of the rows of --train, each label's alike; --seed chooses them"),
    OPTION_STRING(train_options, output, "MODEL", "the folder to write"),
    OPTION_FLAG(train_options, copy_module, "copy the module into MODEL, else MODEL knows it by its relative path"),
    OPTION_FLAG(train_options, dry_run,
                "print what would be tuned, the memory and the time that it would take, and write nothing"),
    OPTION_FLAG(train_options, json, "an object a line on standard output for all that happens, for programs"),
    OPTION_FLAG(train_options, quiet, "say nothing but errors; with --json leave out the data and the steps"),
    OPTION_FLAG(train_options, verbose, "list what is tuned and each checkpoint, too"),
};

static int train_output(const void *options)
{
    return ((const train_options *)options)->dry_run ? NO_OUTPUT : BERT_OUTPUT_TRAINING;
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

typedef struct train_data {
    bert_dataset *all; /* what train and valid are parts of; NULL without --valid-split */
    bert_dataset *train;
    bert_dataset *valid; /* may be NULL */
} train_data;

/* The labels are those of all rows, so that one that a split left to a single side is known on both. */
static bert_status load_data(const train_options *o, bert_head_spec *head, train_data *d, bert_err *err)
{
    bool split = o->valid_split > 0;
    bert_dataset **all = split ? &d->all : &d->train;
    bert_status s = labelled_load(o->train, &o->table, head, all, err);
    if (!s)
        s = bert_head_of_dataset(head, *all, err);
    if (!s && o->valid)
        s = labelled_load(o->valid, &o->table, head, &d->valid, err);
    if (!s && split)
        s = bert_dataset_split(d->all, o->valid_split, (uint64_t)o->training.seed, &d->train, &d->valid, err);
    return s;
}

static void free_data(train_data *d)
{
    bert_dataset_free(d->valid);
    bert_dataset_free(d->train);
    bert_dataset_free(d->all);
}

/* Where words are labelled one by one, the default pooling, which is for whole texts, gives way. */
static bert_status create_model(const train_options *o, const bert_head_spec *head, bert_model **model, bert_err *err)
{
    bert_layer_spec layer = o->layer, defaults;
    bert_layer_defaults(&defaults);
    if (bert_task_facts_of((bert_task)head->task).words && layer.pooling == defaults.pooling)
        layer.pooling = BERT_POOLING_AUTO;
    return bert_model_create(&layer, head, (uint64_t)o->training.seed, model, err);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

/* What there is to say of data and model before the run begins. */
static void tell_beginning(const train_data *d, const bert_model *model, train_watch *w)
{
    const bert_dataset *tables[] = { d->all ? d->all : d->train, d->all ? NULL : d->valid };
    const char *note;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; tables[k] && (note = bert_dataset_note(tables[k], i)); i++)
            train_watch_note(w, note);
    if (bert_model_note(model))
        train_watch_note(w, bert_model_note(model));
}

static void describe_model(const train_options *o, bert_model *model)
{
    char *tuned = o->verbose ? bert_layer_describe(bert_model_layer(model)) : NULL;
    if (tuned)
        fputs(tuned, stderr);
    bert_free(tuned);
}

static int train_model(const train_options *o, bert_model *model, const train_data *d)
{
    train_watch w;
    bert_err err;
    if (train_watch_start(&w, o->output, o->json, o->quiet, o->verbose, o->training.resume))
        return STATUS_FAILED;
    tell_beginning(d, model, &w);
    describe_model(o, model);
    train_watch_data(&w, d->train, d->valid, model);
    bert_status s = BERT_OK;
    if (!w.status)
        s = bert_model_train(model, d->train, d->valid, &o->training, o->output, o->copy_module, train_watch_event, &w,
                             &err);
    return train_watch_end(&w, s, &err, model);
}

static int plan_model(const train_options *o, bert_model *model, const train_data *d)
{
    char *plan = NULL;
    bert_err err;
    train_watch w = { .quiet = o->quiet };
    tell_beginning(d, model, &w);
    describe_model(o, model);
    if (bert_train_plan(model, d->train, d->valid, &o->training, o->json, &plan, &err))
        return report_failure(&err);
    return results_print_lines(plan);
}

static int run_train(const void *options, const char *argument)
{
    (void)argument;
    const train_options *o = options;
    if (!o->output && !o->dry_run)
        return report_usage(&train_command, "--output is missing");
    if (o->valid && o->valid_split > 0)
        return report_usage(&train_command, "--valid and --valid-split: one or the other");
    train_data d = { 0 };
    bert_model *model = NULL;
    bert_err err;
    int status;
    bert_head_spec head = o->head;
    if (load_data(o, &head, &d, &err) || create_model(o, &head, &model, &err))
        status = report_failure(&err);
    else
        status = o->dry_run ? plan_model(o, model, &d) : train_model(o, model, &d);
    bert_model_free(model);
    free_data(&d);
    return status;
}

/* The long table of training by subject; what is not named here stands under "training". */
static const char *const MODULE[] = { "module", NULL };
static const char *const TASK[] = { "task", NULL };
static const char *const NOT_OF_TRAINING[] = { "outputs", "do_preprocessing", NULL };
static const char *const OF_OPTIMIZER[] = { "optimizer",    "beta_1",         "beta_2",   "epsilon",
                                            "weight_decay", "clip_norm",      "schedule", "warmup",
                                            "layer_decay",  "unfreeze_every", NULL };
static const char *const OF_LOSS[] = {
    "class_weights", "label_smoothing", "watch", "patience", "choose_threshold", NULL
};
static const char *const OF_SPEED[] = {
    "precision", "frozen_precision", "frozen_dropout", "cache_budget", "cache_precision", "cache", "length_window", NULL
};
static const char *const OF_FOLDER[] = { "resume", "force", "checkpoint_every", "tensorboard", "report", NULL };

#define TRAINING(title, only) GROUP(bert_train_option_table, train_options, training, title, NULL, only)

const command train_command = {
    .name = "train",
    .usage = "--module MODULE --train FILE [--valid FILE] -o MODEL",
    .summary = "Fine-tunes a module into a model of your texts or pairs",
    .details = "FILE has a text (or two) and a label in each row. MODEL receives model.json and weights.safetensors of "
               "the best epoch so far, history.json, report.html, logs/ for TensorBoard, and checkpoint.safetensors: "
               "Ctrl-C finishes the step and saves, and the same command with --resume goes on as if nothing had "
               "happened.",
    .required = (const char *const[]){ "module", "train", NULL },
    .inputs = (const char *const[]){ "module", "train", "valid", NULL },
    .outputs = (const output_option[]){ { .name = "output", .kind = train_output }, { .name = NULL } },
    .groups =
        (const option_group[]){
            GROUP(bert_layer_option_table, train_options, layer, "options", NULL, MODULE),
            OWN_OPTIONS,
            GROUP(bert_head_option_table, train_options, head, "options", NULL, TASK),
            TRAINING("options", OF_FOLDER),
            GROUP(bert_table_option_table, train_options, table, "how FILE is read", NULL, NULL),
            TRAINING("training", NULL),
            GROUP(bert_layer_option_table, train_options, layer, "the layer", NOT_OF_TRAINING, NULL),
            GROUP(bert_head_option_table, train_options, head, "the head", NULL, NULL),
            TRAINING("the loss, and which epoch is the best", OF_LOSS),
            TRAINING("the optimiser", OF_OPTIMIZER),
            TRAINING("speed and memory", OF_SPEED),
            { .title = NULL },
        },
    .options_size = sizeof(train_options),
    .run = run_train,
};
