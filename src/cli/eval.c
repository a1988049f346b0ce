/* bert eval: how good a model is on a table with labels. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/results.h"
#include "cli/rows.h"

typedef struct eval_options {
    const char *model;
    bert_session_options session;
    bert_table_options table;
} eval_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(eval_options, model, "ANY", "a model or a frozen file"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

static int write_metrics(const bert_metrics *m)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {
        { "loss", m->loss }, { "accuracy", m->accuracy }, { "precision", m->precision }, { "recall", m->recall }, { "f1", m->f1 },
    };
    results out;
    if (results_open(&out, NULL))
        return STATUS_FAILED;
    results_string(&out, "{");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        results_printf(&out, "\"%s\": ", rows[i].name);
        results_number(&out, rows[i].value);
        results_string(&out, ", ");
    }
    results_printf(&out, "\"n\": %zu}\n", m->n);
    return results_close(&out, STATUS_FINE);
}

static int evaluate(const eval_options *o, const bert_model *model, const char *file)
{
    bert_err err;
    bert_metrics metrics;
    bert_session *session = NULL;
    bert_dataset *dataset = NULL;
    bool done = !bert_session_create(model, &o->session, &session, &err) && !bert_dataset_load(file, &o->table, &dataset, &err) &&
                !bert_session_evaluate(session, dataset, &metrics, &err);
    bert_dataset_free(dataset);
    bert_session_free(session);
    return done ? write_metrics(&metrics) : report_failure(&err);
}

static int run(const void *options, const char *file)
{
    const eval_options *o = options;
    bert_model *model;
    int status = model_open(o->model, &model);
    if (status)
        return status;
    const char *const *labels;
    if (!bert_model_labels(model, &labels))
        status = report_error("%s: a module has no head and predicts nothing; bert train makes a model from it", o->model);
    else
        status = evaluate(o, model, file);
    bert_model_free(model);
    return status;
}

const command eval_command = {
    .name = "eval",
    .usage = "-m ANY FILE",
    .summary = "Measures a model on texts whose labels are known",
    .details = "Prints one JSON object: loss, accuracy, precision, recall, f1 and the number of rows, n. Where the labels are 0 and 1, "
               "precision, recall and f1 are those of label 1, else means over the labels.",
    .argument = "FILE",
    .argument_needed = true,
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            { table, 0, "options", NULL },
            { bert_session_option_table, offsetof(eval_options, session), "options", (const char *const[]){ "pooling", "normalize", NULL } },
            { bert_table_option_table, offsetof(eval_options, table), "how FILE is read", NULL },
            { NULL, 0, NULL, NULL },
        },
    .options_size = sizeof(eval_options),
    .run = run,
};
