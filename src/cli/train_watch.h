/* A training run as it is followed: shown to a person or told to a program, asked to stop by Ctrl-C, and summed up when
 * it is over. */
#pragma once

#include "cli/train_bar.h"
#include "cli/results.h"

typedef struct train_watch {
    const char *folder; /* that is written */
    bool quiet, json, resumed;
    train_bar bar;
    results out; /* for a program: an object a line on standard output, which may be full, or its reader gone */
    double told; /* when the last step was, in seconds */
    int status;  /* of standard output */
    int64_t step, steps, epoch, epochs;
    int64_t best;     /* the epoch that the folder holds; 0: none yet */
    char scores[160]; /* of that epoch; empty where it was before a resumed run began */
} train_watch;

/* Returns an exit status. */
int train_watch_start(train_watch *w, const char *folder, bool json, bool quiet, bool verbose, bool resumed);
void train_watch_data(train_watch *w, const bert_dataset *train, const bert_dataset *valid, const bert_model *model);

/* Tells a note to whoever follows the run. */
void train_watch_note(train_watch *w, const char *note);

/* For bert_model_train: false where Ctrl-C asks to stop, or nobody reads standard output any more. */
bool train_watch_event(void *watch, const bert_event *event);

/* Says how the run ended: with `s`, and err where that is a failure. Returns the exit status. */
int train_watch_end(train_watch *w, bert_status s, const bert_err *err, const bert_model *model);
