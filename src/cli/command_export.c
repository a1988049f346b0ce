/* bert export: a model in another program's format. */
#include "cli/command.h"
#include "cli/open_model.h"
#include "cli/messages.h"
#include "cli/results.h"

#include <sys/stat.h>

typedef struct export_options {
    const char *output;
    bert_export_options export;
} export_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(export_options, output, "PATH", "the file or folder to write"),
};

static int export_output(const void *options)
{
    static const bert_output KINDS[] = {
        [BERT_EXPORT_ONNX] = BERT_OUTPUT_ONNX, [BERT_EXPORT_GGUF] = BERT_OUTPUT_GGUF, [BERT_EXPORT_HF] = BERT_OUTPUT_HF
    };
    return (int)KINDS[((const export_options *)options)->export.format];
}

static int tell_export(const char *path)
{
    struct stat st;
    bert_buffer out = { 0 };
    double size = stat(path, &st) ? 0 : (double)st.st_size;
    bert_buffer_printf(&out, S_ISDIR(st.st_mode) ? "%s" : "%s: ", path);
    if (!S_ISDIR(st.st_mode))
        results_size(&out, size);
    bert_buffer_printf(&out, "\n");
    return results_print(&out, STATUS_FINE);
}

static int run_export(const void *options, const char *path)
{
    const export_options *o = options;
    bert_model *model;
    char *note = NULL;
    bert_err err;
    int status = model_open(path, &model);
    if (status)
        return status;
    if (bert_model_export(model, o->output, &o->export, &note, &err))
        status = report_failure(&err);
    else if (note)
        report_note("%s", note);
    bert_free(note);
    bert_model_free(model);
    return status ? status : tell_export(o->output);
}

const command export_command = {
    .name = "export",
    .usage = "ANY --format FORMAT -o PATH",
    .summary = "Writes a model in another program's format",
    .details = "ANY is a model folder, a module or a frozen file. onnx: a file for ONNX Runtime and others, head and "
               "pooling inside. gguf: a file for llama.cpp, the encoder and its vocabulary. hf: a folder for "
               "transformers and sentence-transformers. Weights are fp32 but for --type.",
    .argument = "ANY",
    .argument_needed = true,
    .required = (const char *const[]){ "output", NULL },
    .argument_is_input = true,
    .outputs = (const output_option[]){ { .name = "output", .kind = export_output }, { .name = NULL } },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_export_option_table, export_options, export, "options", NULL, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(export_options),
    .run = run_export,
};
