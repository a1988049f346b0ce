/* bert inspect: what a checkpoint, module, model or frozen file holds. */
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/results.h"

typedef struct inspect_options {
    bool json, verify;
} inspect_options;

static const bert_option OPTIONS[] = {
    OPTION_FLAG(inspect_options, json, "one JSON object, for machines"),
    OPTION_FLAG(inspect_options, verify, "read all of PATH and compare it with the hashes that it carries"),
};

static int run_inspect(const void *options, const char *path)
{
    const inspect_options *o = options;
    char *text = NULL;
    bert_err err;
    if (o->verify && bert_verify(path, &err))
        return report_failure(&err);
    if (bert_inspect(path, o->json, &text, &err))
        return report_failure(&err);
    return results_print_lines(text);
}

const command inspect_command = {
    .name = "inspect",
    .usage = "PATH [--json] [--verify]",
    .summary = "Tells what a checkpoint, module, model or frozen file holds",
    .argument = "PATH",
    .argument_needed = true,
    .groups = (const option_group[]){ OWN_OPTIONS, { .title = NULL } },
    .options_size = sizeof(inspect_options),
    .run = run_inspect,
};
