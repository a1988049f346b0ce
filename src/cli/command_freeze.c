/* bert freeze: a model into one file that predicts, and how the two compare. */
#include "cli/command.h"
#include "cli/labelled.h"
#include "cli/open_model.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct freeze_options {
    const char *weights, *output, *check;
    bert_freeze_options freeze;
    bert_table_options table;
} freeze_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(freeze_options, output, "FILE", "the file to write"),
    OPTION_STRING(freeze_options, weights, "WEIGHTS",
                  "a file with other weights of MODEL: MODEL/checkpoint.safetensors has the last ones"),
    OPTION_STRING(freeze_options, check, "TABLE",
                  "run MODEL and the frozen file on these texts and tell how they compare"),
};

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

/* A file's bytes; a folder's weights are fp32. */
static double size_of(const char *path, double weights)
{
    struct stat st;
    if (stat(path, &st))
        return 0;
    return S_ISREG(st.st_mode) ? (double)st.st_size : weights * 4;
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

static void print_row(bert_buffer *out, const char *name, const char *format, double original, double frozen)
{
    char cells[2][32];
    if (isnan(original) || isnan(frozen))
        return;
    snprintf(cells[0], sizeof cells[0], format, original);
    snprintf(cells[1], sizeof cells[1], format, frozen);
    bert_buffer_printf(out, "%-14s %12s %12s\n", name, cells[0], cells[1]);
}

/* The metrics that people name first; the others are bert eval's. */
static void print_metrics(bert_buffer *out, const bert_freeze_check *check)
{
    static const char *const SHOWN[] = { "accuracy", "f1", "pearson", "spearman" };
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    for (size_t k = 0; k < sizeof SHOWN / sizeof *SHOWN; k++)
        for (size_t i = 0; check->original.n && i < n; i++)
            if (!strcmp(metrics[i].name, SHOWN[k]))
                print_row(out, SHOWN[k], "%.4f", bert_metric_value(&check->original, &metrics[i]),
                          bert_metric_value(&check->frozen, &metrics[i]));
}

static void print_check(bert_buffer *out, const bert_freeze_check *check)
{
    bert_buffer_printf(out, "%-14s %12s %12s\n", "", "original", "frozen");
    print_metrics(out, check);
    print_row(out, "texts/s", "%.0f", check->texts_per_second_original, check->texts_per_second);
    bert_buffer_printf(out, "the same answer to %.2f %% of %zu rows\n", 100 * check->agreement, check->n);
    if (!isnan(check->difference_mean))
        bert_buffer_printf(out, "scores differ by %.5f in the mean, %.5f at most\n", check->difference_mean,
                           check->difference_worst);
    if (!isnan(check->cosine_mean))
        bert_buffer_printf(out, "cosine of the vectors: %.5f in the mean, %.5f at least\n", check->cosine_mean,
                           check->cosine_worst);
}

/* ---- the texts of the comparison --------------------------------------------------------------------------------- */

/* Labels are compared where there are some, or where the user says so. */
static bert_status load_check(const freeze_options *o, const bert_model *model, bert_dataset **data, bert_err *err)
{
    bert_table *table = NULL;
    bert_rows rows = { 0 };
    bert_head_spec head = labelled_head(model);
    bool again = strcmp(o->check, "-") != 0; /* standard input cannot be read twice */
    bert_status s = again ? bert_table_open(o->check, &o->table, false, &table, err) : BERT_OK;
    if (!s && again)
        s = bert_table_next(table, 1, &rows, err);
    bert_table_close(table);
    if (s)
        return s;
    if (!again || o->table.label_column || rows.labels || !rows.n)
        return bert_model_task(model) ? labelled_load(o->check, &o->table, &head, data, err)
                                      : bert_dataset_load(o->check, &o->table, data, err);
    return unlabelled_load(o->check, &o->table, data, err);
}

/* ---- freezing ---------------------------------------------------------------------------------------------------- */

/* "model.bert: 23.1 MB, 1.02 bytes a weight (the model: 90.9 MB)" */
static void print_size(bert_buffer *out, const freeze_options *o, const char *path, const bert_model *model)
{
    double weights = (double)bert_model_facts_of(model).parameters, size = size_of(o->output, weights);
    bert_buffer_printf(out, "%s: ", o->output);
    results_size(out, size);
    if (weights > 0)
        bert_buffer_printf(out, ", %.2f bytes a weight", size / weights);
    bert_buffer_printf(out, " (%s: ", path);
    results_size(out, size_of(path, weights));
    bert_buffer_printf(out, ")\n");
}

static int freeze(const freeze_options *o, const char *path, const bert_model *model, const bert_dataset *data)
{
    bert_freeze_check check = { 0 };
    bert_err err;
    bert_buffer out = { 0 };
    bert_status s = bert_model_freeze(model, o->output, &o->freeze, data, &check, &err);
    if (data && check.n)
        print_check(&out, &check);
    if (check.truncated)
        report_note("%zu of %zu texts were cut to the model's length: what stands behind the cut was not compared",
                    check.truncated, check.n);
    if (!s)
        print_size(&out, o, path, model);
    return results_print(&out, s ? report_failure(&err) : STATUS_FINE);
}

static int freeze_checked(const freeze_options *o, const char *path, const bert_model *model)
{
    bert_dataset *data = NULL;
    bert_err err;
    if (o->check && load_check(o, model, &data, &err))
        return report_failure(&err);
    if (data)
        rows_note_dataset(data);
    int status = freeze(o, path, model, data);
    bert_dataset_free(data);
    return status;
}

static int run_freeze(const void *options, const char *path)
{
    const freeze_options *o = options;
    bert_model *model;
    bert_err err;
    if (o->freeze.min_agreement > 0 && !o->check)
        return report_usage(&freeze_command, "--min-agreement needs --check TABLE");
    int status = model_open(path, &model);
    if (status)
        return status;
    if (o->weights && bert_model_load_weights(model, o->weights, &err))
        status = report_failure(&err);
    else
        status = freeze_checked(o, path, model);
    bert_model_free(model);
    return status;
}

const command freeze_command = {
    .name = "freeze",
    .usage = "MODEL [--precision P] [--check TABLE [--min-agreement X]] -o FILE",
    .summary = "Writes a model as one file that holds all that prediction needs",
    .details = "MODEL is a model folder, or a module, whose frozen file embeds and predicts nothing. FILE.bert is the "
               "usual name.\n"
               "With --check it prints how the frozen file does beside MODEL: accuracy, the same answers, differences "
               "of scores and vectors, speed.",
    .argument = "MODEL",
    .argument_needed = true,
    .required = (const char *const[]){ "output", NULL },
    .argument_is_input = true,
    .inputs = (const char *const[]){ "weights", "check", NULL },
    .outputs = (const output_option[]){ { .name = "output", .output = BERT_OUTPUT_FROZEN }, { .name = NULL } },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_freeze_option_table, freeze_options, freeze, "options", NULL, NULL),
            GROUP(bert_table_option_table, freeze_options, table, "how TABLE is read", NULL, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(freeze_options),
    .run = run_freeze,
};
