/* The page that people look at: one self-contained HTML file of a training run or an evaluation; and the table of
 * predictions. */
#pragma once

#include "report/run_record.h"
#include "task/outcomes.h"

/* An options struct that the page lists. */
typedef struct option_set {
    const void *values;
    bert_option_table table;
    bool unset; /* strings that are not given are listed, too, as null */
} option_set;

/* Seconds that a part of the work took. */
typedef struct part_time {
    const char *name; /* "tokenise", "forward", "validation", ... */
    double seconds;
} part_time;

/* What a page shows. What is NULL is left out. */
typedef struct report {
    const char *title; /* "Training report" */
    const bert_model *model;
    const run_record *run; /* NULL: an evaluation */
    int64_t best_epoch;
    const char *watch; /* the metric that tells it; NULL: the task's */
    const option_set *options;
    size_t n_options;
    const part_time *parts;
    size_t n_parts;
    const outcomes *outcomes; /* of the validation data, the best epoch's */
    const bert_metrics *metrics;
    const bert_baseline *baseline; /* of the same rows */
    const char *useless;           /* without these: what training is no better than; NULL or "": it is better */
    double threshold;
    const bert_dataset *data;       /* that the outcomes are of */
    const token_rows *tokens;       /* of the same: lengths */
    const token_rows *train_tokens; /* of the training data: lengths; NULL in an evaluation */
    size_t seq_len;
} report;

/* Written atomically. Text of the user's is escaped. Fails with BERT_ERR_IO, BERT_ERR_MEMORY. */
bert_status report_write(const report *r, const char *path, bert_err *err);

/* One row for each of the data set's, .tsv, .csv or .jsonl by the name: text, text_pair (where there is one), label,
 * prediction, then a score each column by its label's name ("score_NAME"); of words: label and prediction are the tags
 * with spaces between. Written atomically. */
bert_status predictions_write(const outcomes *o, const bert_dataset *data, double threshold, const char *path,
                              bert_err *err);

/* The machine in words: processor, cores, instruction set, memory. Into `out`. */
void machine_describe(char *out, size_t size);
