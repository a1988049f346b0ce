/* What embed and predict have in common: a model, a session on it, and an answer to each row of a table, in order. */
#pragma once

#include "cli/pipeline.h"

typedef struct answer_options {
    const char *model, *output;
    int format; /* bert_answer_format */
    bool resume, force, verify;
    bert_session_options session;
    rows_options rows;
} answer_options;

/* clang-format off */
#define ANSWER_OPTIONS(any, formats)                                                                      \
    OPTION_STRING(answer_options, model, "ANY", any),                                                     \
    OPTION_STRING(answer_options, output, "OUT", "a file instead of standard output"),                    \
    OPTION_CHOICE(answer_options, format, "jsonl", ANSWER_FORMATS, "FORMAT", formats),                    \
    OPTION_FLAG(answer_options, resume, "go on with OUT where a run was stopped"),                        \
    OPTION_FLAG(answer_options, force, FORCE_HELP ", a text, and OUT.part of a run that was stopped"),    \
    OPTION_FLAG(answer_options, verify, "compare all of ANY with the hashes that it carries first"),

/* Of the command's groups: how FILE is read, and the end. */
#define ANSWER_GROUPS                                                                                     \
    GROUP(bert_table_option_table, answer_options, rows.table, "how FILE is read", LABEL_COLUMN, NULL),   \
    GROUP(rows_option_table, answer_options, rows, "how FILE is read", NULL, NULL),                       \
    { .title = NULL },

/* Of the command itself. */
#define ANSWER_COMMAND                                                                                    \
    .argument = "FILE",                                                                                   \
    .required = (const char *const[]){ "model", NULL },                                                   \
    .argument_is_input = true,                                                                            \
    .inputs = (const char *const[]){ "model", NULL },                                                     \
    .outputs = (const output_option[]){ { .name = "output", .output = BERT_OUTPUT_TABLE, .kept = true },  \
                                        { .name = NULL } },                                               \
    .options_size = sizeof(answer_options)

#define ANSWER_DETAILS                                                                                    \
    "\n"                                                                                                  \
    "Ctrl-C ends it behind a whole line. OUT appears when it is whole: a run that is stopped, by "        \
    "whatever it is, leaves OUT.part, and the same command with --resume goes on from there to the same " \
    "bytes."
/* clang-format on */

typedef struct answers {
    const answer_options *options;
    const bert_model *model;
    bert_session *session;
    pipeline_work work; /* most, numbers (of an .npy's row) and write are the command's */
    /* rows.n becomes the number of rows that are done where it fails with some */
    bert_status (*compute)(struct answers *a, row_chunk *c, bert_err *err);
    size_t truncated, pairs; /* texts that were cut, rows of two texts */
} answers;

/* Runs a command. prepare: fills what is the command's, on an open session; returns an exit status. note: what there is
 * to say of n rows. Returns an exit status; what went wrong has been told. */
int answers_run(const command *c, const answer_options *options, const char *file, int (*prepare)(answers *a),
                void (*note)(const bert_model *model, size_t pairs, size_t n));
