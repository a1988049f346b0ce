/* bert import: a published checkpoint into a module. */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/results.h"

#include <jansson.h>

typedef struct import_options {
    const char *output;
    bert_import_options import;
} import_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(import_options, output, "MODULE", "the folder to write"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

static int run(const void *options, const char *source)
{
    const import_options *o = options;
    char *note = NULL;
    bert_err err;
    if (bert_import(source, o->output, &o->import, &note, &err))
        return report_failure(&err);
    if (note)
        report_note("%s", note);
    bert_free(note);
    results out;
    if (results_open(&out, NULL))
        return STATUS_FAILED;
    results_printf(&out, "%s\n", o->output);
    return results_close(&out, STATUS_FINE);
}

const command import_command = {
    .name = "import",
    .usage = "SOURCE -o MODULE",
    .summary = "Turns a published checkpoint into a module",
    .details = "SOURCE is a folder or file as somebody published it: a TensorFlow bundle (bert_model.ckpt), a TF1 Hub module, a Hugging "
               "Face or sentence-transformers folder. MODULE is written whole or not at all, and Hugging Face loads it, too.",
    .argument = "SOURCE",
    .argument_needed = true,
    .required = (const char *const[]) { "output", NULL },
    .groups =
        (const option_group[]) {
            { table, 0, "options", NULL },
            { bert_import_option_table, offsetof(import_options, import), "options", NULL },
            { NULL, 0, NULL, NULL },
        },
    .options_size = sizeof(import_options),
    .run = run,
};
