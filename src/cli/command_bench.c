/* bert bench: how fast a model runs on this machine. */
#include "cli/command.h"
#include "cli/labelled.h"
#include "cli/open_model.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/rows.h"

typedef struct bench_options {
    const char *model, *text;
    bool json;
    bert_bench_options bench;
    bert_session_options session;
    bert_table_options table;
} bench_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(bench_options, model, "ANY", "a module, a model or a frozen file"),
    OPTION_STRING(bench_options, text, "FILE", "the same as FILE"),
    OPTION_FLAG(bench_options, json, "print one JSON object instead of lines for people"),
};

/* file NULL: texts that are made up. */
static int measure(const bench_options *o, const bert_model *model, const char *file)
{
    bert_err err;
    char *text = NULL;
    bert_dataset *dataset = NULL;
    bert_status s = file ? unlabelled_load(file, &o->table, &dataset, &err) : BERT_OK;
    if (!s)
        s = bert_model_bench(model, &o->session, dataset, &o->bench, o->json, &text, &err);
    bert_dataset_free(dataset);
    if (s)
        return report_failure(&err);
    return results_print_lines(text);
}

static int run_bench(const void *options, const char *argument)
{
    const bench_options *o = options;
    bert_model *model;
    if (argument && o->text)
        return report_usage(&bench_command, "give FILE or --text FILE, not both");
    int status = model_open(o->model, &model);
    if (status)
        return status;
    status = measure(o, model, argument ? argument : o->text);
    bert_model_free(model);
    return status;
}

const command bench_command = {
    .name = "bench",
    .usage = "-m ANY [FILE] [--roofline] [--json]",
    .summary = "Measures how fast a model runs on this machine",
    .details =
        "Prints tokens and sequences a second, with tokenising and without, the latency of one text at a time, which "
        "operations the time goes to, and memory. FILE holds the texts, of which the first 65536 count; without it "
        "they are made up.\n"
        "With --roofline also what the machine could do: the matrix products alone, by this program and by oneDNN "
        "where its library (libdnnl) is installed, and the speed at which memory is read.",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_bench_option_table, bench_options, bench, "options", NULL, NULL),
            GROUP(bert_session_option_table, bench_options, session, "how the model is run", NULL, NULL),
            GROUP(bert_table_option_table, bench_options, table, "how FILE is read", LABEL_COLUMN, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(bench_options),
    .run = run_bench,
};
