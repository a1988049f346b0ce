/* What a command of `bert` is: a row of data. main.c lists them; arguments.c parses by them; help.c explains by
 * them. */
#pragma once

#include "bert.h"

/* Options that a command takes: a table of the library's or its own, and where that table's struct stands in the
 * command's. */
typedef struct option_group {
    bert_option_table (*table)(void); /* NULL: its own */
    size_t offset;
    const char *title;          /* stands over them in --help */
    const char *const *without; /* those which this command does not take; ends with NULL; NULL: takes all */
    /* those of a long table that belong under this title; ends with NULL; NULL: all that no other group names so */
    const char *const *only;
    bert_option_table own;
} option_group;

bert_option_table group_options(const option_group *group);

/* An option that names what the command writes. */
typedef struct output_option {
    const char *name;
    bert_output output;
    /* where the other options tell it: a bert_output, or NO_OUTPUT; NULL: `output` is it */
    int (*kind)(const void *options);
    bool kept; /* stands in NAME.part until it is whole (output.h) */
} output_option;

enum { NO_OUTPUT = -1 };

typedef struct command {
    const char *name;
    const char *usage;    /* what follows "bert NAME" */
    const char *summary;  /* one line */
    const char *details;  /* more for --help, paragraphs that end with a newline; NULL: nothing */
    const char *argument; /* the word for its one argument: "FILE"; NULL: it takes none */
    bool argument_needed, argument_is_input;
    /* options that name what is read; ends with NULL; NULL: none */
    const char *const *inputs;
    const output_option *outputs;                          /* ends with a row without a name; NULL: none */
    const char *const *required;                           /* options that must be given; ends with NULL; NULL: none */
    const option_group *groups;                            /* ends with a row without a title */
    size_t options_size;                                   /* of the struct that the groups fill */
    int (*run)(const void *options, const char *argument); /* returns an exit status */
} command;

enum { STATUS_FINE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

extern const command pull_command, import_command, inspect_command, tokenize_command, embed_command, train_command,
    eval_command, predict_command, freeze_command, export_command, bench_command;

/* Rows of a command's own table. */
/* clang-format off */
#define OPTION_ROW(type, field, kind, fallback, min, max, choices, value, help) \
    { #field, BERT_OPTION_##kind, offsetof(type, field), fallback, min, max, choices, value, help }
/* clang-format on */
#define OPTION_FLAG(type, field, help) OPTION_ROW(type, field, BOOL, "false", 0, 0, NULL, NULL, help)
#define OPTION_INT(type, field, fallback, min, max, value, help) \
    OPTION_ROW(type, field, INT, fallback, min, max, NULL, value, help)
#define OPTION_FLOAT(type, field, fallback, min, max, value, help) \
    OPTION_ROW(type, field, FLOAT, fallback, min, max, NULL, value, help)
#define OPTION_STRING(type, field, value, help) OPTION_ROW(type, field, STRING, NULL, 0, 0, NULL, value, help)
#define OPTION_CHOICE(type, field, fallback, choices, value, help) \
    OPTION_ROW(type, field, CHOICE, fallback, 0, 0, choices, value, help)

#define FORCE_HELP "replace what stands there if libbert made it"

#define OPTION_TABLE(rows) ((bert_option_table){ (rows), sizeof(rows) / sizeof *(rows) })

/* clang-format off */
/* The group of the command's own rows, OPTIONS, first of its groups. */
#define OWN_OPTIONS { .title = "options", .own = { OPTIONS, sizeof OPTIONS / sizeof *OPTIONS } }
#define GROUP(function, type, field, heading, not_taken, only_taken) \
    { .table = function, .offset = offsetof(type, field), .title = heading, .without = not_taken, .only = only_taken }
/* clang-format on */

/* -o and -m: each stands for the first of its long names that a command has. */
typedef struct short_option {
    char letter;
    const char *name;
} short_option;

extern const short_option SHORT_OPTIONS[]; /* ends with letter 0 */

/* One option as a command knows it. */
typedef struct found_option {
    const option_group *group;
    const bert_option *option;
} found_option;

/* The option of that name, n characters, '-' and '_' alike; false: the command has none. */
bool command_find(const command *c, const char *name, size_t n, found_option *found);
/* Where the value of an option of that name stands in the options; NULL: the command has none. */
const void *command_field(const command *c, const void *options, const char *name);
/* Whether the option stands in that group of the command's. */
bool group_takes(const command *c, const option_group *group, const bert_option *option);
