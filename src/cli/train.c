/* bert train: a module and a table with labels into a model. */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/results.h"
#include "cli/rows.h"
#include "cli/stop.h"
#include "cli/train_bar.h"

#include <stdio.h>

static const char *const TASKS[] = { "auto", "binary", "multiclass", NULL }; /* as bert_task */

typedef struct train_options {
    const char *train, *valid, *output;
    int task;
    bool copy_module, verbose, quiet;
    bert_layer_spec layer;
    bert_train_options training;
    bert_table_options table;
} train_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(train_options, train, "FILE", "the table to learn from"),
    OPTION_STRING(train_options, valid, "FILE", "a table to measure each epoch by; the best epoch is kept"),
    OPTION_STRING(train_options, output, "MODEL", "the folder to write"),
    OPTION_CHOICE(train_options, task, "auto", TASKS, "TASK", "auto: binary where the labels are 0 and 1"),
    OPTION_FLAG(train_options, copy_module, "copy the module into MODEL, else MODEL knows it by its relative path"),
    OPTION_FLAG(train_options, verbose, "list what is tuned"),
    OPTION_FLAG(train_options, quiet, "say nothing but errors"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

/* A run, and what is known of it when it ends. */
typedef struct run_state {
    const train_options *o;
    train_bar bar;
    int64_t epoch;   /* under way */
    int64_t best;    /* the epoch that MODEL holds; 0: none yet */
    char scores[96]; /* of that epoch */
} run_state;

static bool on_event(void *context, const bert_event *event)
{
    run_state *r = context;
    r->epoch = event->epoch;
    train_bar_show(&r->bar, event);
    if (event->kind == BERT_EVENT_EPOCH && event->best) {
        r->best = event->epoch;
        train_bar_scores(event, r->scores, sizeof r->scores);
    }
    return !stop_asked();
}

static int report_stop(const run_state *r)
{
    if (!r->best)
        return report_error("stopped in epoch %lld: no epoch was finished, %s was not written", (long long)r->epoch, r->o->output);
    return report_error("stopped in epoch %lld: %s holds epoch %lld, the best so far (%s)", (long long)r->epoch, r->o->output,
                        (long long)r->best, r->scores);
}

static int report_result(const run_state *r)
{
    if (r->o->quiet)
        return STATUS_FINE;
    results out;
    if (results_open(&out, NULL))
        return STATUS_FAILED;
    results_printf(&out, "%s: epoch %lld, %s\n", r->o->output, (long long)r->best, r->scores);
    return results_close(&out, STATUS_FINE);
}

static void describe_model(const train_options *o, bert_model *model)
{
    if (bert_model_note(model) && !o->quiet)
        report_note("%s", bert_model_note(model));
    char *tuned = o->verbose ? bert_layer_describe(bert_model_layer(model)) : NULL;
    if (tuned)
        fputs(tuned, stderr);
    bert_free(tuned);
}

static int train_model(const train_options *o, bert_model *model, const bert_dataset *train, const bert_dataset *valid)
{
    run_state r = { .o = o, .bar = train_bar_start(o->quiet) };
    bert_err err;
    describe_model(o, model);
    stop_watch();
    bert_status s = bert_model_train(model, train, valid, &o->training, o->output, o->copy_module, on_event, &r, &err);
    stop_forget();
    bar_leave(&r.bar.bar);
    if (s == BERT_ERR_STOPPED)
        return report_stop(&r);
    return s ? report_failure(&err) : report_result(&r);
}

static int run(const void *options, const char *argument)
{
    (void)argument;
    const train_options *o = options;
    bert_err err;
    bert_dataset *train = NULL, *valid = NULL;
    bert_model *model = NULL;
    int status;
    if (bert_dataset_load(o->train, &o->table, &train, &err) || (o->valid && bert_dataset_load(o->valid, &o->table, &valid, &err))) {
        status = report_failure(&err);
    } else {
        const char *const *labels;
        size_t n = bert_dataset_labels(train, &labels);
        if (bert_model_create(&o->layer, o->task, labels, n, (uint64_t)o->training.seed, &model, &err))
            status = report_failure(&err);
        else
            status = train_model(o, model, train, valid);
    }
    bert_model_free(model);
    bert_dataset_free(valid);
    bert_dataset_free(train);
    return status;
}

const command train_command = {
    .name = "train",
    .usage = "--module MODULE --train FILE [--valid FILE] -o MODEL",
    .summary = "Fine-tunes a module into a classifier of your texts or pairs",
    .details = "FILE has a text (or two) and a label in each row. MODEL receives model.json, weights.safetensors and history.json. From the "
               "end of the first epoch on it holds the best one so far: Ctrl-C loses the epoch under way and no more.",
    .required = (const char *const[]){ "module", "train", "output", NULL },
    .groups =
        (const option_group[]){
            { table, 0, "options", NULL },
            { bert_layer_option_table, offsetof(train_options, layer), "the layer",
              (const char *const[]){ "outputs", "do_preprocessing", NULL } },
            { bert_train_option_table, offsetof(train_options, training), "training", NULL },
            { bert_table_option_table, offsetof(train_options, table), "how FILE is read", NULL },
            { NULL, 0, NULL, NULL },
        },
    .options_size = sizeof(train_options),
    .run = run,
};
