/* Inputs and outputs of a command by the names of its options. */
#include "cli/outputs.h"
#include "cli/messages.h"
#include "cli/stop.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *path_of(const command *c, const void *options, const char *name)
{
    const char *const *field = command_field(c, options, name);
    return field && *field && strcmp(*field, "-") ? *field : NULL;
}

static bool flag_of(const command *c, const void *options, const char *name)
{
    const bool *field = command_field(c, options, name);
    return field && *field;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && (S_ISREG(a->st_mode) || S_ISDIR(a->st_mode));
}

/* Whether a path leads into the folder. */
static bool lies_in(const char *path, const struct stat *folder)
{
    char real[PATH_MAX], above[PATH_MAX];
    struct stat st;
    if (!realpath(path, real)) { /* the prefix of a checkpoint */
        const char *slash = strrchr(path, '/');
        if ((size_t)snprintf(above, sizeof above, "%.*s/.", slash ? (int)(slash - path) : 1, slash ? path : ".") >=
                sizeof above ||
            !realpath(above, real))
            return false;
    }
    while (real[0]) { /* the file, then each folder above it; the path begins with a slash */
        if (!stat(real, &st) && same_file(&st, folder))
            return true;
        *strrchr(real, '/') = 0;
    }
    return false;
}

/* An input that the output at this path would replace; standard input is one that has no name. */
static int check_input(const char *path, const struct stat *there, const char *input, bool replaced)
{
    struct stat st;
    if ((input ? stat(input, &st) : fstat(0, &st)) || !same_file(there, &st)) {
        bool inside = input && replaced && S_ISDIR(there->st_mode) && lies_in(input, there);
        return inside ? report_error("%s: holds %s, which is read; an input is never an output", path, input)
                      : STATUS_FINE;
    }
    if (!input)
        return report_error("%s: is standard input, too; an input is never an output", path);
    return strcmp(path, input) ? report_error("%s: is %s, which is read; an input is never an output", path, input)
                               : report_error("%s: is read; an input is never an output", path);
}

static int check_inputs(const command *c, const void *options, const char *argument, const char *path,
                        const struct stat *there, bool replaced)
{
    const char *file = argument && strcmp(argument, "-") ? argument : NULL;
    int status = c->argument_is_input ? check_input(path, there, file, replaced) : STATUS_FINE;
    for (const char *const *name = c->inputs; !status && name && *name; name++) {
        const char *input = path_of(c, options, *name);
        status = input ? check_input(path, there, input, replaced) : STATUS_FINE;
    }
    return status;
}

/* The file itself, and for results what stands beside them until they are whole. */
static int check_names(const command *c, const void *options, const char *argument, const output_option *o,
                       const char *path, bool replaced)
{
    static const char *const SUFFIXES[] = { "", ".part", ".part.json" };
    int status = STATUS_FINE;
    for (size_t i = 0; !status && i < (o->kept ? 3 : 1); i++) {
        struct stat there;
        char name[4096];
        if ((size_t)snprintf(name, sizeof name, "%s%s", path, SUFFIXES[i]) < sizeof name && !stat(name, &there))
            status = check_inputs(c, options, argument, name, &there, replaced);
    }
    return status;
}

int outputs_check(const command *c, const void *options, const char *argument)
{
    const char *paths[OUTPUTS_MOST];
    size_t n = 0;
    bert_err err;
    struct stat out;
    if (c->argument_is_input && argument && !fstat(1, &out) && S_ISREG(out.st_mode) && out.st_size &&
        check_input("standard output", &out, argument, false))
        return STATUS_FAILED;
    for (const output_option *o = c->outputs; o && o->name; o++) {
        const char *path = path_of(c, options, o->name);
        int kind = o->kind ? o->kind(options) : (int)o->output;
        if (!path || kind == NO_OUTPUT)
            continue;
        for (size_t i = 0; i < n; i++)
            if (!strcmp(paths[i], path))
                return report_error("%s: two outputs of this name", path);
        bool replaced = kind != BERT_OUTPUT_TRAINING && kind != BERT_OUTPUT_DOWNLOAD; /* which fill a folder */
        if (check_names(c, options, argument, o, path, replaced))
            return STATUS_FAILED;
        bool resume = flag_of(c, options, "resume") && kind == BERT_OUTPUT_TRAINING; /* which knows what stands there */
        if (!resume && bert_output_check(path, (bert_output)kind, flag_of(c, options, "force"), &err))
            return report_failure(&err);
        paths[n++] = path;
        stop_cleans(path);
    }
    return STATUS_FINE;
}
