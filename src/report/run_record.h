/* What is remembered of a training run, in numbers: history.json, event files, the page and the checkpoint are made of
 * it. */
#pragma once

#include "bert.h"

/* An epoch that is done. What is not known is NaN. */
typedef struct epoch_record {
    int64_t epoch, step;   /* from 1; its last step, counted over the whole run */
    double loss, accuracy; /* means over the epoch, of the training data */
    double learning_rate;  /* of the last step */
    double seconds;
    bert_metrics valid; /* of the validation data */
} epoch_record;

/* A step that is done. */
typedef struct step_record {
    int64_t step;
    double loss, learning_rate;
} step_record;

/* All zero is empty. */
typedef struct run_record {
    epoch_record *epochs;
    size_t n_epochs;
    step_record *steps; /* thinned to some thousand */
    size_t n_steps;
} run_record;

/* Makes room for one epoch and one step more, which the caller writes behind the others. false: out of memory. */
bool run_record_room(run_record *r);
void run_record_free(run_record *r);

/* A number of an epoch. */
typedef struct epoch_number {
    char name[48];
    size_t offset; /* of a double in epoch_record */
} epoch_number;

/* The i-th of "loss", "accuracy", "learning_rate", "seconds" and a "val_NAME" for each metric; false: there are no
 * more. */
bool epoch_number_at(size_t i, epoch_number *number);
double epoch_value(const epoch_record *epoch, size_t offset);
