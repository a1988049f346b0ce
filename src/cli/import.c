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

/* "demo/module: 6 layers of 384 channels, 30522 tokens, 22.7 M parameters", from what bert_inspect says of it. */
static int tell_written(const char *path)
{
    char *text = NULL;
    bert_err err;
    if (bert_inspect(path, true, &text, &err))
        return report_failure(&err);
    json_t *module = json_loads(text, 0, NULL);
    bert_free(text);
    json_int_t layers = 0, hidden = 0, tokens = 0, parameters = 0;
    json_unpack(module, "{s:{s:I, s:I}, s:{s:I}, s:{s:I}}", "configuration", "num_hidden_layers", &layers, "hidden_size", &hidden, "tokenizer",
                "tokens", &tokens, "parameters", "all", &parameters);
    json_decref(module);
    results out;
    if (results_open(&out, NULL))
        return STATUS_FAILED;
    results_printf(&out, "%s: %lld layers of %lld channels, %lld tokens, ", path, layers, hidden, tokens);
    if (parameters < 1000000)
        results_printf(&out, "%lld parameters\n", parameters);
    else
        results_printf(&out, "%.1f M parameters\n", (double)parameters / 1e6);
    return results_close(&out, STATUS_FINE);
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
    return tell_written(o->output);
}

const command import_command = {
    .name = "import",
    .usage = "SOURCE -o MODULE",
    .summary = "Turns a published checkpoint into a module",
    .details = "SOURCE is a folder or file as somebody published it: a TensorFlow bundle (bert_model.ckpt), a TF1 Hub module, a Hugging "
               "Face or sentence-transformers folder. MODULE is written whole or not at all, and Hugging Face loads it, too.",
    .argument = "SOURCE",
    .argument_needed = true,
    .required = (const char *const[]){ "output", NULL },
    .groups =
        (const option_group[]){
            { .table = table, .title = "options" },
            { bert_import_option_table, offsetof(import_options, import), "options", NULL, NULL },
            { .table = NULL },
        },
    .options_size = sizeof(import_options),
    .run = run,
};
