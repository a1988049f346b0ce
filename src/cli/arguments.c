/* A command line into a command's options. */
#include "cli/arguments.h"
#include "cli/messages.h"

#include <stdio.h>
#include <string.h>

const short_option SHORT_OPTIONS[] = { { 'm', "model" }, { 'm', "module" }, { 'o', "output" }, { 0, NULL } };

static char plain(char c)
{
    return c == '-' ? '_' : c;
}

static bool same_name(const char *name, const char *typed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!name[i] || plain(name[i]) != plain(typed[i]))
            return false;
    return !name[n];
}

static bool names(const char *const *list, const bert_option *option)
{
    for (; list && *list; list++)
        if (!strcmp(*list, option->name))
            return true;
    return false;
}

bert_option_table group_options(const option_group *group)
{
    return group->table ? group->table() : group->own;
}

bool group_takes(const command *c, const option_group *group, const bert_option *option)
{
    if (group->only)
        return names(group->only, option);
    for (const option_group *g = c->groups; g->title; g++)
        if (g->table == group->table && names(g->only, option))
            return false;
    return !names(group->without, option);
}

bool command_find(const command *c, const char *name, size_t n, found_option *found)
{
    for (const option_group *g = c->groups; g->title; g++) {
        bert_option_table table = group_options(g);
        for (size_t i = 0; i < table.n; i++)
            if (same_name(table.options[i].name, name, n) && group_takes(c, g, &table.options[i])) {
                *found = (found_option){ g, &table.options[i] };
                return true;
            }
    }
    return false;
}

const void *command_field(const command *c, const void *options, const char *name)
{
    found_option f;
    return command_find(c, name, strlen(name), &f) ? (const char *)options + f.group->offset + f.option->offset : NULL;
}

/* ---- did you mean ------------------------------------------------------------------------------------------------ */

enum { NAME_MOST = 40 };

/* How many letters must be put in, left out, replaced or swapped with their neighbour (Damerau 1964, without substrings
 * edited twice). */
static int edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    int d[NAME_MOST + 1][NAME_MOST + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = (int)i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            bool same = plain(a[i - 1]) == plain(b[j - 1]);
            int best = d[i - 1][j - 1] + !same;
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) && plain(a[i - 2]) == plain(b[j - 1]) &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

nearest_name nearest_to(const char *typed, size_t n)
{
    /* One letter in three may be wrong, three at most: beyond that it is a guess. */
    int most = n < 3 ? 1 : n / 3 > 3 ? 3 : (int)(n / 3);
    return (nearest_name){ typed, NULL, n, most + 1 };
}

void nearest_try(nearest_name *near, const char *name)
{
    size_t m = strlen(name);
    if (near->n > NAME_MOST || m > NAME_MOST)
        return;
    int distance = edit_distance(near->typed, near->n, name, m);
    if (distance < near->distance) {
        near->distance = distance;
        near->best = name;
    }
}

static int unknown_option(const command *c, const char *name, size_t n)
{
    nearest_name near = nearest_to(name, n);
    nearest_try(&near, "help");
    for (const option_group *g = c->groups; g->title; g++) {
        bert_option_table table = group_options(g);
        for (size_t i = 0; i < table.n; i++)
            if (group_takes(c, g, &table.options[i]))
                nearest_try(&near, table.options[i].name);
    }
    char meant[NAME_MOST + 24] = "";
    if (near.best) {
        snprintf(meant, sizeof meant, ", did you mean --%s?", near.best);
        for (char *p = meant; *p; p++)
            *p = *p == '_' ? '-' : *p;
    }
    return report_usage(c, "unknown option --%.*s%s", (int)n, name, meant);
}

/* ---- parsing ----------------------------------------------------------------------------------------------------- */

/* Where we are in argv. */
typedef struct reader {
    const command *c;
    int argc, at;
    char **argv;
    void *options;
} reader;

/* These return as arguments_parse. */
static int set(reader *r, found_option f, const char *value)
{
    bert_err err;
    if (bert_options_set((char *)r->options + f.group->offset, group_options(f.group), f.option->name, value, &err))
        return report_usage(r->c, "%s", err.message);
    return STATUS_FINE;
}

/* The value behind an option: what stands after its '=', else the next argument. `typed` is the option as the user
 * wrote it. */
static int set_with_value(reader *r, found_option f, const char *typed, size_t n, const char *value)
{
    if (!value && r->at == r->argc)
        return report_usage(r->c, "%.*s needs a value%s%s", (int)n, typed, f.option->value ? ": " : "",
                            f.option->value ? f.option->value : "");
    return set(r, f, value ? value : r->argv[r->at++]);
}

static int parse_long(reader *r, const char *typed)
{
    const char *name = typed + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    if (n == 4 && !strncmp(name, "help", 4))
        return ARGUMENTS_HELP;

    found_option f;
    if (command_find(r->c, name, n, &f))
        return f.option->type == BERT_OPTION_BOOL ? set(r, f, equals ? equals + 1 : "true")
                                                  : set_with_value(r, f, typed, n + 2, equals ? equals + 1 : NULL);
    if (!equals && n > 3 && !strncmp(name, "no-", 3) && command_find(r->c, name + 3, n - 3, &f) &&
        f.option->type == BERT_OPTION_BOOL)
        return set(r, f, "false");
    return unknown_option(r->c, name, n);
}

static int parse_short(reader *r, const char *typed)
{
    if (!strcmp(typed, "-h"))
        return ARGUMENTS_HELP;
    for (const short_option *s = SHORT_OPTIONS; s->letter; s++) {
        found_option f;
        if (typed[1] == s->letter && command_find(r->c, s->name, strlen(s->name), &f))
            return set_with_value(r, f, typed, 2, typed[2] ? typed + 2 : NULL);
    }
    return report_usage(r->c, "unknown option %s", typed);
}

static int check_complete(const reader *r, const char *argument)
{
    const command *c = r->c;
    if (c->argument_needed && !argument)
        return report_usage(c, "%s is missing", c->argument);
    for (const char *const *name = c->required; name && *name; name++) {
        const char *const *value = command_field(c, r->options, *name);
        if (!value || !*value)
            return report_usage(c, "--%s is missing", *name);
    }
    return STATUS_FINE;
}

int arguments_parse(const command *c, int argc, char **argv, void *options, const char **argument)
{
    for (const option_group *g = c->groups; g->title; g++)
        bert_options_defaults((char *)options + g->offset, group_options(g));

    reader r = { .c = c, .argc = argc, .argv = argv, .options = options };
    bool only_arguments = false;
    *argument = NULL;
    while (r.at < argc) {
        const char *typed = argv[r.at++];
        int status = STATUS_FINE;
        if (only_arguments || typed[0] != '-' || !typed[1]) { /* "-" is standard input */
            if (!c->argument || *argument)
                return report_usage(c, "one argument too many: %s", typed);
            *argument = typed;
        } else if (!strcmp(typed, "--")) {
            only_arguments = true;
        } else {
            status = typed[1] == '-' ? parse_long(&r, typed) : parse_short(&r, typed);
        }
        if (status)
            return status;
    }
    return check_complete(&r, *argument);
}
