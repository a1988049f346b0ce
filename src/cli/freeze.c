/* bert freeze: a model into one file that predicts. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/results.h"

#include <sys/stat.h>

typedef struct freeze_options {
    const char *weights, *output;
} freeze_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(freeze_options, output, "FILE", "the file to write"),
    OPTION_STRING(freeze_options, weights, "WEIGHTS", "a file with other weights of MODEL: MODEL/checkpoint.safetensors has the last ones"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

static int tell_size(const char *path)
{
    struct stat st;
    results out;
    if (results_open(&out, NULL))
        return STATUS_FAILED;
    double size = stat(path, &st) ? 0 : (double)st.st_size;
    results_printf(&out, size < 1e6 ? "%s: %.1f kB" : "%s: %.1f MB", path, size < 1e6 ? size / 1e3 : size / 1e6);
    results_string(&out, ", all that prediction needs\n");
    return results_close(&out, STATUS_FINE);
}

static int run(const void *options, const char *path)
{
    const freeze_options *o = options;
    bert_model *model;
    bert_err err;
    int status = model_open(path, &model);
    if (status)
        return status;
    bert_status s = o->weights ? bert_model_load_weights(model, o->weights, &err) : BERT_OK;
    if (!s)
        s = bert_model_freeze(model, o->output, &err);
    status = s ? report_failure(&err) : tell_size(o->output);
    bert_model_free(model);
    return status;
}

const command freeze_command = {
    .name = "freeze",
    .usage = "MODEL [--weights WEIGHTS] -o FILE",
    .summary = "Writes a model as one file that holds all that prediction needs",
    .details = "MODEL is a model folder, or a module, whose frozen file embeds and predicts nothing. FILE.bert is the usual name.",
    .argument = "MODEL",
    .argument_needed = true,
    .required = (const char *const[]){ "output", NULL },
    .groups = (const option_group[]){ { .table = table, .title = "options" }, { .table = NULL } },
    .options_size = sizeof(freeze_options),
    .run = run,
};
