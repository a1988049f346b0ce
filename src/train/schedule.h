/* How many steps a run has, and the learning rate of each. */
#pragma once

#include "bert.h"

typedef struct schedule {
    int kind;                       /* schedule_kind */
    double peak;                    /* learning rate */
    int64_t steps_per_epoch, steps; /* of the whole run */
    int64_t warmup;                 /* steps */
} schedule;

/* For an epoch of so many batches. */
schedule schedule_create(const bert_train_options *options, size_t batches);

/* The rate of the step that follows `done` steps. While warming up, peak (done + 1) / warmup; then the peak, or falling
 * from the peak to zero, which the step behind the last one would reach: by a line, or by half a cosine. */
double schedule_rate(const schedule *s, int64_t done);
