/* What a program sees of a training run: an object a line on standard output. */
#ifndef CLI_TRAIN_EVENTS_H
#define CLI_TRAIN_EVENTS_H

#include "bert.h"
#include "cli/results.h"

typedef struct train_events {
    results out;
    double told; /* when the last step was, in seconds */
} train_events;

/* Each of these returns an exit status: standard output may be full, or its reader gone. */
int train_events_open(train_events *t);
/* {"event": "data", ...} from the object that describes a data set. */
int train_events_data(train_events *t, const char *json);
/* One line; of the steps ten a second at most, and the last one of an epoch. */
int train_events_show(train_events *t, const bert_event *event);
int train_events_close(train_events *t, int status);

#endif
