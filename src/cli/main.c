/* The command `bert`: the list of its commands, and the way to the one that is asked for. */
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/outputs.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/stop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of the way of the data. */
static const command *const COMMANDS[] = {
    &pull_command, &import_command,  &inspect_command, &tokenize_command, &embed_command, &train_command,
    &eval_command, &predict_command, &freeze_command,  &export_command,   &bench_command, NULL,
};

static const command *find(const char *name)
{
    for (const command *const *c = COMMANDS; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}

static int unknown_command(const char *name)
{
    nearest_name near = nearest_to(name, strlen(name));
    for (const command *const *c = COMMANDS; *c; c++)
        nearest_try(&near, (*c)->name);
    if (near.best)
        return report_usage(NULL, "unknown command %s, did you mean %s?", name, near.best);
    return report_usage(NULL, "unknown command %s", name);
}

static int run_command(const command *c, int argc, char **argv)
{
    void *options = calloc(1, c->options_size);
    if (!options)
        return report_error("out of memory: the options of bert %s", c->name);
    const char *argument = NULL;
    int status = arguments_parse(c, argc, argv, options, &argument);
    if (status == ARGUMENTS_HELP)
        status = help_command(c);
    else if (!status && !(status = outputs_check(c, options, argument)))
        status = c->run(options, argument);
    free(options);
    return status;
}

static int help(const char *name)
{
    const command *c = name ? find(name) : NULL;
    if (!name)
        return help_all(COMMANDS);
    return c ? help_command(c) : unknown_command(name);
}

static int version(void)
{
    bert_buffer out = { 0 };
    bert_buffer_printf(&out, "bert %s\n", bert_version());
    return results_print(&out, STATUS_FINE);
}

/* A standard stream that the caller closed would give its number to the next file that is opened, and what is printed
 * would land in there. Each that is closed gets /dev/null, opened the wrong way round, so that using it fails as it
 * should. */
static void occupy_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    /* A reader that went away and a limit on the size of files are errors of the next write, so that nothing
     * half-written is left behind. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    stop_begin();

    command_line_keep(argc, argv);
    const char *first = argc > 1 ? argv[1] : NULL;
    if (!first) {
        help_hint(COMMANDS);
        return STATUS_USAGE;
    }
    if (!strcmp(first, "--help") || !strcmp(first, "-h") || !strcmp(first, "help"))
        return help(argc > 2 ? argv[2] : NULL);
    if (!strcmp(first, "--version") || !strcmp(first, "-V"))
        return version();
    if (first[0] == '-')
        return report_usage(NULL, "unknown option %s", first);
    const command *c = find(first);
    return c ? run_command(c, argc - 2, argv + 2) : unknown_command(first);
}
